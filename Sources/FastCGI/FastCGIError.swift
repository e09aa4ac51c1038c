/// Why there is no socket to take requests from.
package struct FastCGIError: Error, Equatable, CustomStringConvertible {
    /// One line: what was tried, what the system said.
    package let reason: String

    /// An error told in one line.
    package init(_ reason: String) { self.reason = reason }

    /// The reason.
    package var description: String { reason }
}
