/// `host` or `host:port`, as in a `Host` header, a URL or a rule.
public enum Authority {
    /// The host in lower case, without port and without a dot at its end; `nil` when it is no
    /// host name, IPv4 address or IPv6 address in brackets.
    public static func host(_ text: some StringProtocol) -> String? {
        var host = Array(text.utf8)[...]
        if host.first == UInt8(ascii: "[") {
            guard let close = host.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let after = host[(close + 1)...]
            guard after.isEmpty || after.first == UInt8(ascii: ":") else { return nil }
            host = host[...close]
            let inside = host.dropFirst().dropLast()
            guard ClientAddress.ipv6(Array(inside)) != nil else { return nil }
        } else {
            if let colon = host.firstIndex(of: UInt8(ascii: ":")) { host = host[..<colon] }
            if host.last == UInt8(ascii: ".") { host = host.dropLast() }
            guard !host.isEmpty, host.allSatisfy(isHostByte) else { return nil }
        }
        return String(decoding: host, as: UTF8.self).lowercased()
    }

    /// The port, when there is one from 1 to 65535.
    public static func port(_ text: some StringProtocol) -> UInt16? {
        guard let part = portText(text), part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = UInt16(part), port > 0
        else { return nil }
        return port
    }

    /// Whether it is a host, or a host and a port, and nothing else.
    public static func isValid(_ text: some StringProtocol) -> Bool {
        host(text) != nil && (portText(text) == nil || port(text) != nil)
    }

    /// What follows the `:` before the port.
    private static func portText(_ text: some StringProtocol) -> String? {
        let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
        guard let colon = text[afterBracket...].firstIndex(of: ":") else { return nil }
        return String(text[text.index(after: colon)...])
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
