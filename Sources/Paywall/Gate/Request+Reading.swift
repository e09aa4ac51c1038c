import Crypto
import HTTP
import Lightning
import Text

/// What a request says beyond method and path.
extension Request {
    /// Whether the client came by `https`, by the web server's word.
    var isTLS: Bool { PublicOrigin.isTLS { header($0) } }

    /// Whether the method asks for something and changes nothing (RFC 9110 section 9.2.1): only then
    /// is a cookie a proof, since a page of another site can have a browser send a form with it.
    var isSafe: Bool { method == "GET" || method == "HEAD" }

    /// Whether the body says that it is JSON. One without a type is taken for it; one of the three
    /// types that a form of another site can send is not.
    var isJSON: Bool {
        guard let type = reported("CONTENT_TYPE") else { return true }
        let essence = type.prefix { $0 != ";" }.lowercased().trimmingBlanks
        return essence == "application/json" || essence.hasSuffix("+json")
            || essence == "text/json"
    }

    /// 8 bytes that stand for host, path and query, the gate's own words left out.
    var addressKey: [UInt8] {
        let query = (path.query ?? []).split(separator: UInt8(ascii: "&"))
            .filter { !Self.isOwnWord($0) }
        let parts = [Array((host ?? "").utf8), path.bytes] + query.map { Array($0) }
        let digest = SHA256.hash(data: Array(parts.joined(separator: [0x0a])))
        return Array(digest.prefix(8))
    }

    /// Whether a part of something is asked for, or whether it has changed: one well-formed range,
    /// or a condition (RFC 9110 sections 13 and 14.2).
    var asksForPart: Bool {
        if let range = reported("HTTP_RANGE"), Self.isSingleRange(range) { return true }
        if let tags = reported("HTTP_IF_NONE_MATCH") ?? reported("HTTP_IF_MATCH"),
            tags == "*" || tags.hasSuffix("\"")
        {
            return true
        }
        let date = reported("HTTP_IF_MODIFIED_SINCE") ?? reported("HTTP_IF_UNMODIFIED_SINCE")
        return date?.hasSuffix(" GMT") == true
    }

    private static func isSingleRange(_ text: String) -> Bool {
        guard text.lowercased().hasPrefix("bytes=") else { return false }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.contains(where: { !$0.isEmpty }) else { return false }
        return ends.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// A header field that names another path, method or host, or what the gate alone says; `nil`
    /// when there is none.
    var dangerousField: String? {
        (Self.said + DangerousFields.names.sorted()).first { name in
            header("HTTP_" + name.uppercased().replacing("-", with: "_")) != nil
        }
    }

    /// What the gate tells a backend.
    private static let said = [
        "l402-access", "l402-service", "l402-tier", "l402-payment-hash", "l402-uses-left",
        "l402-free-left",
    ]

    // MARK: - The gate's words in the query

    /// The address as it came, without the gate's own words, and with others in their place.
    func cleanAddress(adding words: [String] = []) -> String {
        var address = ""
        for byte in path.forBackend {
            if byte < 0x80 {
                address.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                address += "%" + Hex.encode([byte]).uppercased()
            }
        }
        if words.isEmpty { return address }
        let hasQuery = address.contains("?")
        let joint = !hasQuery ? "?" : address.hasSuffix("?") ? "" : "&"
        return address + joint + words.joined(separator: "&")
    }

    private static func isOwnWord(_ pair: ArraySlice<UInt8>) -> Bool {
        let name = pair.prefix { $0 != UInt8(ascii: "=") }
        return name.elementsEqual("l402".utf8) || name.elementsEqual("payment_hash".utf8)
    }
}
