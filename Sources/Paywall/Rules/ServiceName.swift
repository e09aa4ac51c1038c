import Crypto
import Text

/// Names of services, which stand in caveats and headers.
enum ServiceName {
    private static let hashBytes = 4

    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        case _:
            false
        }
    }

    private static func looksLikeHash(_ part: Substring) -> Bool {
        part.utf8.count == hashBytes * 2
            && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// A name made of methods, host, path and `per=`. Where the readable form could stand for another
    /// rule too, a part of a hash keeps them apart, so that no edit of other lines changes it. A
    /// readable form that looks as if it ended in such a part gets one too.
    static func made(
        methods: Set<String>?,
        host: String?,
        path: String,
        per: SinglePer? = nil
    ) -> String {
        let shown = methods.map { $0.contains("GET") ? $0.subtracting(["HEAD"]) : $0 }
        let verb = shown.map { $0.sorted().joined(separator: "-").lowercased() } ?? "any"
        let parts = path.split(separator: "/")
        let isPlain =
            host == nil && per == nil && !path.hasSuffix("/") && !parts.isEmpty
            && (shown?.count ?? 1) == 1
            && parts.last.map(looksLikeHash) == false
            && parts.allSatisfy { part in
                part.utf8.allSatisfy {
                    (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e
                        || $0 == 0x5f
                }
            }
        let readable = ([verb] + parts.map(String.init)).joined(separator: "-")
        if isPlain, readable.utf8.count <= 64 { return readable }
        let kept = readable.lowercased().map {
            $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
        }
        let words = String(kept).split(separator: "-").joined(separator: "-")
        let whole = "\(verb) \(host ?? "") \(path)" + (per.map { " per=\($0.text)" } ?? "")
        let digest = SHA256.hash(data: Array(whole.utf8))
        // Each caveat of a token begins with the name, and tokens of single paths are kept in cookies.
        let head = words.prefix(per == nil ? 48 : 10)
        return "\(head)-\(Hex.encode(digest.prefix(hashBytes)))"
    }
}
