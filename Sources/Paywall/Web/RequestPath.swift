import Lightning

/// A request's path as the web server itself serves it, and its query.
///
/// Normalised as nginx does (`ngx_http_parse_complex_uri` with `merge_slashes on`): decoded once,
/// then slashes collapsed and dot segments resolved, in that order, so that `%2F` and `%2e` count
/// as what they stand for. A `#` ends the path, as it does in nginx.
public struct RequestPath: Sendable, Equatable {
    /// Decoded, slash-collapsed, without dot segments; begins with `/`. Any bytes but NUL.
    public let bytes: [UInt8]
    /// What follows the first `?`, as sent; `nil` when there is none.
    public let query: [UInt8]?
    /// The path as a backend reads it that keeps `%2F`, `%5C` and `%2E` as plain characters of a
    /// segment; `nil` where it cannot differ.
    ///
    /// A backend behind `proxy_pass` gets the path as it was sent. `/admin/..%2ffree` is `/free`
    /// to nginx, and something below `/admin/` to many a framework.
    public let alternative: [UInt8]?

    /// Reads `REQUEST_URI`: a path with a query, or a whole URL, as Apache passes one on.
    ///
    /// - Throws: ``RequestPathError``; nginx answers 400 to the same.
    public init(requestURI: [UInt8]) throws(RequestPathError) {
        var target = Self.withoutAuthority(requestURI[...])
        guard target.first == UInt8(ascii: "/") else { throw .notAbsolute }
        guard target.allSatisfy({ $0 > 0x20 && $0 != 0x7f || $0 == 0 }) else { throw .controlByte }
        guard !target.contains(0) else { throw .nul }
        if let mark = target.firstIndex(of: UInt8(ascii: "?")),
            !target[..<mark].contains(UInt8(ascii: "#"))
        {
            query = Array(target[(mark + 1)...])
            target = target[..<mark]
        } else {
            query = nil
        }
        if let fragment = target.firstIndex(of: UInt8(ascii: "#")) { target = target[..<fragment] }

        let decoded = try Self.decode(target)
        bytes = try Self.resolve(decoded.map { $0.byte })
        alternative = Self.alternative(decoded, primary: bytes)
    }

    /// The path percent-encoded, for `X-Accel-Redirect`, which nginx decodes, and for logs: only
    /// letters, digits, `-._~/` stand as they are.
    public var encodedForHeader: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.append(byte)
            case _:
                text.append(UInt8(ascii: "%"))
                text += Hex.encodeASCII([byte])
            }
        }
        return text
    }

    /// One byte of the path, and whether it was sent as `%XX`.
    private struct Character {
        let byte: UInt8
        let isEscaped: Bool
    }

    /// From `http://host/path` the path; anything else as it is.
    private static func withoutAuthority(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard target.first != UInt8(ascii: "/"),
            let colon = target.prefix(16).firstIndex(of: UInt8(ascii: ":")),
            target[colon...].starts(with: "://".utf8)
        else { return target }
        let authority = target[(colon + 3)...]
        guard let end = authority.firstIndex(where: { "/?#".utf8.contains($0) }) else {
            return [UInt8(ascii: "/")]
        }
        return authority[end] == UInt8(ascii: "/")
            ? authority[end...] : [UInt8(ascii: "/")] + authority[end...]
    }

    private static func decode(_ text: ArraySlice<UInt8>) throws(RequestPathError) -> [Character] {
        var characters: [Character] = []
        characters.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                characters.append(Character(byte: byte, isEscaped: false))
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value),
                let low = rest.popFirst().flatMap(Hex.value)
            else { throw .badEscape }
            let decoded = high << 4 | low
            guard decoded != 0 else { throw .nul }
            characters.append(Character(byte: decoded, isEscaped: true))
        }
        return characters
    }

    /// Collapses slashes and resolves dot segments; a final `.` or `..` leaves its slash.
    private static func resolve(_ path: [UInt8]) throws(RequestPathError) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        if !needsResolving(path) { return path }
        var segments: [ArraySlice<UInt8>] = []
        let parts = path.split(separator: slash)
        for part in parts {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                guard segments.popLast() != nil else { throw .aboveRoot }
                continue
            }
            segments.append(part)
        }
        let last = parts.last.map(Array.init) ?? []
        let endsInSlash =
            path.last == slash || last.elementsEqual(".".utf8) || last.elementsEqual("..".utf8)
        var resolved: [UInt8] = []
        for segment in segments { resolved += [slash] + segment }
        if endsInSlash || resolved.isEmpty { resolved.append(slash) }
        return resolved
    }

    /// Whether there is a double slash or a segment that begins with a dot.
    private static func needsResolving(_ path: [UInt8]) -> Bool {
        var previous: UInt8 = 0
        for byte in path {
            if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")
            {
                return true
            }
            previous = byte
        }
        return false
    }

    private static func alternative(_ characters: [Character], primary: [UInt8]) -> [UInt8]? {
        let structural = Array("/.\\".utf8)
        let hasEscaped = characters.contains { $0.isEscaped && structural.contains($0.byte) }
        guard hasEscaped || characters.contains(where: { $0.byte == UInt8(ascii: "\\") }) else {
            return nil
        }
        // A byte that occurs in no rule stands for the escaped slash, so that it ends no segment.
        let kept = characters.map { character in
            character.isEscaped && structural.contains(character.byte) ? 1 : character.byte
        }
        let reading = (try? resolve(kept)) ?? []
        return reading == primary ? nil : reading
    }
}
