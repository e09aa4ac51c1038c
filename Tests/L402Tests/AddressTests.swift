import Macaroons
import Testing

@testable import L402

/// A token of one address, and what its holder can append to it.
@Suite struct AddressTests {
    /// 129 bytes.
    private static let long = "/" + String(repeating: "a", count: 128)
    private static let digest = "03fb109ceebd8b5ffb36f6ba609246698f4b7b3c022ea11141ac98ffc6807e27"

    private func token(_ address: BoughtAddress?) -> Token {
        let terms = PurchaseTerms(
            service: "dvm",
            tier: 0,
            address: address,
            validUntil: Samples.now + 3600,
            validSeconds: 60,
            uses: nil,
            priceSats: 21
        )
        return Token.mint(terms, identifier: Samples.identifier, key: Samples.key)
    }

    /// What a token says after its holder appended caveats, and which addresses were asked about.
    private func verify(
        _ token: Token,
        appending caveats: [String] = [],
        isWithin: ([BoughtAddress]) -> Bool = { _ in true }
    ) throws(CredentialError) -> VerifiedToken {
        let macaroon = caveats.reduce(token.macaroon) { $0.appending(caveat: Array($1.utf8)) }
        return try Token(decoding: macaroon.encoded).verified(
            by: [Samples.key],
            for: "dvm",
            tier: 0,
            isWithin: isWithin,
            now: Samples.now
        )
    }

    @Test func `a short address stands in the token, a long one as its hash`() throws {
        let short = token(BoughtAddress("/articles/a?id=1"))
        #expect(
            short.macaroon.caveats.map { String(decoding: $0, as: UTF8.self) } == [
                "services=dvm:0", "dvm_path=/articles/a?id=1", "dvm_uses=unlimited",
                "dvm_price=21", "dvm_valid=60", "dvm_valid_until=1800003600",
            ]
        )
        #expect(try verify(short).minted.address == .text("/articles/a?id=1"))
        let long = token(BoughtAddress(Self.long))
        #expect(
            long.macaroon.caveats[1].elementsEqual("dvm_path_sha256=\(Self.digest)".utf8)
        )
        #expect(try verify(long).minted.address == .digest(Self.digest))
        #expect(BoughtAddress(String(Self.long.dropLast())) == .text(String(Self.long.dropLast())))
    }

    @Test func `a token of one address opens nothing where nobody asks about addresses`() {
        #expect(throws: CredentialError.wrongPath) {
            try token(BoughtAddress("/a"))
                .verified(by: [Samples.key], for: "dvm", tier: 0, now: Samples.now)
        }
    }

    @Test func `what is asked for must be within every address, and none replaces another`() throws
    {
        var asked: [BoughtAddress] = []
        let verified = try verify(
            token(BoughtAddress("/a")),
            appending: [
                "dvm_path=/", "dvm_path=/b", "dvm_path=/a", "dvm_path_sha256=\(Self.digest)",
            ],
            isWithin: {
                asked = $0
                return true
            }
        )
        #expect(asked == [.text("/a"), .text("/"), .text("/b"), .digest(Self.digest)])
        #expect(verified.addresses == asked)
        #expect(verified.minted.address == .text("/a"))
    }

    @Test func `whoever holds a token of the whole can narrow it to one address`() throws {
        let narrowed = try verify(token(nil), appending: ["dvm_path=/a"])
        #expect(narrowed.addresses == [.text("/a")] && narrowed.minted.address == nil)
        #expect(throws: CredentialError.wrongPath) {
            try verify(token(nil), appending: ["dvm_path=/a"], isWithin: \.isEmpty)
        }
        #expect(try verify(token(nil), isWithin: \.isEmpty).addresses == [])
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "path=", "path=a", "path=/a b", "path=/\u{e9}", "path=/a\n", "path=\(long)",
            "path_sha256=", "path_sha256=/a", "path_sha256=\(digest)0",
            "path_sha256=\(digest.uppercased())",
        ]
    )
    func malformed(caveat: String) {
        for minted in [nil, BoughtAddress("/a")] {
            #expect(throws: CredentialError.malformed("its address cannot be read")) {
                try verify(token(minted), appending: ["dvm_" + caveat])
            }
        }
    }

    @Test func `a holder cannot have many addresses looked at`() throws {
        let eight = (1...7).map { "dvm_path=/\($0)" }
        #expect(try verify(token(BoughtAddress("/a")), appending: eight).addresses.count == 8)
        #expect(throws: CredentialError.self) {
            try verify(token(BoughtAddress("/a")), appending: eight + ["dvm_path=/8"])
        }
    }

    @Test func `an address of another service says nothing`() throws {
        #expect(try verify(token(nil), appending: ["other_path=/a"]).addresses == [])
    }
}
