/// A host's name in the one spelling in which rules, requests and `l402 explain` compare it.
///
/// Lower case, no port, no dot at its end; an IPv6 address in brackets as RFC 5952 writes it
/// (its IPv4 tails in hexadecimal), so that `[0:0::1]` and `[::1]` are one host.
package enum HostName {
    /// The host of `host` or `host:port`, as in a `Host` header, a URL or a rule; `nil` when it is
    /// no host name, IPv4 address or IPv6 address in brackets.
    package static func of(_ authority: some StringProtocol) -> String? {
        var host = Array(authority.utf8)[...]
        if host.first == UInt8(ascii: "[") {
            guard let close = host.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let after = host[(close + 1)...]
            guard after.isEmpty || after.first == UInt8(ascii: ":") else { return nil }
            let inside = Array(host[..<close].dropFirst())
            return ClientAddress.ipv6(inside).map { "[\(ipv6Text($0))]" }
        }
        if let colon = host.firstIndex(of: UInt8(ascii: ":")) { host = host[..<colon] }
        if host.last == UInt8(ascii: ".") { host = host.dropLast() }
        guard !host.isEmpty, host.allSatisfy(isHostByte) else { return nil }
        return String(decoding: host, as: UTF8.self).lowercased()
    }

    /// The host that a URL names, without what may stand before an `@`; `nil` for a path alone.
    package static func of(url: String) -> String? {
        guard let slashes = url.range(ofFirst: "://") else { return nil }
        let authority = url[slashes...].prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] }
        return of(host ?? authority)
    }

    /// The port, when there is one from 1 to 65535.
    package static func port(_ text: some StringProtocol) -> UInt16? {
        guard let part = portText(text), part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = UInt16(part), port > 0
        else { return nil }
        return port
    }

    /// Whether it is a host, or a host and a port, and nothing else.
    package static func isAuthority(_ text: some StringProtocol) -> Bool {
        of(text) != nil && (portText(text) == nil || port(text) != nil)
    }

    /// What follows the `:` before the port.
    private static func portText(_ text: some StringProtocol) -> String? {
        let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
        guard let colon = text[afterBracket...].firstIndex(of: ":") else { return nil }
        return String(text[text.index(after: colon)...])
    }

    /// RFC 5952 section 4: groups without leading zeros, the first of the longest runs of zeros as
    /// `::`, if it is of two groups or more.
    private static func ipv6Text(_ bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: bytes.count - 1, by: 2).map {
            UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
        }
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            let run = groups[start...].prefix { $0 == 0 }
            if run.count > longest.count { longest = run.indices }
            start = run.endIndex + 1
        }
        let text: (ArraySlice<UInt16>) -> String = {
            $0.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.count < 2 { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
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

extension String {
    /// Where what follows the first `text` begins.
    fileprivate func range(ofFirst text: String) -> Index? {
        indices.first { self[$0...].hasPrefix(text) }
            .flatMap { index($0, offsetBy: text.count, limitedBy: endIndex) }
    }
}
