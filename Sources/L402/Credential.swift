import Lightning
import Macaroons
import Text

/// What a client presents as proof of payment.
package enum Credential: Sendable {
    /// Tokens, usually one, with the preimage where the client has it.
    case tokens([Token], proof: PreimageProof, isCookie: Bool)
    /// A bare payment hash, as the tutorial's clients send it.
    case hash(PaymentHash)

    /// Whether it came in a cookie, which a page of another site can have a browser send.
    package var isCookie: Bool {
        if case .tokens(_, _, let isCookie) = self { isCookie } else { false }
    }

    /// Whether it is a bare payment hash, which anybody can put into a link.
    package var isHash: Bool {
        if case .hash = self { true } else { false }
    }
}

/// What stands behind a token's colon.
package enum PreimageProof: Sendable {
    /// Nothing, or what programs write that have no preimage: the token counts alone.
    case none
    /// 32 bytes. In another spelling than hex (LND's REST interface tells base64) it proves
    /// something when it is right, and counts as nothing when it is not.
    case preimage(Preimage, isHex: Bool)
    /// Something that is no preimage in any spelling.
    case unreadable

    /// What wallets and libraries write that do not know a preimage.
    private static let nothing: Set<String> = [
        "", "undefined", "null", "none", "nil", "nan", "false", "[objectobject]", "<nil>",
    ]

    /// Reads it in any spelling: hex, base64 of either alphabet, with blanks or quotes.
    init(_ text: [UInt8]) {
        let blanks: [UInt8] = [0x20, 0x09, UInt8(ascii: "\""), UInt8(ascii: "'")]
        let bare = text.filter { !blanks.contains($0) }
        if let preimage = Preimage(hex: bare) {
            // LNbits 0.12 tells zeros, paid or not.
            self =
                preimage.bytes.allSatisfy { $0 == 0 } ? .none : .preimage(preimage, isHex: true)
        } else if bare.count <= 16,
            Self.nothing.contains(String(decoding: bare, as: UTF8.self).lowercased())
        {
            self = .none
        } else if bare.count <= 64, let bytes = Base64.decode(bare),
            let preimage = Preimage(bytes: bytes)
        {
            self = .preimage(preimage, isHex: false)
        } else {
            self = .unreadable
        }
    }

    /// What it says of a payment hash.
    package func judge(_ hash: PaymentHash) -> Judgement {
        switch self {
        case .none: .absent
        case .unreadable: .unreadable
        case .preimage(let preimage, let isHex):
            preimage.paymentHash == hash ? .right : isHex ? .wrong : .absent
        }
    }

    /// What a proof is worth for one payment hash.
    package enum Judgement: Sendable, Equatable {
        /// It hashes to the payment hash.
        case right
        /// There is none.
        case absent
        /// It is the preimage of something else.
        case wrong
        /// It cannot be read.
        case unreadable
    }
}

/// Where in a request credentials are looked for. `nil` where there is nothing.
package struct CredentialSources: Sendable {
    /// The `Authorization` header.
    package var authorization: [UInt8]?
    /// The `X-Payment-Hash` header.
    package var paymentHashHeader: [UInt8]?
    /// The `payment_hash` of the query.
    package var paymentHashQuery: [UInt8]?
    /// The `payment_hash` of a JSON body.
    package var paymentHashBody: [UInt8]?
    /// The `Macaroon` or `Grpc-Metadata-Macaroon` header: hex (aperture's other form).
    package var macaroonHeader: [UInt8]?
    /// The `Cookie` header.
    package var cookie: [UInt8]?

    package init() {}
}

