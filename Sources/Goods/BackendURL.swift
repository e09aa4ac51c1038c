import HTTP

/// Where a backend is: `http://host:port`, `https://host:port` or `http+unix:/path/of/socket`.
struct BackendURL: Equatable {
    /// What the target of a request is appended to.
    let base: String
    /// The unix socket to connect to; `nil` for TCP.
    let socket: String?
    /// The host in lower case, and the port in force.
    let host: String
    let port: UInt16

    /// From `serve=`, which the rules file has checked.
    init(_ text: String) {
        let unix = "http+unix:"
        if text.hasPrefix(unix) {
            base = "http://localhost"
            socket = String(text.dropFirst(unix.count))
            host = "localhost"
            port = 80
        } else {
            var rest = text[...]
            while rest.hasSuffix("/") { rest = rest.dropLast() }
            base = String(rest)
            socket = nil
            let isTLS = base.hasPrefix("https:")
            let authority = base.dropFirst(isTLS ? 8 : 7)
            host = HostName.of(authority) ?? ""
            port = HostName.port(authority) ?? (isTLS ? 443 : 80)
        }
    }

    /// Whether the backend has no name of its own that anybody outside could ask for: a socket, an
    /// address, `localhost`, a name without a dot. It is told the public host, so that what it links
    /// to is public; one with a domain name is found by it where many share an address.
    var isNameless: Bool {
        socket != nil || host.hasPrefix("[") || !host.contains(".") || isIPv4
    }

    /// Whether it is on this machine.
    var isLoopback: Bool { socket != nil || Self.isLoopback(host) }

    private var isIPv4: Bool { host.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) } }

    /// Whether a host, in lower case, is this machine; all addresses of it included.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" || host == "[::]"
            || host == "0.0.0.0"
            || ClientAddress(Array(host.utf8))?.client.first == 127
                && host.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) }
    }
}
