import Text

/// One byte of a path, percent-decoded, that remembers whether it was encoded.
struct PathSymbol: Equatable {
    var byte: UInt8
    var isEncoded = false

    /// Decodes a raw path once.
    static func decode(_ raw: ArraySlice<UInt8>) throws(RequestPathError) -> [Self] {
        var symbols: [Self] = []
        symbols.reserveCapacity(raw.count)
        var rest = raw
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                symbols.append(Self(byte: byte))
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value(of:)),
                let low = rest.popFirst().flatMap(Hex.value(of:))
            else { throw .badEscape }
            let decoded = high << 4 | low
            guard decoded != 0 else { throw .nul }
            symbols.append(Self(byte: decoded, isEncoded: true))
        }
        return symbols
    }

    /// Whether it separates segments for anybody: `/`, `\`, or one of them encoded.
    var isSeparator: Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }

    /// Whether a segment is `.` or `..` to anybody, parameters behind a `;` left out.
    static func hasDotSegment(_ symbols: [Self]) -> Bool {
        symbols.split(whereSeparator: \.isSeparator).contains { segment in
            let name = segment.prefix { $0.byte != UInt8(ascii: ";") }.map(\.byte)
            return name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8)
        }
    }
}

/// A way of turning a raw path into the path that is served.
struct PathReading {
    /// Whether `%2F` separates segments.
    var decodesSlash: Bool
    /// Whether `\` separates segments.
    var backslashSeparates = false
    /// Whether `%5C` separates segments.
    var encodedBackslashSeparates = false
    /// Whether `//` is one slash before `..` is resolved.
    var mergesFirst: Bool
    /// Whether `.` and `..` are resolved at all.
    var resolvesDots = true
    /// Whether `;…` at the end of a segment is no part of it.
    var dropsParameters = false
    /// Whether `..` above the root makes the path impossible; else it stays at the root.
    var isStrict = false

    /// nginx, `ngx_http_parse_complex_uri` with `merge_slashes on`.
    static let nginx = Self(decodesSlash: true, mergesFirst: true, isStrict: true)

    /// What backends do with the raw URI that `proxy_pass` hands them.
    static let others = [
        // RFC 3986 to the letter: an encoded slash is no separator, empty segments count.
        Self(decodesSlash: false, mergesFirst: false),
        // Routers that match the text as it came (Express and its like): a prefix matches
        // whatever `..` follows.
        Self(decodesSlash: false, mergesFirst: true, resolvesDots: false),
        // WHATWG URL (`new URL()` in every JavaScript server): `\` is `/`.
        Self(decodesSlash: false, backslashSeparates: true, mergesFirst: false),
        // Servers on Windows file systems.
        Self(
            decodesSlash: true,
            backslashSeparates: true,
            encodedBackslashSeparates: true,
            mergesFirst: true
        ),
        // Servlet containers: `/admin;x/y` is `/admin/y`, `/a/..;/b` is `/b`.
        Self(decodesSlash: false, mergesFirst: false, dropsParameters: true),
    ]

    /// What is left of a path that begins with two slashes where `//` begins an authority, as it does
    /// in a reference (RFC 3986 section 4.2, and `new URL(request.url, base)`): `//x/paid` is `/paid`.
    static func behindAuthority(_ symbols: [PathSymbol]) -> [[UInt8]] {
        let isPlain: (PathSymbol) -> Bool = { $0.isSeparator && !$0.isEncoded }
        guard symbols.count > 1, symbols.prefix(2).allSatisfy(isPlain) else { return [] }
        let slash = PathSymbol(byte: UInt8(ascii: "/"))
        // RFC 3986: exactly two, and a backslash is a byte like others.
        let rest = symbols.dropFirst(2).drop { $0 != slash }
        // WHATWG: however many, and a backslash is a slash.
        let url = symbols.drop(while: isPlain).drop { !isPlain($0) }
        let whatwg = Self(decodesSlash: false, backslashSeparates: true, mergesFirst: false)
        return [
            Self(decodesSlash: false, mergesFirst: false).resolve([slash] + rest.dropFirst()),
            whatwg.resolve([slash] + url.dropFirst()),
        ].compactMap(\.self)
    }

    /// The path under this reading, slashes merged.
    ///
    /// `nil` where it is strict and `..` leaves the root. The first symbol is the leading `/`.
    func resolve(_ symbols: [PathSymbol]) -> [UInt8]? {
        var path: [UInt8] = [UInt8(ascii: "/")]
        path.reserveCapacity(symbols.count)
        var segmentStart = 1
        var isInParameter = false
        for symbol in symbols.dropFirst() {
            if isSeparator(symbol) {
                isInParameter = false
                switch endSegment(&path, &segmentStart) {
                case .aboveRoot: return nil
                case .removed: continue
                case .kept: break
                }
                if path.count > segmentStart || !mergesFirst {
                    path.append(UInt8(ascii: "/"))
                    segmentStart = path.count
                }
            } else if isInParameter {
                continue
            } else if dropsParameters && symbol == PathSymbol(byte: UInt8(ascii: ";")) {
                isInParameter = true
            } else if symbol.byte == UInt8(ascii: "/") {
                path.append(contentsOf: "%2F".utf8)
            } else {
                path.append(symbol.byte)
            }
        }
        if case .aboveRoot = endSegment(&path, &segmentStart) { return nil }
        return mergesFirst ? path : Self.merged(path)
    }

    private func isSeparator(_ symbol: PathSymbol) -> Bool {
        switch symbol.byte {
        case UInt8(ascii: "/"): !symbol.isEncoded || decodesSlash
        case UInt8(ascii: "\\"):
            symbol.isEncoded ? encodedBackslashSeparates : backslashSeparates
        default: false
        }
    }

    private enum SegmentEnd {
        case kept, removed, aboveRoot
    }

    /// Takes a dot segment off the end of a path, and what it undoes.
    private func endSegment(_ path: inout [UInt8], _ segmentStart: inout Int) -> SegmentEnd {
        guard resolvesDots else { return .kept }
        let segment = path[segmentStart...]
        if segment.elementsEqual(".".utf8) {
            path.removeLast()
            return .removed
        }
        guard segment.elementsEqual("..".utf8) else { return .kept }
        path.removeLast(2)
        guard segmentStart > 1 else { return isStrict ? .aboveRoot : .removed }
        path.removeLast()
        while path.last != UInt8(ascii: "/"), !path.isEmpty { path.removeLast() }
        segmentStart = path.count
        return .removed
    }

    private static func merged(_ path: [UInt8]) -> [UInt8] {
        var merged: [UInt8] = []
        merged.reserveCapacity(path.count)
        let slash = UInt8(ascii: "/")
        for byte in path where byte != slash || merged.last != slash { merged.append(byte) }
        return merged
    }
}