/// All that a request presents, in the order in which it is tried.
package struct PresentedCredentials: Sendable {
    /// What could be read, without repetitions, at most ``maximum``.
    package private(set) var credentials: [Credential] = []
    /// Why something that is meant as a credential could not be read.
    package private(set) var problem: CredentialError?
    /// Whether `Authorization` carries something that is not L402 and is left alone.
    package private(set) var hasForeignAuthorization = false

    /// More than any client sends; each may cost a question to the wallet.
    package static let maximum = 4
    /// Whether `Authorization` holds one token and nothing that could not be read; it is the first
    /// of ``credentials`` then.
    package private(set) var hasOneAuthorizationToken = false

    /// Cookies that are tried: a reader may have several open offers, and only one that is paid.
    package static let maximumCookies = 8

    /// Bytes beyond which a header value is not looked at.
    package static let maximumHeaderBytes = 16 * 1024

    /// Reads every source; never fails as a whole.
    package init(_ sources: CredentialSources) {
        if let value = sources.authorization {
            readAuthorization(value)
            if problem == nil, credentials.count == 1,
                case .tokens(let tokens, _, _) = credentials[0]
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
    package var isEmpty: Bool { credentials.isEmpty && problem == nil }

    /// `Authorization: (L402|LSAT) <tokens>[:<preimage>]`, the same with a bare hash, or a bare
    /// hash alone (maximumsats). The scheme in any case, repeated (gol402's cached credential),
    /// with any number of spaces.
    private mutating func readAuthorization(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes else {
            hasForeignAuthorization = true
            return
        }
        var rest = Array(value.trimmingBlanks)[...]
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
    private mutating func readTokens(
        _ text: ArraySlice<UInt8>,
        where place: String,
        isCookie: Bool = false
    ) {
        var list = text
        var proof = PreimageProof.none
        if let colon = text.lastIndex(of: UInt8(ascii: ":")) {
            list = text[..<colon]
            proof = PreimageProof(Array(text[(colon + 1)...]))
        }
        var tokens: [Token] = []
        for entry in list.split(separator: UInt8(ascii: ",")).prefix(8) {
            guard let bytes = Base64.decode(Array(entry.trimmingBlanks)) else {
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
        add(.tokens(tokens, proof: proof, isCookie: isCookie))
    }

    private mutating func readHash(_ value: [UInt8]) {
        guard let hash = PaymentHash(hex: Array(value.trimmingBlanks)) else {
            return refuse(.malformed("the payment hash is not 64 hex digits"))
        }
        add(.hash(hash))
    }

    private mutating func readHexToken(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes,
            let bytes = Hex.decode(Array(value.trimmingBlanks))
        else {
            return refuse(.malformed("the Macaroon header is not hex"))
        }
        do {
            add(.tokens([try Token(decoding: bytes)], proof: .none, isCookie: false))
        } catch {
            refuse(error)
        }
    }

    /// Every cookie named `l402-…`, and `l402` of older releases: base64 of a token, with or
    /// without `:<preimage>`. One that cannot be read is no credential: a sibling domain may have
    /// planted it.
    private mutating func readCookie(_ value: [UInt8]) {
        guard value.count <= Self.maximumHeaderBytes else { return }
        let before = problem
        for pair in value.split(separator: UInt8(ascii: ";")) {
            let text = Array(pair.trimmingBlanks)
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")),
                Self.isCookieName(text[..<equals])
            else { continue }
            readTokens(text[(equals + 1)...], where: "the cookie", isCookie: true)
        }
        problem = before
    }

    /// Whether a cookie of this name is ours.
    package static func isCookieName(_ name: ArraySlice<UInt8>) -> Bool {
        name.elementsEqual("l402".utf8) || name.starts(with: "l402-".utf8)
    }

    private mutating func refuse(_ error: CredentialError) {
        problem = problem ?? error
    }

    private mutating func add(_ credential: Credential) {
        let others = credentials.count { $0.isCookie == credential.isCookie }
        guard others < (credential.isCookie ? Self.maximumCookies : Self.maximum) else { return }
        if case .hash(let hash) = credential {
            let isKnown = credentials.contains {
                if case .hash(hash) = $0 { true } else { false }
            }
            if isKnown { return }
        }
        credentials.append(credential)
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
        guard after.first?.isBlank ?? true
        else { return nil }
        return after.drop { $0.isBlank }
    }
}
