import Store
import TestTools
import Testing
import Text

/// What goes when it is over, and what a wrong clock must not take away.
struct HousekeepingTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var ledger: any PaymentLedger { tested.books.ledger }
    private var free: any FreeCounter { tested.books.free }
    private var housekeeping: any Housekeeping { tested.backOffice.housekeeping }

    /// As gates sell now: the token says how long it lives.
    func purchase(_ number: UInt64, at moment: UInt64, days: UInt64 = 30) throws -> PaymentClaim {
        try paymentClaim(
            number,
            uses: 5,
            validUntil: moment + 600 + days * 86_400,
            validSeconds: days * 86_400,
            request: "r\(number)"
        )
    }

    @Test(arguments: [0, 3600] as [UInt64])
    func `clocks that differ by an hour at most agree`(seconds: UInt64) throws {
        _ = try ledger.open(try purchase(1, at: noon), now: noon)
        let now = noon + 365 * 86_400 as UInt64
        #expect(
            try housekeeping.sweepPayments(now: now, secondClock: now - seconds, maximum: 9) == 1
        )
        #expect(try ledger.open(try purchase(1, at: noon), now: noon) == .expired)
    }

    @Test(arguments: [nil, noon, noon + 3 * 86_400, noon + 364 * 86_400] as [UInt64?])
    func `nothing is removed unless a second clock agrees`(second: UInt64?) throws {
        let claim = try purchase(1, at: noon)
        _ = try ledger.open(claim, now: noon)
        let later = noon + 365 * 86_400 as UInt64
        #expect(
            try housekeeping.sweepPayments(now: later, secondClock: second, maximum: 9) == 0
        )
        #expect(try ledger.take(claim, now: noon) == .repeated(usesLeft: 4))
        #expect(try ledger.open(try purchase(2, at: noon), now: noon) == .taken(usesLeft: 4))
    }

    @Test func `payments that are over go in small steps`() throws {
        for number: UInt64 in 0..<25 { _ = try ledger.open(try paymentClaim(number), now: noon) }
        let late = noon + 3 * 86_400 as UInt64
        func sweep() throws -> Int {
            try housekeeping.sweepPayments(now: late, secondClock: late, maximum: 10)
        }
        #expect(try [sweep(), sweep(), sweep(), sweep()] == [10, 10, 5, 0])
    }

    @Test func `how full the tables are is told for the windows that are open`() throws {
        #expect(housekeeping.freeFill(now: noon).isEmpty)
        _ = try free.take(freeClaim(1, .hour), now: noon)
        let fill = housekeeping.freeFill(now: noon)
        #expect(fill.map(\.period) == [.hour])
        #expect(fill.allSatisfy { (0...1).contains($0.ratio) })
        #expect((0...1).contains(housekeeping.pendingFill(now: noon)))
    }
}
