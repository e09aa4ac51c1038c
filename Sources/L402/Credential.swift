import Lightning

/// What a client presents as proof of payment.
public enum Credential: Sendable {
    /// Tokens, usually one, with the preimage where the client has it.
    case tokens([Token], preimage: Preimage?)
    /// A bare payment hash, as the tutorial's clients send it.
    case hash(PaymentHash)
}

/// Where in a request credentials are looked for. `nil` where there is nothing.
public struct CredentialSources: Sendable {
    /// The `Authorization` header.
    public var authorization: [UInt8]?
    /// The `X-Payment-Hash` header.
    public var paymentHashHeader: [UInt8]?
    /// The `payment_hash` of the query.
    public var paymentHashQuery: [UInt8]?
    /// The `payment_hash` of a JSON body.
    public var paymentHashBody: [UInt8]?
    /// The `Macaroon` or `Grpc-Metadata-Macaroon` header: hex (aperture's other form).
    public var macaroonHeader: [UInt8]?
    /// The `Cookie` header.
    public var cookie: [UInt8]?

    /// Nothing anywhere.
    public init() {}
}

/// All that a request presents, in the order in which it is tried.
public struct PresentedCredentials: Sendable {
    /// What could be read, without repetitions, at most ``maximum``.
    public private(set) var credentials: [Credential] = []
    /// Why something that is meant as a credential could not be read.
    public private(set) var problem: CredentialError?
    /// Whether `Authorization` carries something that is not L402 and is left alone.
    public private(set) var hasForeignAuthorization = false

    /// More than any client sends; each may cost a question to the wallet.
    public static let maximum = 4
    /// Whether `Authorization` holds one token and nothing that could not be read; it is the first
    /// of ``credentials`` then.
    public private(set) var hasOneAuthorizationToken = false

    /// Bytes beyond which a header value is not looked at.
    public static let maximumHeaderBytes = 16 * 1024

    /// Reads every source; never fails as a whole.
    public init(_ sources: CredentialSources) {
        if let value = sources.authorization {
            readAuthorization(value)
            if problem == nil, credentials.count == 1, case .tokens(let tokens, _) = credentials[0]
            {
                hasOneAuthorizationToken = tokens.count == 1
            }
        }
        for value in [
            sources.paymentHashHeader, sources.paymentHashBody, sources.paymentHashQuery,
        ] {
            if let value { readHash(value) }
        }
        if let value = sources.macaroonHeader { readHexToken(value) }
        if let value = sources.cookie { readCookie(value) }
    }

    /// Whether anything was meant as an L402 credential.
    public var isEmpty: Bool { credentials.isEmpty && problem == nil }

    /// `Authorization: (L402|LSAT) <tokens>[:<preimage>]`, the same with a bare hash, or a bare
    /// hash alone (maximumsats). The scheme in any case, repeated (gol402's cached credential),
    /// with any number of spaces.
    private mutating func readAuthorization(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes else {
            hasForeignAuthorization = true
            return
        }
        var rest = value.trimmed[...]
        var isOurs = false
        while let after = rest.afterScheme {
            isOurs = true
            rest = after
        }
        if let hash = PaymentHash(hex: rest.prefix(while: { $0 != UInt8(ascii: ":") })) {
            if isOurs || rest.count == 64 { return add(.hash(hash)) }
        }
        guard isOurs else {
            hasForeignAuthorization = true
            return
        }
        readTokens(rest, where: "Authorization")
    }

    /// `<token>[,<token>…][:<preimage>]`, split at the last colon.
    private mutating func readTokens(_ text: ArraySlice<UInt8>, where place: String) {
        var list = text
        var preimage: Preimage?
        if let colon = text.lastIndex(of: UInt8(ascii: ":")) {
            list = text[..<colon]
            let proof = Array(text[(colon + 1)...]).trimmed
            if !proof.isEmpty {
                guard let read = Preimage(hex: proof) else {
                    return refuse(.malformed("the preimage in \(place) is not 64 hex digits"))
                }
                preimage = read
            }
        }
        var tokens: [Token] = []
        for entry in list.split(separator: UInt8(ascii: ",")).prefix(8) {
            guard let bytes = Base64.decode(Array(entry).trimmed) else {
                refuse(.malformed("the token in \(place) is not base64"))
                continue
            }
            do {
                tokens.append(try Token(decoding: bytes))
            } catch {
                refuse(error)
            }
        }
        if tokens.isEmpty {
            return refuse(.malformed("there is no token in \(place)"))
        }
        add(.tokens(tokens, preimage: preimage))
    }

    private mutating func readHash(_ value: [UInt8]) {
        guard let hash = PaymentHash(hex: value.trimmed) else {
            return refuse(.malformed("the payment hash is not 64 hex digits"))
        }
        add(.hash(hash))
    }

    private mutating func readHexToken(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes, let bytes = Hex.decode(value.trimmed) else {
            return refuse(.malformed("the Macaroon header is not hex"))
        }
        do {
            add(.tokens([try Token(decoding: bytes)], preimage: nil))
        } catch {
            refuse(error)
        }
    }

    /// Every cookie named `l402`: base64 of a token, with or without `:<preimage>`.
    private mutating func readCookie(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes else { return }
        for pair in value.split(separator: UInt8(ascii: ";")) {
            let text = Array(pair).trimmed
            if text.starts(with: "l402=".utf8) {
                readTokens(text.dropFirst(5), where: "the cookie")
            }
        }
    }

    private mutating func refuse(_ error: CredentialError) {
        problem = problem ?? error
    }

    private mutating func add(_ credential: Credential) {
        guard credentials.count < Self.maximum else { return }
        if case .hash(let hash) = credential {
            let isKnown = credentials.contains {
                if case .hash(hash) = $0 { true } else { false }
            }
            if isKnown { return }
        }
        credentials.append(credential)
    }
}

extension [UInt8] {
    /// Without blanks and tabs at both ends.
    var trimmed: [UInt8] {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let tail = drop(while: isBlank)
        guard let end = tail.lastIndex(where: { !isBlank($0) }) else { return [] }
        return Array(tail[...end])
    }
}

extension ArraySlice<UInt8> {
    /// What follows a leading `L402` or `LSAT` in any case and its blanks; `nil` for another scheme.
    fileprivate var afterScheme: ArraySlice<UInt8>? {
        let isOurs = ["l402", "lsat"].contains { scheme in
            count >= 4 && zip(self, scheme.utf8).allSatisfy { $0.lowercasedASCII == $1 }
        }
        guard isOurs else { return nil }
        let after = dropFirst(4)
        guard after.first == UInt8(ascii: " ") || after.first == UInt8(ascii: "\t") || after.isEmpty
        else { return nil }
        return after.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }
}

extension UInt8 {
    /// `A`–`Z` as `a`–`z`; every other byte as it is.
    fileprivate var lowercasedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
