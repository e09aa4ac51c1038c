import HTTP

/// Turns the links in a backend's header fields that name its inner address into public ones, as
/// nginx's `proxy_redirect default` does.
struct PublicLinks {
    let backend: BackendURL
    /// Where the client reached the site; `nil` where that is not known: links lose their authority.
    let origin: PublicOrigin?

    /// The value of a header field as the client may see it.
    func value(of name: String, _ value: String) -> String {
        switch name.lowercased() {
        case "location", "content-location": url(value[...]) ?? value
        case "refresh": refresh(value)
        case "link": link(value)
        default: value
        }
    }

    /// `5; url=http://…`, with or without quotes.
    private func refresh(_ value: String) -> String {
        let bytes = Array(value.utf8)
        let wanted = Array("url=".utf8)
        guard
            let at = bytes.indices.first(where: { start in
                bytes[start...].prefix(4).map { $0 | 0x20 }.elementsEqual(wanted.map { $0 | 0x20 })
            })
        else { return value }
        var start = at + 4
        if start < bytes.count, "\"'".utf8.contains(bytes[start]) { start += 1 }
        let head = String(decoding: bytes[..<start], as: UTF8.self)
        return url(Substring(decoding: bytes[start...], as: UTF8.self)).map { head + $0 } ?? value
    }

    /// RFC 8288: each link stands between `<` and `>`.
    private func link(_ value: String) -> String {
        let parts = value.split(separator: "<", omittingEmptySubsequences: false)
        guard let first = parts.first else { return value }
        return parts.dropFirst().reduce(String(first)) { text, part in
            text + "<" + (url(part) ?? String(part))
        }
    }

    /// A text that begins with an absolute URL of the backend, made public; `nil` for any other.
    private func url(_ text: Substring) -> String? {
        let start = text.prefix(8).lowercased()
        let isTLS: Bool
        var rest = text
        if start.hasPrefix("https://") {
            isTLS = true
            rest = rest.dropFirst(8)
        } else if start.hasPrefix("http://") {
            isTLS = false
            rest = rest.dropFirst(7)
        } else if start.hasPrefix("//") {
            isTLS = backend.base.hasPrefix("https:")
            rest = rest.dropFirst(2)
        } else {
            return nil
        }
        let authority = rest.prefix { !"/?#\\>\"'; ,".contains($0) }
        rest = rest.dropFirst(authority.count)
        guard rest.first != "\\", isInner(authority, isTLS: isTLS) else { return nil }
        if let origin { return origin.text + rest }
        // Without an authority two slashes would begin one.
        return "/" + rest.drop { $0 == "/" }
    }

    private func isInner(_ authority: Substring, isTLS: Bool) -> Bool {
        guard HostName.isAuthority(authority), let host = HostName.of(authority) else {
            return false
        }
        let isSame =
            host == backend.host || backend.isLoopback && BackendURL.isLoopback(host)
        // A backend that believes X-Forwarded-Proto writes https before an inner port.
        let port = HostName.port(authority)
        let isStandard = port == nil && (backend.port == 80 || backend.port == 443)
        return isSame && (isStandard || (port ?? (isTLS ? 443 : 80)) == backend.port)
    }
}
