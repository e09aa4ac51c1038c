import HTTP
import L402

/// Takes proofs of payment out of a request's fields: they are the gate's business, and who has one
/// can use it.
enum ProofFilter {
    /// Fields that hold nothing else, in lower case.
    static let fields: Set<String> = ["x-payment-hash", "macaroon", "grpc-metadata-macaroon"]

    /// What is left of an `Authorization`; `nil` for nothing. Several of them in one line are told
    /// apart by their commas, and what follows a proof belongs to it: a list of tokens has commas too.
    static func authorization(_ value: [UInt8]) -> [UInt8]? {
        if isProof(value) { return nil }
        let parts = split(value[...], at: comma)
        guard let first = parts.firstIndex(where: { isProof(Array($0)) }) else { return value }
        return first == 0 ? nil : Array(parts[..<first].joined(separator: [comma]))
    }

    /// What is left of a `Cookie`; `nil` for nothing. Every other byte of it stays, but for blanks at
    /// its beginning.
    static func cookie(_ value: [UInt8]) -> [UInt8]? {
        let left = split(value[...], at: semicolon).compactMap { part -> [UInt8]? in
            // Servers that join two lines may do it by a comma.
            let others = split(part, at: comma).filter { !isOwnCookie($0) }
            return others.isEmpty ? nil : Array(others.joined(separator: [comma]))
        }
        let text = Array(left.joined(separator: [semicolon])).drop { $0 == 0x20 }
        return text.isEmpty && !value.isEmpty ? nil : Array(text)
    }

    private static let comma = UInt8(ascii: ",")
    private static let semicolon = UInt8(ascii: ";")

    private static func split(_ text: ArraySlice<UInt8>, at byte: UInt8) -> [ArraySlice<UInt8>] {
        text.split(separator: byte, omittingEmptySubsequences: false)
    }

    /// A `Referer` without the proof in its query.
    static func referer(_ value: [UInt8]) -> [UInt8] {
        guard let mark = value.firstIndex(of: UInt8(ascii: "?")) else { return value }
        let query = Array(value[(mark + 1)...])
        let left = RequestPath.withoutProof(query)
        if left == query { return value }
        return left.isEmpty ? Array(value[..<mark]) : value[...mark] + left
    }

    /// Whether the gate would read it as a proof; of a longer one than it reads, its beginning tells.
    private static func isProof(_ value: [UInt8]) -> Bool {
        var sources = CredentialSources()
        sources.authorization = Array(value.prefix(PresentedCredentials.maximumHeaderBytes))
        return !PresentedCredentials(sources).hasForeignAuthorization
    }

    private static func isOwnCookie(_ pair: ArraySlice<UInt8>) -> Bool {
        let name = pair.drop { $0 == 0x20 || $0 == 0x09 }
        return name.starts(with: "l402=".utf8) || name.starts(with: "l402-".utf8)
    }
}
