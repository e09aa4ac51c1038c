import Crypto
import HTTP
import L402
import Text

/// The address of a request under a rule that sells each by itself, and what was bought for it.
struct SoldAddress {
    /// See ``L402/BoughtAddress``.
    let text: String
    /// The decoded path, without a slash at its end.
    private let path: [UInt8]
    /// ``path``, percent-encoded: its slashes are those of ``path``.
    private let encoded: [UInt8]
    /// Empty, or `?` and the names that count with their values, sorted by name.
    private let query: [UInt8]

    /// `nil` for a query in which servers would find different values of a name that counts: one
    /// that stands there twice, in another spelling, behind a `;`, or with an escape that is none.
    init?(_ request: RequestPath, per: SinglePer) {
        guard let query = Self.query(request.query ?? [], per.names) else { return nil }
        self.query = query
        path = Self.withoutSlash(request.bytes)
        encoded = Self.withoutSlash(request.encodedForHeader)
        text = String(decoding: encoded + query, as: UTF8.self)
    }

    /// Where something lies that was bought.
    enum Place: Equatable {
        /// It is this very address.
        case itself
        /// It is above: at this decoded path, without a slash at its end.
        case above([UInt8])
    }

    /// Where this lies to an address that was bought; `nil` when it is elsewhere.
    func place(of address: BoughtAddress) -> Place? {
        switch address {
        case .text(let text): place(of: Array(text.utf8))
        case .digest(let digits): Hex.decode(Array(digits.utf8)).flatMap { place(ofDigest: $0) }
        }
    }

    private func place(of text: [UInt8]) -> Place? {
        if text == encoded + query { return .itself }
        guard text.count > query.count, text.suffix(query.count).elementsEqual(query) else {
            return nil
        }
        let above = text.dropLast(query.count)
        guard encoded.count > above.count, encoded.starts(with: above),
            encoded[above.count] == UInt8(ascii: "/")
        else { return nil }
        return place(above: above.count { $0 == UInt8(ascii: "/") })
    }

    private func place(ofDigest digest: [UInt8]) -> Place? {
        var hash = SHA256()
        var slashes = 0
        for segment in encoded.dropFirst().split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        ) {
            hash.update(data: [UInt8(ascii: "/")])
            hash.update(data: Array(segment))
            slashes += 1
            var whole = hash
            whole.update(data: query)
            guard whole.finalize().elementsEqual(digest) else { continue }
            return segment.endIndex == encoded.endIndex ? .itself : place(above: slashes)
        }
        return nil
    }

    /// The path of so many segments.
    private func place(above segments: Int) -> Place? {
        let slashes = path.indices.filter { path[$0] == UInt8(ascii: "/") }
        guard segments > 0, segments < slashes.count else { return nil }
        return .above(Array(path[..<slashes[segments]]))
    }

    private static func withoutSlash(_ path: [UInt8]) -> [UInt8] {
        path.count > 1 && path.last == UInt8(ascii: "/") ? path.dropLast() : path
    }

    // MARK: - The query

    private static func query(_ raw: [UInt8], _ names: [String]) -> [UInt8]? {
        if names.isEmpty { return [] }
        let wanted = Set(names.map { QueryName(plain: $0) })
        var found: [String: [UInt8]] = [:]
        for pair in raw.split(separator: UInt8(ascii: "&")) {
            let pieces = pair.split(separator: UInt8(ascii: ";"))
            guard pieces.contains(where: { wanted.contains(QueryName(raw: name(of: $0))) }) else {
                continue
            }
            // To some servers a semicolon parts as an ampersand does.
            guard !pair.contains(UInt8(ascii: ";")), let value = canonical(pair),
                let name = names.first(where: { name(of: pair).elementsEqual($0.utf8) }),
                found.updateValue(value, forKey: name) == nil
            else { return nil }
        }
        let pairs = names.compactMap { found[$0] }
        return pairs.isEmpty
            ? [] : [UInt8(ascii: "?")] + pairs.joined(separator: [UInt8(ascii: "&")])
    }

    private static func name(of pair: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        pair.prefix { $0 != UInt8(ascii: "=") }
    }

    /// One spelling for what RFC 3986 (section 6.2.2) calls equal, and for nothing else: what is
    /// encoded without need is decoded, and the digits of escapes are in upper case.
    private static func canonical(_ pair: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = pair
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes += byte < 0x80 ? [byte] : RequestPath.percentEncoded(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value(of:)),
                let low = rest.popFirst().flatMap(Hex.value(of:))
            else { return nil }
            let decoded = high << 4 | low
            bytes +=
                RequestPath.isUnreserved(decoded) ? [decoded] : RequestPath.percentEncoded(decoded)
        }
        return bytes
    }
}

extension Rule {
    /// The address that a payment for a request opens, in plain text; `nil` where the rule sells all
    /// of its service, and where the query has more than one meaning.
    package func soldAddress(_ request: RequestPath) -> String? {
        per.flatMap { SoldAddress(request, per: $0) }?.text
    }
}
