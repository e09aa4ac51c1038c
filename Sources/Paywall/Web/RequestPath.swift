/// The path of a request as nginx reads it, and every other way a server behind it may read it.
///
/// Made from `REQUEST_URI`, the one path variable that is raw in every mode of every server, the
/// way nginx makes its own `$uri` with `merge_slashes on`: percent-decoding once, `//` as `/`,
/// `.` and `..` resolved, the fragment dropped. A rule therefore speaks of the very path that
/// nginx serves, whether it was sent as `/admin/x`, `/admin//x`, `/%61dmin/x` or `/a/../admin/x`.
///
/// A backend that is handed the raw URI may read it otherwise: `/admin/..%2ffree` is `/free` to
/// nginx and lies under `/admin/` where `%2f` is no slash. Such readings are in ``readings``, and
/// the gate refuses what they would let slip.
public struct RequestPath: Sendable, Equatable {
    /// The path decoded, without dot segments, slashes merged.
    ///
    /// It begins with `/` and may hold any byte but NUL.
    public let bytes: [UInt8]
    /// What follows the `?`, raw and without it; `nil` when there is no `?`.
    public let query: [UInt8]?
    /// Other paths that a backend may see in the same URI; empty for nearly all requests.
    ///
    /// Decoded, slashes merged, none equal to ``bytes``. An encoded slash that is no separator is
    /// `%2F` in them, which no rule can name.
    public let readings: [[UInt8]]
    /// Whether a separator was sent encoded or as `\`: no honest client does, and servers differ.
    let hasOddSeparator: Bool

    /// Whether there is more than one way to read the path.
    public var isAmbiguous: Bool { !readings.isEmpty }

    /// Reads a request target in origin form (`/path?query`) or absolute form (`http://host/…`).
    ///
    /// - Throws: ``RequestPathError``; nginx answers 400 to the same.
    public init(requestURI: [UInt8]) throws(RequestPathError) {
        // nginx refuses these with 400 too.
        guard !requestURI.contains(0) else { throw .nul }
        guard requestURI.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .controlByte }
        var rest = try Self.withoutAuthority(requestURI[...])
        let fragment = rest.firstIndex(of: UInt8(ascii: "#")) ?? rest.endIndex
        rest = rest[..<fragment]
        let pathEnd = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        query = pathEnd < rest.endIndex ? Array(rest[(pathEnd + 1)...]) : nil
        let raw = rest[..<pathEnd]
        if Self.isPlain(raw) {
            bytes = Array(raw)
            readings = []
            hasOddSeparator = false
            return
        }
        let symbols = try PathSymbol.decode(raw)
        guard let normal = PathReading.nginx.resolve(symbols) else { throw .aboveRoot }
        var others: [[UInt8]] = []
        for reading in PathReading.others {
            guard let other = reading.resolve(symbols) else { continue }
            if other != normal && !others.contains(other) { others.append(other) }
        }
        bytes = normal
        readings = others
        hasOddSeparator = symbols.contains { symbol in
            symbol.byte == UInt8(ascii: "\\")
                || symbol.isEncoded && symbol.byte == UInt8(ascii: "/")
        }
    }

    /// ``bytes`` for a response header such as `X-Accel-Redirect`, whose URI nginx unescapes:
    /// everything but unreserved characters (RFC 3986 section 2.3) and `/` percent-encoded.
    public var encodedForHeader: [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 0x0f)])
            }
        }
        return encoded
    }

    /// What follows `scheme://authority`; `/` where nothing does.
    private static func withoutAuthority(
        _ target: ArraySlice<UInt8>
    ) throws(RequestPathError) -> ArraySlice<UInt8> {
        guard let first = target.first else { throw .notAbsolute }
        if first == UInt8(ascii: "/") { return target }
        guard let colon = target.firstIndex(of: UInt8(ascii: ":")), isLetter(first),
            target[..<colon].allSatisfy({ isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) })
        else { throw .notAbsolute }
        var rest = target[(colon + 1)...]
        guard rest.starts(with: "//".utf8) else { throw .notAbsolute }
        rest = rest.dropFirst(2)
        let isBracketed = rest.first == UInt8(ascii: "[")
        let host = rest.prefix {
            isLetter($0) || isDigit($0) || (isBracketed ? "-._~:[]" : "-.").utf8.contains($0)
        }
        guard !host.isEmpty else { throw .notAbsolute }
        rest = rest.dropFirst(host.count)
        if rest.first == UInt8(ascii: ":") { rest = rest.dropFirst().drop(while: isDigit) }
        switch rest.first {
        case UInt8(ascii: "/"): return rest
        case UInt8(ascii: "?"), nil: return [UInt8(ascii: "/")] + rest
        default: throw .notAbsolute
        }
    }

    /// Whether there is nothing in a path that needs resolving or could be read in two ways.
    private static func isPlain(_ path: ArraySlice<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for byte in path {
            switch byte {
            case UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: ";"): return false
            case UInt8(ascii: "/"), UInt8(ascii: "."):
                if previous == UInt8(ascii: "/") { return false }
            default: break
            }
            previous = byte
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}
