import FastCGI
import Paywall

/// Which header fields go from the client to a backend and from a backend to the client.
enum HeaderFilter {
    /// Fields of one connection only (RFC 9110 section 7.6.1), in lower case.
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// What the gate itself says to the backend; a client's own would be a forgery.
    private static let told: Set<String> = [
        "host", "content-length", "content-type", "expect", "forwarded", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server",
        "x-real-ip", "x-payment-hash", "proxy",
    ]

    /// What would give a web server orders, or is said by the gate.
    private static let orders: Set<String> = [
        "x-accel-redirect", "x-accel-charset", "x-accel-expires", "x-accel-limit-rate",
        "x-sendfile", "x-sendfile2", "x-lighttpd-send-file", "x-lighttpd-send-tempfile", "status",
        "access-control-allow-origin", "access-control-expose-headers",
    ]

    /// Header lines for a backend, from the CGI variables of a request.
    ///
    /// - Parameter sale: What the gate says of the sale.
    static func toBackend(
        _ exchange: any Exchange,
        sale: [(name: String, value: String)]
    ) -> [[UInt8]] {
        var fields: [(name: String, value: [UInt8])] = []
        exchange.forEachParameter(withPrefixes: ["HTTP_"]) { variable, value in
            let name = fieldName(variable.dropFirst(5))
            let lower = name.lowercased()
            guard !hopByHop.contains(lower), !told.contains(lower), !lower.hasPrefix("l402-"),
                lower != "authorization" || !isProof(value)
            else { return }
            fields.append((name, value))
        }
        let named = connectionNames(exchange.parameter("HTTP_CONNECTION"))
        fields.removeAll { named.contains($0.name.lowercased()) }
        func tell(_ name: String, from variables: String...) {
            for variable in variables {
                guard let value = exchange.parameter(variable), !value.isEmpty else { continue }
                fields.append((name, value))
                return
            }
        }
        tell("Content-Type", from: "CONTENT_TYPE")
        tell("X-Forwarded-For", from: "REMOTE_ADDR")
        tell("X-Forwarded-Host", from: "HTTP_HOST", "SERVER_NAME")
        let isTLS = (exchange.parameter("HTTPS").map { String(foreign: $0) })
            .map { $0.lowercased() == "on" || $0 == "1" }
        fields.append(("X-Forwarded-Proto", Array((isTLS == true ? "https" : "http").utf8)))
        fields += sale.filter { $0.name.hasPrefix("L402-") }.map { ($0.name, Array($0.value.utf8)) }
        return fields.compactMap { line($0.name, $0.value) }
    }

    /// The fields of a backend's answer that reach the client.
    static func toClient(_ fields: [(name: String, value: String)]) -> [(
        name: String, value: String
    )] {
        let named = Set(
            fields.filter { $0.name.lowercased() == "connection" }
                .flatMap { connectionNames(Array($0.value.utf8)) }
        )
        return fields.filter { field in
            let lower = field.name.lowercased()
            return !hopByHop.contains(lower) && !orders.contains(lower) && !named.contains(lower)
                && !lower.hasPrefix("l402-") && !lower.hasPrefix("variable-")
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

    /// The proof of payment is the gate's business; any other `Authorization` is the backend's.
    private static func isProof(_ value: [UInt8]) -> Bool {
        let words = value.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x2c })
        let scheme = String(foreign: words.first ?? []).lowercased()
        return scheme == "l402" || scheme == "lsat"
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
