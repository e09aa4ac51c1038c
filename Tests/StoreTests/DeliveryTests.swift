import Lightning
import Store
import TestTools
import Testing

/// Further requests of one delivery, and goods that fail.
struct DeliveryTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var ledger: any PaymentLedger { tested.books.ledger }
    private var records: any PaymentRecords { tested.backOffice.records }

    func claim(
        _ request: String,
        address: UInt8 = 1,
        grace: UInt64 = 600,
        isRange: Bool = true,
        uses: UInt64 = 3
    ) throws -> PaymentClaim {
        try paymentClaim(
            uses: uses,
            request: request,
            delivery: DeliveryKey(
                address: [UInt8](repeating: address, count: 8),
                graceSeconds: grace,
                mayRepeat: isRange
            )
        )
    }

    /// One failed delivery of a request of its own.
    private func fail(_ id: Int, _ cause: ReturnCause = .failure, now: UInt64) throws -> TakeOutcome
    {
        let claim = try paymentClaim(uses: 3, request: "\(id)")
        let outcome = try ledger.take(claim, now: now)
        if case .taken = outcome { #expect(try ledger.giveBack(claim, cause, now: now)) }
        return outcome
    }

    @Test func `further ranges of one address take nothing while the delivery lasts`() throws {
        #expect(try ledger.open(try claim("a"), now: noon) == .taken(usesLeft: 2))
        #expect(try ledger.look(try claim("b"), now: noon) == .withinGrace(usesLeft: 2))
        #expect(try ledger.take(try claim("b"), now: noon + 599) == .withinGrace(usesLeft: 2))
        // Another address, no range, and the end of the while take a use.
        #expect(try ledger.take(try claim("c", address: 2), now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.take(try claim("d", isRange: false), now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.take(try claim("e"), now: noon + 1200) == .spent)
        #expect(
            try ledger.take(try claim("f", address: 2), now: noon) == .withinGrace(usesLeft: 0)
        )
    }

    @Test func `one use covers 60 further requests`() throws {
        _ = try ledger.open(try claim("a"), now: noon)
        for number in 0..<DeliveryKey.maximumRepeats {
            #expect(
                try ledger.take(try claim("\(number)"), now: noon) == .withinGrace(usesLeft: 2)
            )
        }
        #expect(try ledger.look(try claim("more"), now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.take(try claim("more"), now: noon) == .taken(usesLeft: 1))
        #expect(try ledger.take(try claim("further"), now: noon) == .withinGrace(usesLeft: 1))
    }

    @Test func `a use that came back covers nothing`() throws {
        _ = try ledger.open(try claim("a", uses: 1), now: noon)
        #expect(try ledger.giveBack(try claim("a", uses: 1), .failure, now: noon))
        #expect(try ledger.take(try claim("b", uses: 1), now: noon) == .taken(usesLeft: 0))
        #expect(try ledger.giveBack(try claim("b", uses: 1), .nothingDelivered, now: noon))
        #expect(try ledger.look(try claim("c", uses: 1), now: noon) == .taken(usesLeft: 0))
    }

    @Test func `a delivery that begins in the future is over`() throws {
        _ = try ledger.open(try claim("a"), now: noon + 60)
        #expect(try ledger.take(try claim("b"), now: noon) == .taken(usesLeft: 1))
    }

    @Test func `without grace nothing is remembered`() throws {
        _ = try ledger.open(try claim("a", grace: 0), now: noon)
        #expect(try ledger.take(try claim("b"), now: noon) == .taken(usesLeft: 1))
    }

    @Test func `after 20 returns for failed goods within the hour it is let in no more`() throws {
        _ = try ledger.open(try paymentClaim(uses: 3, request: "first"), now: noon)
        for id in 0..<50 {
            #expect(try fail(id, .nothingDelivered, now: noon) == .taken(usesLeft: 1))
        }
        for id in 100..<120 { #expect(try fail(id, now: noon + 10) == .taken(usesLeft: 1)) }
        #expect(try fail(200, now: noon + 3599) == .failing)
        #expect(
            try ledger.look(try paymentClaim(uses: 3, request: "x"), now: noon + 20) == .failing
        )
        #expect(try records.record(try paymentHash(7))?.used == 1)
        // A request that has its use is not asked for another.
        let first = try paymentClaim(uses: 3, request: "first")
        #expect(try ledger.take(first, now: noon + 20) == .repeated(usesLeft: 2))
        #expect(try ledger.giveBack(first, .failure, now: noon + 20))
    }

    @Test func `a payment lives again when the hour is over, or begins in the future`() throws {
        let long = try paymentClaim(uses: 3, validUntil: noon + 86_400, request: "first")
        _ = try ledger.open(long, now: noon)
        for id in 0..<20 {
            let claim = try paymentClaim(uses: 3, validUntil: noon + 86_400, request: "\(id)")
            _ = try ledger.take(claim, now: noon)
            #expect(try ledger.giveBack(claim, .failure, now: noon))
        }
        let next = try paymentClaim(uses: 3, validUntil: noon + 86_400, request: "next")
        #expect(try ledger.look(next, now: noon + 3599) == .failing)
        #expect(try ledger.look(next, now: noon + 3600) == .taken(usesLeft: 1))
        #expect(try ledger.look(next, now: noon - 1) == .taken(usesLeft: 1))
    }

    @Test func `what is spent is said to be spent, not to fail`() throws {
        _ = try ledger.open(try paymentClaim(uses: 3, request: "first"), now: noon)
        for id in 0..<20 { #expect(try fail(id, now: noon) == .taken(usesLeft: 1)) }
        let bounded = try paymentClaim(uses: 3, cap: 1, request: "x")
        #expect(try ledger.look(bounded, now: noon + 10) == .spent)
    }
}
