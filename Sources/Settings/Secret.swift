/// A value that no log, error or dump shows.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The value itself, for the one place that needs it.
    package let exposed: String

    package init(_ value: String) { exposed = value }

    /// Says only that there is one.
    package var description: String { "<secret>" }

    /// Shows nothing.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
