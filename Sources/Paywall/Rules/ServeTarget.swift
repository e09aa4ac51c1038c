/// Where goods come from, `serve=`.
public enum ServeTarget: Sendable, Hashable {
    /// `@name`: the named location of nginx, with the `@`.
    case named(String)
    /// `/prefix/`: an internal location; begins and ends with `/`.
    case `internal`(String)
    /// `file:/dir`: a directory, absolute, without a slash at its end.
    case file(String)
    /// `http://…`, `https://…` or `http+unix:…` as written.
    case proxy(String)
    /// `pass`: a bare decision.
    case pass
    /// `demo`: the tutorial's own answer.
    case demo

    /// The target that a text names; `nil` when it names none.
    public init?(_ text: String) {
        let isPrintable = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        guard isPrintable, !text.split(separator: "/").contains("..") else { return nil }
        if text == "pass" {
            self = .pass
        } else if text == "demo" {
            self = .demo
        } else if text.hasPrefix("@"), text.utf8.count > 1,
            text.utf8.dropFirst().allSatisfy(Self.isName)
        {
            self = .named(text)
        } else if text.hasPrefix("/"), text.hasSuffix("/"), !text.contains("?"),
            !text.contains("//")
        {
            self = .internal(text)
        } else if text.hasPrefix("file:/"), text.utf8.count > 6 {
            let directory = text.dropFirst(5)
            self = .file(String(directory.hasSuffix("/") ? directory.dropLast() : directory))
        } else if Self.isBackend(text) {
            self = .proxy(text)
        } else {
            return nil
        }
    }

    /// As the rules file writes it.
    public var text: String {
        switch self {
        case .named(let name): name
        case .internal(let prefix): prefix
        case .file(let directory): "file:" + directory
        case .proxy(let base): base
        case .pass: "pass"
        case .demo: "demo"
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        case _:
            false
        }
    }

    private static func isBackend(_ text: String) -> Bool {
        if text.hasPrefix("http+unix:/") { return text.utf8.count > 11 }
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else {
            return false
        }
        let rest = text.dropFirst(scheme.count)
        guard let first = rest.first else { return false }
        return first != "/" && first != ":" && !rest.contains("?") && !rest.contains("#")
            && !rest.contains("@")
    }
}
