import Lightning
import Macaroons

@testable import L402

extension Token {
    /// As a rule that sells its whole service asks.
    func verified(
        by keys: [MasterKey],
        for service: String,
        site: String? = nil,
        tier: UInt8,
        now: UInt64
    ) throws(CredentialError) -> VerifiedToken {
        try verified(
            by: keys,
            for: service,
            site: site,
            tier: tier,
            isWithin: \.isEmpty,
            now: now
        )
    }
}

/// A key, a token and its parts that the tests share.
enum Samples {
    static let key = makeKey("k1", 7)
    static let otherKey = makeKey("k2", 9)
    static let preimageHex = String(repeating: "ab", count: 32)
    static let now: UInt64 = 1_800_000_000
    static let terms = PurchaseTerms(
        service: "dvm",
        tier: 1,
        validUntil: now + 3600,
        uses: 10,
        priceSats: 21
    )

    static var paymentHash: PaymentHash {
        guard let hash = Preimage(hex: Array(preimageHex.utf8))?.paymentHash else {
            fatalError("no hash")
        }
        return hash
    }

    static var identifier: Identifier {
        guard
            let made = Identifier(
                paymentHash: paymentHash,
                tokenID: Array(repeating: 5, count: 32)
            )
        else { fatalError("no identifier") }
        return made
    }

    static var token: Token { Token.mint(terms, identifier: identifier, key: key) }

    /// The token with caveats appended by its holder.
    static func narrowed(_ caveats: String...) -> Macaroon {
        caveats.reduce(token.macaroon) { $0.appending(caveat: Array($1.utf8)) }
    }

    private static func makeKey(_ id: String, _ byte: UInt8) -> MasterKey {
        guard let key = MasterKey(id: id, bytes: Array(repeating: byte, count: 32), created: 0)
        else { fatalError("no key") }
        return key
    }
}
