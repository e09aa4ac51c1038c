/// The PATH of a rule: literal bytes, `*` for any run without `/`, `**` for any run.
public struct PathPattern: Sendable, Equatable {
    /// As written in the rules file.
    public let text: String

    /// A pattern; any text that begins with `/` is one.
    public init(_ text: String) {
        self.text = text
    }
}
