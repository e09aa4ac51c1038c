import Text

/// Scheme, host and port by which the client reached the site: what absolute links to it begin with.
package struct PublicOrigin: Equatable, Sendable {
    /// Whether the client came by https.
    package let isTLS: Bool
    /// In lower case; an IPv6 address in its brackets.
    package let host: String
    /// From 1 to 65535.
    package let port: UInt16

    /// From the CGI parameters of a request; `nil` when they name no host.
    ///
    /// `HTTP_HOST` has the port where a server hands on what the client sent. The shipped nginx
    /// snippets give the host that nginx chose the site by, which has none: there `REQUEST_AUTHORITY`
    /// (the client's own `Host`) tells it, or else `SERVER_PORT`.
    package init?(parameter: (String) -> [UInt8]?) {
        func text(_ name: String) -> String? {
            guard let value = parameter(name), !value.isEmpty else { return nil }
            return String(foreign: value)
        }
        isTLS = Self.isTLS(parameter)
        guard let named = text("HTTP_HOST") ?? text("SERVER_NAME"), HostName.isAuthority(named),
            let host = HostName.of(named)
        else { return nil }
        self.host = host
        let standard: UInt16 = isTLS ? 443 : 80
        if let own = HostName.port(named) {
            port = own
        } else if let sent = text("REQUEST_AUTHORITY"), HostName.isAuthority(sent),
            HostName.of(sent) == host
        {
            port = HostName.port(sent) ?? standard
        } else if parameter("SERVER_SOFTWARE") == nil {
            port = text("SERVER_PORT").flatMap { UInt16($0) } ?? standard
        } else {
            port = standard
        }
    }

    /// Whether the client came by https, as the web server says; by the port where it says nothing.
    package static func isTLS(_ parameter: (String) -> [UInt8]?) -> Bool {
        func word(_ name: String) -> String? {
            guard let value = parameter(name), !value.isEmpty else { return nil }
            return String(foreign: value).lowercased()
        }
        let scheme = word("REQUEST_SCHEME")
        let flag = word("HTTPS")
        if scheme == "https" || ["on", "1", "true", "yes", "https"].contains(flag) { return true }
        return scheme == nil && flag == nil && word("SERVER_PORT") == "443"
    }

    /// `http` or `https`.
    package var scheme: String { isTLS ? "https" : "http" }

    /// `host`, with the port where it is not that of the scheme.
    package var authority: String { port == (isTLS ? 443 : 80) ? host : "\(host):\(port)" }

    /// `scheme://authority`.
    package var text: String { "\(scheme)://\(authority)" }
}
