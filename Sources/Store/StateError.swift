/// State that could not be read or written: nothing was given away.
package struct StateError: Error, Equatable, CustomStringConvertible {
    /// One line for the log: which file, what was wrong, what would be right.
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
