/// Where goods come from, `serve=`.
package enum ServeTarget: Sendable, Hashable {
    /// `@name`: the named location of nginx, with the `@`.
    case named(String)
    /// `/prefix/`: an internal location, for what is at the same path below it; or one file of such a
    /// location, which does not end with `/`.
    case `internal`(String)
    /// `file:/dir`: a directory, absolute, without a slash at its end.
    case file(String)
    /// `http://…`, `https://…` or `http+unix:…` as written.
    case proxy(String)
    /// `pass`: a bare decision.
    case pass
    /// `demo`: the tutorial's own answer.
    case demo

    /// As the rules file writes it.
    package var text: String {
        switch self {
        case .named(let name): name
        case .internal(let prefix): prefix
        case .file(let directory): "file:" + directory
        case .proxy(let base): base
        case .pass: "pass"
        case .demo: "demo"
        }
    }
}
