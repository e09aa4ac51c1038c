import Lightning
import Macaroons
import Text

/// A macaroon with an L402 identifier, not yet verified: nothing in it may be acted on but the
/// payment hash, to look things up.
package struct Token: Sendable {
    /// Characters of a token beyond which browsers and web servers have no room for several in cookies.
    package static let comfortableLength = 600

    /// The macaroon as received.
    package let macaroon: Macaroon
    /// Its identifier, read.
    package let identifier: Identifier

    /// A token from binary bytes.
    ///
    /// - Throws: ``CredentialError/malformed(_:)``.
    package init(decoding bytes: [UInt8]) throws(CredentialError) {
        do {
            macaroon = try Macaroon(decoding: bytes)
        } catch {
            throw .malformed(error.description)
        }
        identifier = try Identifier(decoding: macaroon.identifier)
    }

    private init(macaroon: Macaroon, identifier: Identifier) {
        self.macaroon = macaroon
        self.identifier = identifier
    }

    /// A new token for `terms`, location `l402`, root key derived from `key`.
    package static func mint(_ terms: PurchaseTerms, identifier: Identifier, key: MasterKey)
        -> Token
    {
        let encoded = identifier.encoded
        return Token(
            macaroon: .mint(
                rootKey: key.authenticate(encoded),
                identifier: encoded,
                location: Array("l402".utf8),
                caveats: terms.caveats
            ),
            identifier: identifier
        )
    }

    /// How many characters a token of such terms has.
    package static func length(of terms: PurchaseTerms, key: MasterKey) -> Int {
        let zeros = [UInt8](repeating: 0, count: 32)
        guard let hash = PaymentHash(bytes: zeros),
            let identifier = Identifier(paymentHash: hash, tokenID: zeros)
        else { return .max }
        return mint(terms, identifier: identifier, key: key).text.utf8.count
    }

    /// Standard base64 with padding, as it goes into the challenge.
    package var text: String { Base64.encode(macaroon.encoded) }

    /// The same in the alphabet that fits into cookies and addresses, without padding.
    package var urlSafeText: String { Base64.encodeURLSafe(macaroon.encoded) }

    /// What the token allows for a rule, once its signature holds under one of `keys`.
    ///
    /// - Parameter isWithin: Whether what is asked for is within each of these addresses; they are
    ///   empty for a token of the whole service.
    /// - Throws: ``CredentialError``: forged, or any of the reasons a chain of caveats is refused.
    package func verified(
        by keys: [MasterKey],
        for service: String,
        site: String? = nil,
        tier: UInt8,
        isWithin: ([BoughtAddress]) -> Bool,
        now: UInt64
    ) throws(CredentialError) -> VerifiedToken {
        let chain = try CaveatChain(authenticCaveats(keys), service: service)
        guard chain.minted.site == site else { throw .wrongSite }
        guard chain.tier >= tier else { throw .wrongService }
        guard isWithin(chain.addresses) else { throw .wrongPath }
        guard now < chain.validUntil else { throw .expired }
        return VerifiedToken(
            paymentHash: identifier.paymentHash,
            minted: chain.minted,
            addresses: chain.addresses,
            uses: chain.uses,
            validUntil: chain.validUntil
        )
    }

    /// The terms a token was minted with, whatever they open; for the status endpoint and for people.
    ///
    /// - Throws: ``CredentialError``.
    package func mintedTerms(by keys: [MasterKey]) throws(CredentialError) -> PurchaseTerms {
        let caveats = try authenticCaveats(keys)
        guard let services = caveats.first.flatMap(Caveat.init),
            let name = services.value.split(separator: UInt8(ascii: ":")).first
        else { throw .malformed("it has no services caveat") }
        return try CaveatChain(caveats, service: String(decoding: name, as: UTF8.self)).minted
    }

    private func authenticCaveats(_ keys: [MasterKey]) throws(CredentialError) -> [[UInt8]] {
        for key in keys {
            let rootKey = key.authenticate(macaroon.identifier)
            if let caveats = try? macaroon.verifiedCaveats(rootKey: rootKey) { return caveats }
        }
        throw .forged
    }
}

/// A token whose signature and caveats hold; only a verifier makes one.
package struct VerifiedToken: Sendable {
    /// Which payment it stands for.
    package let paymentHash: PaymentHash
    /// What was bought, as minted.
    package let minted: PurchaseTerms
    /// What is asked for must be within each of these; empty for the whole service.
    package let addresses: [BoughtAddress]
    /// The most uses of the payment this token may see taken, after narrowing; `nil` for no limit.
    package let uses: UInt64?
    /// Seconds since 1970 from which on this token opens nothing, after narrowing.
    package let validUntil: UInt64
}
