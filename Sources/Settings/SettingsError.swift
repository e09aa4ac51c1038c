/// A variable that is missing or impossible; stops the start.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The variable's name.
    package let variable: String
    /// What is wrong with it and what would be accepted. Never the value of a key.
    package let reason: String

    package init(_ variable: String, _ reason: String) {
        self.variable = variable
        self.reason = reason
    }

    /// `VARIABLE: reason`, one line.
    package var description: String { "\(variable): \(reason)" }
}
