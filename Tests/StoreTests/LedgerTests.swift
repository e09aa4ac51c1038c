import L402
import Lightning
import Store
import TestTools
import Testing

/// Uses of payments, and what the operator sees of them.
struct LedgerTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var ledger: any PaymentLedger { tested.books.ledger }
    private var records: any PaymentRecords { tested.backOffice.records }
    private var housekeeping: any Housekeeping { tested.backOffice.housekeeping }

    @Test func `a payment gives exactly its uses`() throws {
        let claim = try paymentClaim(uses: 3)
        #expect(try ledger.take(claim, now: noon) == .unknown)
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 2))
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.take(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.take(claim, now: noon + 10) == .spent)
        #expect(try ledger.open(claim, now: noon + 10) == .spent)
    }

    @Test func `a bound put on the token by its holder holds`() throws {
        #expect(try ledger.open(try paymentClaim(uses: 3), now: noon) == .taken(usesLeft: 2))
        #expect(try ledger.take(try paymentClaim(uses: 3, cap: 1), now: noon + 10) == .spent)
        #expect(try ledger.take(try paymentClaim(uses: 3), now: noon) == .taken(usesLeft: 1))
    }

    @Test func `a use comes back once, and only to the request that took it`() throws {
        let mine = try paymentClaim(uses: 2, request: "mine")
        let other = try paymentClaim(uses: 2, request: "other")
        #expect(try ledger.giveBack(mine, .failure, now: noon) == false)
        #expect(try ledger.open(mine, now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.giveBack(other, .failure, now: noon) == false)
        #expect(try ledger.giveBack(mine, .failure, now: noon))
        #expect(try ledger.giveBack(mine, .failure, now: noon) == false)
        let third = try paymentClaim(uses: 2, request: "third")
        #expect(try ledger.take(other, now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.take(third, now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.take(mine, now: noon + 10) == .spent)
    }

    @Test func `a payment is not taken from by a claim to another path`() throws {
        let paths = [nil, "/a", "/b"].map { $0.map { BoughtAddress($0) } } + [.digested("/a")]
        for uses in [3, nil] as [UInt64?] {
            for (number, path) in paths.enumerated() {
                let number = UInt64(number) + (uses ?? 10) * 10
                _ = try ledger.open(
                    try paymentClaim(number, uses: uses, address: path),
                    now: noon
                )
                for other in paths where other != path {
                    let claim = try paymentClaim(number, uses: uses, address: other)
                    #expect(throws: StateError.self) { try ledger.take(claim, now: noon) }
                    #expect(throws: StateError.self) { try ledger.open(claim, now: noon) }
                }
            }
        }
    }

    @Test(arguments: [1, 2, 200] as [UInt64])
    func `the same request takes once however often it asks, and returns once`(uses: UInt64) throws
    {
        let claim = try paymentClaim(uses: uses, request: "again")
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: uses - 1))
        for _ in 0..<3 {
            #expect(try ledger.take(claim, now: noon) == .repeated(usesLeft: uses - 1))
            #expect(try ledger.open(claim, now: noon) == .repeated(usesLeft: uses - 1))
        }
        #expect(try records.record(claim.paymentHash)?.used == 1)
        #expect(try ledger.giveBack(claim, .failure, now: noon))
        #expect(try ledger.giveBack(claim, .failure, now: noon) == false)
        #expect(try records.record(claim.paymentHash)?.used == 0)
        #expect(try ledger.take(claim, now: noon) == .taken(usesLeft: uses - 1))
    }

    @Test func `whatever failed requests took comes back, and of many the last 64 are known`()
        throws
    {
        let claims = try (0..<100).map { try paymentClaim(uses: 100, request: "\($0)") }
        _ = try ledger.open(claims[0], now: noon)
        for claim in claims.dropFirst() { _ = try ledger.take(claim, now: noon) }
        #expect(
            try ledger.take(try paymentClaim(uses: 100, request: "x"), now: noon + 10) == .spent
        )
        let returned = try claims.map { try ledger.giveBack($0, .nothingDelivered, now: noon) }
        #expect(returned == Array(repeating: false, count: 36) + Array(repeating: true, count: 64))
        #expect(try records.record(claims[0].paymentHash)?.used == 36)
    }

    @Test func `looking says what a take would and takes nothing`() throws {
        let mine = try paymentClaim(uses: 1, request: "mine")
        let other = try paymentClaim(uses: 1, request: "other")
        #expect(try ledger.look(mine, now: noon) == .unknown)
        #expect(try ledger.open(mine, now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.look(mine, now: noon) == .repeated(usesLeft: 0))
        #expect(try ledger.look(other, now: noon + 10) == .spent)
        _ = try ledger.giveBack(mine, .nothingDelivered, now: noon)
        for _ in 0..<3 { #expect(try ledger.look(other, now: noon) == .taken(usesLeft: 0)) }
        #expect(try records.record(mine.paymentHash)?.used == 0)
        #expect(try ledger.look(mine, now: noon + 3600) == .expired)
        _ = try records.revoke(mine.paymentHash)
        #expect(try ledger.look(mine, now: noon) == .revoked)
    }

    @Test(arguments: [1, nil] as [UInt64?])
    func `a purchase lives from its first redemption, and no longer than its token`(uses: UInt64?)
        throws
    {
        func claim(_ number: UInt64) throws -> PaymentClaim {
            // Its invoice ends 600 seconds after noon.
            try paymentClaim(
                number,
                uses: uses,
                validUntil: noon + 4200,
                validSeconds: 3600,
                request: "r"
            )
        }
        _ = try ledger.open(try claim(1), now: noon)
        #expect(try records.record(try paymentHash(1))?.ends == noon + 3600)
        #expect(try ledger.look(try claim(1), now: noon + 3599) != .expired)
        for ask in [ledger.take, ledger.open, ledger.look] {
            #expect(try ask(try claim(1), noon + 3600) == .expired)
        }
        _ = try ledger.open(try claim(2), now: noon + 4000)
        #expect(try records.record(try paymentHash(2))?.ends == noon + 4200)
        #expect(try ledger.open(try claim(3), now: noon + 4200) == .expired)
        #expect(try ledger.terms(of: try paymentHash(1)) == (try claim(1)).terms)
    }

    @Test func `a request without an id returns nothing`() throws {
        let claim = try paymentClaim(uses: 2)
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.giveBack(claim, .failure, now: noon) == false)
    }

    @Test func `a token of another service, end or number of uses is refused`() throws {
        #expect(try ledger.open(try paymentClaim(uses: 5), now: noon) == .taken(usesLeft: 4))
        for wrong in [
            try paymentClaim(uses: 5, service: "other"), try paymentClaim(uses: 6),
            try paymentClaim(uses: nil), try paymentClaim(uses: 5, validUntil: noon + 3601),
            try paymentClaim(uses: 5, site: "other"), try paymentClaim(uses: 5, validSeconds: 60),
            try paymentClaim(uses: 5, priceSats: 20),
        ] {
            #expect(throws: StateError.self) { try ledger.look(wrong, now: noon) }
            #expect(throws: StateError.self) { try ledger.take(wrong, now: noon) }
            #expect(throws: StateError.self) { try ledger.open(wrong, now: noon) }
        }
        #expect(try records.record(try paymentHash(7))?.used == 1)
    }

    @Test func `what was taken is known to who opens the books again`() throws {
        let claim = try paymentClaim(uses: 2)
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 1))
        let restarted = try tested.again().books.ledger
        #expect(try restarted.take(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.take(claim, now: noon + 10) == .spent)
    }

    @Test func `what is on record can be read`() throws {
        #expect(try records.record(try paymentHash(7)) == nil)
        #expect(try ledger.open(try paymentClaim(uses: 5), now: noon) == .taken(usesLeft: 4))
        let record = try #require(try records.record(try paymentHash(7)))
        #expect(record.terms.service == "dvm")
        #expect(record.terms.uses == 5)
        #expect(record.used == 1)
        #expect(record.price.msat == 21_000)
        #expect(record.opened == "2026-11-21T12:00:00Z")
        #expect(!record.isRevoked)
    }

    @Test(arguments: [1, nil] as [UInt64?])
    func `a revoked payment is refused for good`(uses: UInt64?) throws {
        let claim = try paymentClaim(uses: uses)
        #expect(try records.revoke(claim.paymentHash) == nil)
        _ = try ledger.open(claim, now: noon)
        #expect(try records.revoke(claim.paymentHash)?.isRevoked == true)
        #expect(try ledger.take(claim, now: noon) == .revoked)
        #expect(try ledger.open(claim, now: noon) == .revoked)
        #expect(try records.refund(claim.paymentHash)?.isRevoked == true)
        #expect(try ledger.take(claim, now: noon) == .revoked)
    }

    @Test func `a use given back by the operator is not given back by the request again`() throws {
        let claim = try paymentClaim(uses: 1, request: "r")
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try records.refund(claim.paymentHash)?.used == 0)
        #expect(try records.refund(claim.paymentHash)?.used == 0)
        #expect(try ledger.giveBack(claim, .failure, now: noon) == false)
        #expect(try ledger.take(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.take(claim, now: noon) == .repeated(usesLeft: 0))
        let other = try paymentClaim(uses: 1, request: "other")
        #expect(try ledger.take(other, now: noon + 10) == .spent)
    }

    @Test func `a clock that steps back revives nothing`() throws {
        let claim = try paymentClaim(uses: 5)
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 4))
        #expect(
            try housekeeping.sweepPayments(
                now: noon + 3 * 86_400,
                secondClock: noon + 3 * 86_400,
                maximum: 10
            ) == 1
        )
        for ledger in [ledger, try tested.again().books.ledger] {
            #expect(try ledger.take(claim, now: noon) == .expired)
            #expect(try ledger.open(claim, now: noon) == .expired)
        }
    }

    @Test func `payments that end beyond the year 9999 are kept`() throws {
        let claim = try paymentClaim(validUntil: 253_402_300_800 + 86_400)
        #expect(try ledger.open(claim, now: noon) == .taken(usesLeft: 0))
        _ = try housekeeping.sweepPayments(
            now: noon + 40 * 86_400,
            secondClock: noon + 40 * 86_400,
            maximum: 100
        )
        #expect(try ledger.take(claim, now: noon + 40 * 86_400) == .spent)
    }
}
