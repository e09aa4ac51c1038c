/// A value that no log, error or dump shows.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The value itself, for the one place that needs it.
    public let exposed: String

    /// Wraps a value.
    public init(_ value: String) { exposed = value }

    /// Says only that there is one.
    public var description: String { "<secret>" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
