/// A variable that is missing or impossible; stops the start.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The variable's name.
    public let variable: String
    /// What is wrong with it and what would be accepted. Never the value of a key.
    public let reason: String

    /// An error about `variable`.
    public init(_ variable: String, _ reason: String) {
        self.variable = variable
        self.reason = reason
    }

    /// `VARIABLE: reason`, one line.
    public var description: String { "\(variable): \(reason)" }
}
