/// Where a backend is: `http://host:port`, `https://host:port` or `http+unix:/path/of/socket`.
struct BackendURL: Equatable {
    /// What the target of a request is appended to.
    let base: String
    /// The unix socket to connect to; `nil` for TCP.
    let socket: String?

    /// From `serve=`, which the rules file has checked.
    init(_ text: String) {
        let unix = "http+unix:"
        if text.hasPrefix(unix) {
            base = "http://localhost"
            socket = String(text.dropFirst(unix.count))
        } else {
            var rest = text[...]
            while rest.hasSuffix("/") { rest = rest.dropLast() }
            base = String(rest)
            socket = nil
        }
    }
}
