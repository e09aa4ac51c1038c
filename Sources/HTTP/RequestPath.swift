import Text

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
package struct RequestPath: Sendable, Equatable {
    /// The path decoded, without dot segments, slashes merged.
    ///
    /// It begins with `/` and may hold any byte but NUL.
    package let bytes: [UInt8]
    /// What follows the `?`, raw and without it; `nil` when there is no `?`.
    package let query: [UInt8]?
    /// Other paths that a backend may see in the same URI; empty for nearly all requests.
    ///
    /// Decoded, slashes merged, none equal to ``bytes``. An encoded slash that is no separator is
    /// `%2F` in them, which no rule can name.
    package let readings: [[UInt8]]
    /// Whether a separator was sent encoded or as `\`, or dots beside a `;`: no honest client does,
    /// and servers differ.
    package let hasOddSeparator: Bool
    /// Whether a segment is `.` or `..` to anybody: encoded too, behind any separator, before a `;`.
    let hasDotSegment: Bool
    /// As it came: what is between the authority and the query.
    package let raw: [UInt8]

    /// Whether there is more than one way to read the path.
    package var isAmbiguous: Bool { !readings.isEmpty }

    /// Reads a request target in origin form (`/path?query`) or absolute form (`http://host/…`).
    ///
    /// - Throws: ``RequestPathError``; nginx answers 400 to the same.
    package init(requestURI: [UInt8]) throws(RequestPathError) {
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
            self.raw = bytes
            readings = []
            hasOddSeparator = false
            hasDotSegment = false
            return
        }
        let symbols = try PathSymbol.decode(raw)
        guard let normal = PathReading.nginx.resolve(symbols) else { throw .aboveRoot }
        var others: [[UInt8]] = []
        let read = PathReading.others.compactMap { $0.resolve(symbols) }
        for other in read + PathReading.behindAuthority(symbols) {
            if other != normal && !others.contains(other) { others.append(other) }
        }
        self.raw = Array(raw)
        hasDotSegment = PathSymbol.hasDotSegment(symbols)
        bytes = normal
        readings = others
        let hasDots = hasDotSegment
        hasOddSeparator = symbols.contains { symbol in
            symbol.byte == UInt8(ascii: "\\")
                || symbol.isEncoded && symbol.byte == UInt8(ascii: "/")
                || hasDots && symbol.byte == UInt8(ascii: ";")
        }
    }

    /// ``bytes`` for a response header such as `X-Accel-Redirect`, whose URI nginx unescapes:
    /// everything but unreserved characters (RFC 3986 section 2.3) and `/` percent-encoded.
    package var encodedForHeader: [UInt8] { Self.encoded(bytes) }

    /// A decoded path with everything but unreserved characters and `/` percent-encoded.
    package static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte == UInt8(ascii: "/") || isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded += percentEncoded(byte)
            }
        }
        return encoded
    }

    /// Path and query for a backend that the gate asks: as they came, so that a signed link is
    /// still the one that was signed.
    ///
    /// Safe because the decision refuses a path of which some ``readings`` mean another rule. Dot
    /// segments are never sent: where a path has any, the backend gets ``bytes``, encoded. Slashes at
    /// the very beginning become one, for two could begin an authority; bytes that no URI has (RFC
    /// 3986) are percent-encoded. What names a payment (``withoutProof(_:)``) is left out of the query.
    package var forBackend: [UInt8] {
        let path = hasDotSegment ? encodedForHeader : Self.encodingForeign(rawFromOneSlash)
        guard let query else { return path }
        let left = Self.withoutProof(query)
        // "?" alone stays where it was sent so.
        return left.isEmpty && !query.isEmpty ? path : path + [UInt8(ascii: "?")] + left
    }

    /// A query without `payment_hash` and `l402`, which are the gate's own words in it and no part
    /// of the goods' address; every other byte as it was.
    package static func withoutProof(_ query: [UInt8]) -> [UInt8] {
        let pairs = query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        let left = pairs.filter { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            return !name.elementsEqual("payment_hash".utf8) && !name.elementsEqual("l402".utf8)
        }
        return left.count == pairs.count
            ? query : Array(left.joined(separator: [UInt8(ascii: "&")]))
    }

    private var rawFromOneSlash: [UInt8] {
        [UInt8(ascii: "/")] + raw.drop { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
    }

    private static func encodingForeign(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
        return bytes.flatMap { $0 < 0x80 ? [$0] : percentEncoded($0) }
    }

    /// RFC 3986 section 2.3.
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "-._~".utf8.contains(byte)
    }

    /// `%` and two hex digits in upper case.
    package static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 0x0f)]
    }

    /// Of a number below 16, in upper case.
    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + (value - 10)
    }

    /// What follows `scheme://authority`; `/` where nothing does.
    private static func withoutAuthority(
        _ target: ArraySlice<UInt8>
    ) throws(RequestPathError) -> ArraySlice<UInt8> {
        guard let first = target.first else { throw .notAbsolute }
        if first == UInt8(ascii: "/") { return target }
        guard let colon = target.firstIndex(of: UInt8(ascii: ":")), first.isLetter,
            target[..<colon].allSatisfy({ $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) })
        else { throw .notAbsolute }
        var rest = target[(colon + 1)...]
        guard rest.starts(with: "//".utf8) else { throw .notAbsolute }
        rest = rest.dropFirst(2)
        let isBracketed = rest.first == UInt8(ascii: "[")
        let host = rest.prefix {
            $0.isLetter || $0.isDigit || (isBracketed ? "-._~:[]" : "-.").utf8.contains($0)
        }
        guard !host.isEmpty else { throw .notAbsolute }
        rest = rest.dropFirst(host.count)
        if rest.first == UInt8(ascii: ":") { rest = rest.dropFirst().drop(while: \.isDigit) }
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
}
