import Store
import TestTools
import Testing
import Text

@testable import FlatFiles

/// A clock that was wrong for a while: nobody loses what he paid for, and nothing is used twice.
struct ClockTests {
    static let day: UInt64 = 86_400
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    /// As gates sell now: the token says how long it lives.
    func purchase(_ number: UInt64, at moment: UInt64, days: UInt64 = 30) throws -> PaymentClaim {
        try paymentClaim(
            number,
            uses: 5,
            validUntil: moment + 600 + days * Self.day,
            validSeconds: days * Self.day,
            request: "r\(number)"
        )
    }

    private func write(mark days: UInt64, _ words: String = "") throws {
        let midnight = noon / Self.day * Self.day + days * Self.day
        try state.write(
            "payments/expired-before",
            "\(midnight) \(CalendarText.date(midnight))\(words)\n"
        )
    }

    @Test(arguments: [nil, noon, noon + 3 * day, noon + 364 * day] as [UInt64?])
    func `nothing is removed or marked unless a second clock agrees`(second: UInt64?) throws {
        let claim = try purchase(1, at: noon)
        _ = try payments.open(claim, now: noon)
        try state.write("payments/tmp/.1-a", "x")
        #expect(
            try payments.sweep(now: noon + 365 * Self.day, secondClock: second, maximum: 9) == 0
        )
        #expect(!state.exists("payments/expired-before"))
        #expect(state.exists("payments/tmp/.1-a"))
        #expect(try payments.take(claim, now: noon) == .repeated(usesLeft: 4))
        #expect(try payments.open(try purchase(2, at: noon), now: noon) == .taken(usesLeft: 4))
    }

    @Test func `a date that an older release wrote ahead costs nobody what is bought now`() throws {
        let known = try purchase(1, at: noon)
        let older = try paymentClaim(2, uses: 5, validUntil: noon + 30 * Self.day, request: "o")
        _ = try payments.open(known, now: noon)
        _ = try payments.open(older, now: noon)
        try write(mark: 365)
        for ledger in [payments, Payments(try state.open())] {
            // What is on record is served, and what was used stays used.
            #expect(try ledger.take(known, now: noon) == .repeated(usesLeft: 4))
            #expect(try ledger.take(older, now: noon) == .repeated(usesLeft: 4))
            // What that release sold and has no file may have been removed by it.
            let gone = try paymentClaim(3, uses: 5, validUntil: noon + 30 * Self.day)
            #expect(try ledger.take(gone, now: noon) == .expired)
            #expect(try ledger.open(gone, now: noon) == .expired)
        }
        let bought = try purchase(4, at: noon)
        #expect(try payments.take(bought, now: noon) == .unknown)
        #expect(try payments.open(bought, now: noon) == .taken(usesLeft: 4))
    }

    @Test func `sweeping under such a date still revives nothing when the clock steps back`() throws
    {
        try write(mark: 365)
        let claim = try purchase(1, at: noon, days: 1)
        _ = try payments.open(claim, now: noon)
        let later = noon + 5 * Self.day
        #expect(try payments.sweep(now: later, secondClock: later, maximum: 9) == 1)
        for ledger in [payments, Payments(try state.open())] {
            #expect(try ledger.take(claim, now: noon) == .expired)
            #expect(try ledger.open(claim, now: noon) == .expired)
        }
        #expect(try payments.open(try purchase(2, at: later), now: later) == .taken(usesLeft: 4))
        let older = try paymentClaim(3, uses: 5, validUntil: later + 30 * Self.day)
        #expect(try payments.open(older, now: later) == .expired)
    }

    @Test(arguments: ["", " sure"])
    func `check finds a date ahead of the clock, and repair mends it`(words: String) throws {
        _ = try KeyFile(try state.open())
        try write(mark: 365, words)
        let check = StateCheck(path: state.path)
        let found = check.check(now: noon)
        #expect(found.map(\.path) == ["\(state.path)/payments/expired-before"])
        #expect(found.first?.problem.contains("2027-11-21") == true)
        let bought = try purchase(1, at: noon)
        #expect(try payments.take(bought, now: noon) == (words.isEmpty ? .unknown : .expired))
        #expect(check.repair(now: noon).allSatisfy { $0.failure == nil })
        #expect(check.check(now: noon) == [])
        // What was bought before may have been removed; what is bought from now on was not.
        #expect(try payments.open(try purchase(2, at: noon - 600), now: noon) == .expired)
        #expect(try payments.open(try purchase(3, at: noon), now: noon) == .taken(usesLeft: 4))
        let older = try paymentClaim(4, uses: 5, validUntil: noon + 30 * Self.day)
        #expect(try payments.open(older, now: noon) == .expired)
    }

    @Test func `counts of a day to come are found, and dropped by a repair`() throws {
        let directory = try state.open()
        _ = try KeyFile(directory)
        let free = FreeTier(directory)
        for ahead in [0, 3600, 3 * Self.day] {
            for period in FreePeriod.allCases {
                _ = try free.take(freeClaim(1, period), now: noon + ahead)
            }
            _ = try PendingPlaces(directory).reserve(
                client: [1],
                limit: 9,
                expiresAt: noon + ahead + 60,
                now: noon + ahead
            )
        }
        let check = StateCheck(path: state.path)
        #expect(check.check(now: noon).count == 4)
        #expect(check.repair(now: noon).allSatisfy { $0.failure == nil })
        #expect(check.check(now: noon) == [])
        #expect(try free.take(freeClaim(1), now: noon).isGranted == false)
        #expect(try free.take(freeClaim(1), now: noon + 3 * Self.day).isGranted)
    }

    @Test func `a date that is not ahead is no finding`() throws {
        _ = try KeyFile(try state.open())
        for words in ["", " sure"] {
            try write(mark: 0, words)
            #expect(StateCheck(path: state.path).check(now: noon) == [])
        }
    }
}
