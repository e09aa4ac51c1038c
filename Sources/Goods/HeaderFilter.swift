import FastCGI
import HTTP
import Text

/// Which header fields go from the client to a backend and from a backend to the client.
enum HeaderFilter {
    /// Fields of one connection only (RFC 9110 section 7.6.1), in lower case.
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
    ]

    /// What the gate itself says to the backend; a client's own would be a forgery.
    private static let told: Set<String> = [
        "host", "content-length", "content-type", "expect", "forwarded", "x-forwarded",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-protocol",
        "x-forwarded-scheme", "x-forwarded-ssl", "x-forwarded-port", "x-forwarded-server",
        "x-url-scheme", "x-scheme", "front-end-https", "x-real-ip", "proxy",
    ]

    /// What would give a web server orders.
    private static let orders: Set<String> = [
        "x-accel-redirect", "x-accel-charset", "x-accel-expires", "x-accel-limit-rate",
        "x-accel-buffering", "x-sendfile", "x-sendfile2", "x-lighttpd-send-file",
        "x-lighttpd-send-tempfile", "status",
    ]

    /// Header lines for a backend, from the CGI variables of a request.
    ///
    /// - Parameters:
    ///   - origin: Where the client reached the site.
    ///   - isToldHost: Whether the backend gets the public host as `Host`.
    ///   - sale: What the gate says of the sale.
    static func toBackend(
        _ exchange: any Exchange,
        origin: PublicOrigin?,
        isToldHost: Bool = false,
        sale: Fields
    ) -> [[UInt8]] {
        var fields: [(name: String, value: [UInt8])] = []
        exchange.forEachParameter(withPrefixes: ["HTTP_"]) { variable, value in
            let name = fieldName(variable.dropFirst(5))
            let lower = name.lowercased()
            guard !hopByHop.contains(lower), !told.contains(lower), !lower.hasPrefix("l402-"),
                !DangerousFields.names.contains(lower), !ProofFilter.fields.contains(lower)
            else { return }
            switch lower {
            case "authorization":
                if let left = ProofFilter.authorization(value) { fields.append((name, left)) }
            case "cookie":
                if let left = ProofFilter.cookie(value) { fields.append((name, left)) }
            case "referer": fields.append((name, ProofFilter.referer(value)))
            default: fields.append((name, value))
            }
        }
        let named = connectionNames(exchange.parameter("HTTP_CONNECTION"))
        fields.removeAll { named.contains($0.name.lowercased()) }
        func tell(_ name: String, _ value: [UInt8]?) {
            if let value, !value.isEmpty { fields.append((name, value)) }
        }
        tell("Content-Type", exchange.parameter("CONTENT_TYPE"))
        tell("X-Forwarded-For", exchange.parameter("REMOTE_ADDR"))
        let scheme = PublicOrigin.isTLS(exchange.parameter) ? "https" : "http"
        if let origin {
            if isToldHost { tell("Host", Array(origin.authority.utf8)) }
            tell("X-Forwarded-Host", Array(origin.authority.utf8))
            tell("X-Forwarded-Port", Array(String(origin.port).utf8))
        }
        tell("X-Forwarded-Proto", Array(scheme.utf8))
        for field in sale where field.name.hasPrefix("L402-") {
            tell(field.name, Array(field.value.utf8))
        }
        return fields.compactMap { line($0.name, $0.value) }
    }

    /// The fields of a backend's answer that reach the client.
    static func toClient(
        _ fields: Fields,
        status: Int,
        links: PublicLinks
    ) -> Fields {
        let named = Set(
            fields.filter { $0.name.lowercased() == "connection" }
                .flatMap { connectionNames(Array($0.value.utf8)) }
        )
        return fields.compactMap { field in
            let lower = field.name.lowercased()
            guard !hopByHop.contains(lower), !orders.contains(lower), !named.contains(lower),
                !lower.hasPrefix("l402-"), !lower.hasPrefix("variable-"),
                // With 200 it is an order to serve another path (RFC 3875 section 6.2.2).
                lower != "location" || status != 200
            else { return nil }
            return (field.name, links.value(of: field.name, field.value))
        }
    }

    /// `X_FORWARDED_FOR` as `X-Forwarded-For`.
    private static func fieldName(_ variable: ArraySlice<UInt8>) -> String {
        var name = ""
        var isStart = true
        for byte in variable {
            let character = Character(UnicodeScalar(byte))
            if byte == UInt8(ascii: "_") {
                name += "-"
                isStart = true
            } else {
                name += isStart ? String(character) : character.lowercased()
                isStart = false
            }
        }
        return name
    }

    private static func connectionNames(_ value: [UInt8]?) -> Set<String> {
        let text = String(foreign: value ?? []).lowercased()
        return Set(text.split { $0 == "," || $0 == " " }.map(String.init))
    }

    /// A line for libcurl; `nil` when it could begin another one. An empty value needs a semicolon
    /// there.
    private static func line(_ name: String, _ value: [UInt8]) -> [UInt8]? {
        guard !name.isEmpty, !value.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
            return nil
        }
        return Array(name.utf8) + (value.isEmpty ? Array(";".utf8) : Array(": ".utf8) + value)
    }
}
