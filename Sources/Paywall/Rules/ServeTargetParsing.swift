import HTTP
import Text

extension ServeTarget {
    /// The target that a text names; `nil` when it names none.
    package init?(_ text: String) {
        guard let target = try? Self(parsing: text) else { return nil }
        self = target
    }

    /// Reads the value of `serve=`.
    init(parsing text: String) throws(ValueProblem) {
        if text == "pass" {
            self = .pass
        } else if text == "demo" {
            self = .demo
        } else if text.hasPrefix("@") {
            self = .named(try Self.location(text))
        } else if text.hasPrefix("/") {
            self = .internal(try Self.internalLocation(text))
        } else if text.hasPrefix("file:") {
            self = .file(try Self.directory(text))
        } else if text.hasPrefix("http+unix:") {
            self = .proxy(try Self.socket(text))
        } else if text.hasPrefix("http:") || text.hasPrefix("https:") {
            self = .proxy(try Self.url(text))
        } else {
            let hint =
                Suggestion.nearest(to: text, among: ["pass", "demo"])
                .map { "; did you mean \"\($0)\"?" } ?? ""
            throw ValueProblem(
                "serve is @name, /prefix/, file:/dir, http://host:port, https://host:port, "
                    + "http+unix:/socket, pass or demo: \(quoted(text))\(hint)"
            )
        }
    }

    private static func location(_ text: String) throws(ValueProblem) -> String {
        let name = text.dropFirst()
        let isGood = name.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0))
        }
        guard !name.isEmpty, isGood else {
            throw ValueProblem(
                "a named location is @ and letters, digits, _ - or . : \(quoted(text))"
            )
        }
        return text
    }

    private static func internalLocation(_ text: String) throws(ValueProblem) -> String {
        try checkPath(text, of: text)
        // Most who leave the slash out have forgotten it: one file is told by its ending.
        let isFile =
            text.split(separator: "/").count > 1
            && text.split(separator: "/").last?.contains(".") == true
        guard text.hasSuffix("/") || isFile else {
            throw ValueProblem("an internal location ends with \"/\": write \"\(text)/\"")
        }
        guard text != "/" else {
            throw ValueProblem("serve=/ would lead back to the gate; name an internal location")
        }
        return text
    }

    private static func directory(_ text: String) throws(ValueProblem) -> String {
        let path = text.dropFirst("file:".count)
        guard path.hasPrefix("/") else {
            throw ValueProblem("file: needs an absolute directory, as in file:/var/www/paid")
        }
        guard !path.hasPrefix("//") else {
            throw ValueProblem("write one slash after file:, as in file:/var/www/paid")
        }
        return try directory(path, of: text)
    }

    /// A directory, which begins with a slash, without a slash at its end.
    static func directory(_ path: Substring, of text: String) throws(ValueProblem) -> String {
        var path = path
        try checkPath(path, of: text)
        while path.hasSuffix("/") { path = path.dropLast() }
        guard !path.isEmpty else {
            throw ValueProblem("\(text) would sell the whole machine; name a directory")
        }
        return String(path)
    }

    private static func socket(_ text: String) throws(ValueProblem) -> String {
        let path = text.dropFirst("http+unix:".count)
        guard path.hasPrefix("/"), !path.hasPrefix("//"), !path.hasSuffix("/") else {
            throw ValueProblem(
                "http+unix: needs the absolute path of a socket, as in http+unix:/run/app.sock: "
                    + quoted(text)
            )
        }
        try checkPath(path, of: text)
        return text
    }

    private static func url(_ text: String) throws(ValueProblem) -> String {
        let scheme = text.hasPrefix("https:") ? "https://" : "http://"
        guard text.hasPrefix(scheme), HostName.isAuthority(text.dropFirst(scheme.count)) else {
            throw ValueProblem(
                "a backend is http://host:port or https://host:port without a path, for the "
                    + "request's own path is kept: \(quoted(text))"
            )
        }
        return text
    }

    /// Refuses what is no plain absolute path.
    private static func checkPath(
        _ path: some StringProtocol,
        of text: String
    ) throws(ValueProblem) {
        let segments = path.split(separator: "/")
        guard !path.contains("//"), !segments.contains("."), !segments.contains("..") else {
            throw ValueProblem("a path here has no \"//\", \".\" or \"..\": \(quoted(text))")
        }
        guard !path.contains(where: { "?#%\\ ".contains($0) }) else {
            throw ValueProblem(
                "a path here has no space, \"?\", \"#\", \"%\" or \"\\\": \(quoted(text))"
            )
        }
    }
}
