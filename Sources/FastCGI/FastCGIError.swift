/// Why there is no socket to take requests from.
public struct FastCGIError: Error, Equatable, CustomStringConvertible {
    /// One line: what was tried, what the system said.
    public let reason: String

    /// An error told in one line.
    public init(_ reason: String) { self.reason = reason }

    /// The reason.
    public var description: String { reason }
}
