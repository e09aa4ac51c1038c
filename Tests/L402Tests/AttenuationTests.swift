import Macaroons
import Testing

@testable import L402

/// Everybody who holds a token can append caveats: each is enforced, or the token is refused.
@Suite struct AttenuationTests {
    private func token(site: String? = nil, valid: UInt64? = nil, uses: UInt64?) -> Token {
        let terms = PurchaseTerms(
            service: "dvm",
            site: site,
            tier: 1,
            validUntil: Samples.now + 3600,
            validSeconds: valid,
            uses: uses,
            priceSats: 21
        )
        return Token.mint(terms, identifier: Samples.identifier, key: Samples.key)
    }

    private func verify(_ token: Token, appending caveats: [String], site: String?)
        throws(CredentialError) -> VerifiedToken
    {
        let macaroon = caveats.reduce(token.macaroon) { $0.appending(caveat: Array($1.utf8)) }
        return try Token(decoding: macaroon.encoded)
            .verified(by: [Samples.key], for: "dvm", site: site, tier: 0, now: Samples.now)
    }

    @Test func `the terms that were minted are the terms that are read`() throws {
        let minted = try verify(
            token(site: "shop", valid: 60, uses: nil),
            appending: [],
            site: "shop"
        )
        #expect(minted.minted.site == "shop" && minted.minted.validSeconds == 60)
        #expect(minted.minted.validUntil == Samples.now + 3600 && minted.minted.uses == nil)
        let older = try verify(token(uses: 3), appending: [], site: nil)
        #expect(older.minted.site == nil && older.minted.validSeconds == nil)
    }

    @Test(
        "an appended caveat makes no token of another site",
        arguments: [
            (nil, ["dvm_site=shop"], "shop"), (nil, ["dvm_site=shop"], nil),
            ("a", ["dvm_site=shop"], "shop"), ("a", ["dvm_site=shop"], "a"), ("a", [], "shop"),
            ("a", [], nil), (nil, [], "shop"), ("a", ["dvm_site="], nil),
        ] as [(String?, [String], String?)]
    )
    func site(minted: String?, appended: [String], asked: String?) {
        #expect(throws: CredentialError.self) {
            try verify(token(site: minted, uses: 3), appending: appended, site: asked)
        }
    }

    @Test func `what was minted may be repeated`() throws {
        let repeated = ["dvm_site=a", "dvm_valid=60", "dvm_uses=unlimited", "dvm_price=21"]
        _ = try verify(token(site: "a", valid: 60, uses: nil), appending: repeated, site: "a")
    }

    @Test(
        "what nobody could hold a token to is refused",
        arguments: [
            (UInt64?.none, "dvm_uses=1", CredentialError.unenforceable),
            (nil, "dvm_uses=0", .unenforceable), (nil, "dvm_valid=10", .widened),
            (3, "dvm_valid=61", .widened),
            (3, "dvm_valid=59", .widened), (3, "dvm_capabilities=read", .unknownCaveat),
            (3, "dvm_pat=/a", .unknownCaveat), (3, "dvm_path_sha25=/a", .unknownCaveat),
            (3, "dvm_path_sha2567=/a", .unknownCaveat), (3, "dvm_path_=/a", .unknownCaveat),
        ]
    )
    func unenforceable(uses: UInt64?, caveat: String, error: CredentialError) {
        #expect(throws: error) {
            try verify(token(valid: 60, uses: uses), appending: [caveat], site: nil)
        }
    }

    @Test func `a duration cannot be given to a token that has none`() {
        #expect(throws: CredentialError.widened) {
            try verify(token(uses: 3), appending: ["dvm_valid=999999"], site: nil)
        }
    }

    @Test func `a purchase ends so long after it was first redeemed, and at its longest end`() {
        let terms = token(valid: 60, uses: nil)
        let minted = try? terms.mintedTerms(by: [Samples.key])
        #expect(minted?.end(openedAt: Samples.now) == Samples.now + 60)
        #expect(minted?.end(openedAt: Samples.now + 3590) == Samples.now + 3600)
        #expect(minted?.end(openedAt: .max) == Samples.now + 3600)
    }
}
