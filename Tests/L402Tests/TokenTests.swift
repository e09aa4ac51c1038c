import Lightning
import Testing

@testable import L402
@testable import Macaroons

private func verify(
    _ macaroon: Macaroon,
    service: String = "dvm",
    tier: UInt8 = 0,
    now: UInt64 = Samples.now
) throws(CredentialError) -> VerifiedToken {
    try Token(decoding: macaroon.encoded)
        .verified(by: [Samples.key], for: service, tier: tier, now: now)
}

@Suite struct TokenTests {
    @Test func `a minted token opens its service with its terms`() throws {
        let verified = try verify(Samples.token.macaroon)
        #expect(verified.paymentHash == Samples.paymentHash)
        #expect(verified.minted == Samples.terms)
        #expect(verified.uses == 10)
    }

    @Test func `the identifier is 66 bytes of version, hash and token id`() throws {
        let bytes = Samples.identifier.encoded
        #expect(bytes.count == 66)
        #expect(Array(bytes[..<2]) == [0, 0])
        #expect(Array(bytes[2..<34]) == Samples.paymentHash.bytes)
        #expect(try Identifier(decoding: bytes) == Samples.identifier)
    }

    @Test("identifiers of other lengths and versions are refused", arguments: [0, 1, 65, 67, 132])
    func identifierLength(count: Int) {
        #expect(throws: CredentialError.self) {
            try Identifier(decoding: Array(repeating: 0, count: count))
        }
    }

    @Test func `an identifier of another version is refused`() {
        #expect(throws: CredentialError.self) {
            try Identifier(decoding: [0, 1] + Array(repeating: 0, count: 64))
        }
    }

    @Test func `a token opens lower tiers and not higher ones`() throws {
        #expect(try verify(Samples.token.macaroon, tier: 0).minted.tier == 1)
        #expect(try verify(Samples.token.macaroon, tier: 1).minted.tier == 1)
        #expect(throws: CredentialError.wrongService) {
            try verify(Samples.token.macaroon, tier: 2)
        }
    }

    @Test func `another service is not opened`() {
        #expect(throws: CredentialError.wrongService) {
            try verify(Samples.token.macaroon, service: "weather")
        }
    }

    @Test func `a token ends in the second that it names`() throws {
        _ = try verify(Samples.token.macaroon, now: Samples.terms.validUntil - 1)
        #expect(throws: CredentialError.expired) {
            try verify(Samples.token.macaroon, now: Samples.terms.validUntil)
        }
    }

    @Test func `a token of an older key holds as long as that key is kept`() throws {
        let token = Samples.token
        _ = try token.verified(
            by: [Samples.otherKey, Samples.key],
            for: "dvm",
            tier: 0,
            now: Samples.now
        )
        #expect(throws: CredentialError.forged) {
            try token.verified(by: [Samples.otherKey], for: "dvm", tier: 0, now: Samples.now)
        }
    }

    @Test(
        "an appended caveat that narrows or is foreign is accepted",
        arguments: [
            "preimage=" + Samples.preimageHex, "no equals sign", "user=alice", "=", "",
            "services=dvm:0", "services=dvm:1", "dvm_valid_until=1800000001", "dvm_uses=1",
            "dvm_uses=10", "dvm_price=21", "weather_uses=999",
        ]
    )
    func narrowing(caveat: String) throws {
        _ = try verify(Samples.narrowed(caveat))
    }

    @Test(
        "an appended caveat never widens",
        arguments: [
            ("services=weather:0", CredentialError.widened),
            ("services=dvm:2", .widened),
            ("services=dvm:1,weather:0", .widened),
            ("services=", .malformed("its services caveat is not name:tier[,name:tier]")),
            ("services=dvm", .malformed("its services caveat is not name:tier[,name:tier]")),
            ("services=dvm:256", .malformed("its services caveat is not name:tier[,name:tier]")),
            (
                "services=dvm:1,dvm:1",
                .malformed("its services caveat is not name:tier[,name:tier]")
            ),
            ("dvm_valid_until=1800003601", .widened),
            (
                "dvm_valid_until=99999999999999999999999",
                .malformed("a caveat is not a whole number")
            ),
            ("dvm_valid_until=-1", .malformed("a caveat is not a whole number")),
            ("dvm_valid_until=", .malformed("a caveat is not a whole number")),
            ("dvm_uses=11", .widened),
            ("dvm_uses=unlimited", .widened),
            ("dvm_price=1", .widened),
            ("dvm_price=22", .widened),
            ("dvm_unheard_of=1", .unknownCaveat),
            ("dvm_=1", .unknownCaveat),
        ]
    )
    func widening(caveat: String, expected: CredentialError) {
        #expect(throws: expected) { try verify(Samples.narrowed(caveat)) }
    }

    @Test func `a narrowing cannot be taken back by a later caveat`() {
        #expect(throws: CredentialError.widened) {
            try verify(Samples.narrowed("dvm_valid_until=1800000100", "dvm_valid_until=1800000200"))
        }
        #expect(throws: CredentialError.widened) {
            try verify(Samples.narrowed("services=dvm:0", "services=dvm:1"))
        }
        #expect(throws: CredentialError.widened) {
            try verify(Samples.narrowed("dvm_uses=1", "dvm_uses=2"))
        }
    }

    @Test func `a second identifier in place of a caveat is refused`() throws {
        var bytes = Samples.token.macaroon.encoded
        bytes.replaceSubrange(
            bytes.count - 35..<bytes.count - 35,
            with: [2, 66] + Samples.identifier.encoded + [0]
        )
        #expect(throws: CredentialError.self) {
            try Token(decoding: bytes).verified(
                by: [Samples.key],
                for: "dvm",
                tier: 0,
                now: Samples.now
            )
        }
    }

    @Test func `swapped or missing caveats are forged`() {
        let caveats = Samples.token.macaroon.caveats
        let token = Samples.token.macaroon
        for changed in [
            Array(caveats.reversed()), Array(caveats.dropLast()), Array(caveats.dropFirst()),
        ] {
            let forged = Macaroon(
                location: token.location,
                identifier: token.identifier,
                caveats: changed,
                signature: token.signature
            )
            #expect(throws: CredentialError.forged) { try verify(forged) }
        }
    }

    @Test func `no sequence of appended caveats widens what a token opens`() throws {
        // Deterministic pseudo-random sequences over caveats that an attacker would try.
        let pieces = [
            "services=dvm:0", "services=dvm:1", "services=dvm:9", "services=dvm:1,weather:1",
            "services=weather:0", "dvm_valid_until=1800000500", "dvm_valid_until=1800003600",
            "dvm_valid_until=1900000000", "dvm_uses=1", "dvm_uses=10", "dvm_uses=unlimited",
            "dvm_uses=99", "dvm_price=21", "dvm_price=0", "weather_valid_until=1900000000", "x=y",
        ]
        var seed: UInt64 = 42
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        for _ in 0..<300 {
            var macaroon = Samples.token.macaroon
            for _ in 0..<next(6) {
                macaroon = macaroon.appending(caveat: Array(pieces[next(pieces.count)].utf8))
            }
            let token = try Token(decoding: macaroon.encoded)
            for service in ["dvm", "weather"] {
                for tier in [UInt8(0), 1, 2, 9] {
                    for now in [Samples.now, Samples.now + 3599, Samples.now + 3600, 1_900_000_000]
                    {
                        guard
                            let opened = try? token.verified(
                                by: [Samples.key],
                                for: service,
                                tier: tier,
                                now: now
                            )
                        else { continue }
                        #expect(service == "dvm" && tier <= 1 && now < Samples.terms.validUntil)
                        #expect(opened.uses ?? .max <= 10)
                        #expect(opened.minted == Samples.terms)
                    }
                }
            }
        }
    }
}
