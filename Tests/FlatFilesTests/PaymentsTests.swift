import Glibc
import L402
import Lightning
import Store
import TestTools
import Testing

@testable import FlatFiles

struct PaymentsTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    @Test func `an unlimited payment is served until it ends and writes nothing`() throws {
        let claim = try paymentClaim(uses: nil)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: nil))
        let before = try state.read(paymentPath(claim))
        for _ in 0..<5 { #expect(try payments.take(claim, now: noon) == .taken(usesLeft: nil)) }
        #expect(try state.read(paymentPath(claim)) == before)
        #expect(try payments.giveBack(claim, .failure, now: noon) == false)
        #expect(try payments.take(claim, now: claim.terms.validUntil) == .expired)
    }

    @Test func `the file keeps its size whatever happens to the count`() throws {
        let claim = try paymentClaim(uses: 500, request: "0")
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 499))
        let size = try state.read(paymentPath(claim)).count
        for number in 1..<500 {
            let next = try paymentClaim(uses: 500, request: String(number))
            #expect(try payments.take(next, now: noon) == .taken(usesLeft: UInt64(499 - number)))
        }
        #expect(try payments.take(claim, now: noon) == .spent)
        #expect(try state.read(paymentPath(claim)).count == size)
        #expect(size < 4096)
        #expect(
            try payments.giveBack(try paymentClaim(uses: 500, request: "499"), .failure, now: noon)
        )
    }

    @Test func `a damaged file denies and is named`() throws {
        let claim = try paymentClaim(uses: 5)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 4))
        let whole = try state.read(paymentPath(claim))
        var broken = (0..<whole.count).map { Array(whole.prefix($0)) }
        broken.append(whole.map { $0 == 0x30 ? 0x20 : $0 })
        broken.append([UInt8](repeating: 0, count: whole.count))
        broken.append(whole + whole)
        for bytes in broken {
            try state.write(paymentPath(claim), bytes)
            for attempt in [payments.take, payments.open] {
                let error = #expect(throws: StateError.self) { try attempt(claim, noon) }
                #expect(error?.reason.contains(claim.paymentHash.hex) == true)
            }
        }
        try state.write(paymentPath(claim), whole)
        #expect(try payments.take(claim, now: noon) == .taken(usesLeft: 3))
    }

    @Test(arguments: ["two\nlines", String(repeating: "x", count: 5000)])
    func `what could not be read back is not put on record`(service: String) throws {
        let claim = try paymentClaim(service: service)
        #expect(throws: StateError.self) { try payments.open(claim, now: noon) }
        #expect(!state.exists(paymentPath(claim)))
    }

    @Test func `an interrupted opening leaves nothing that counts`() throws {
        let claim = try paymentClaim()
        try state.write("payments/tmp/.1-abc", "l402-payment 1 used 00000")
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(claim, now: noon) == .spent)
    }
}

struct OperatorTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    @Test func `all payments are visited, the damaged ones as errors`() throws {
        for number: UInt64 in 1...5 {
            let claim = try paymentClaim(number, validUntil: noon + number * 86_400)
            #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 0))
        }
        let broken = try paymentClaim(3, validUntil: noon + 3 * 86_400)
        try state.write(paymentPath(broken), "")
        var found: Set<String> = []
        var failures = 0
        payments.visitAll { result in
            switch result {
            case .success(let record): found.insert(record.paymentHash.hex)
            case .failure: failures += 1
            }
        }
        #expect(found.count == 4)
        #expect(failures == 1)
    }
}

struct SweepTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    /// As while both clocks agree.
    func sweep(now: UInt64, maximum: Int) throws -> Int {
        try payments.sweep(now: now, secondClock: now, maximum: maximum)
    }

    @Test func `records outlive their tokens, and then go in small steps`() throws {
        for number: UInt64 in 0..<25 { _ = try payments.open(try paymentClaim(number), now: noon) }
        let midnight = noon / 86_400 * 86_400 + 86_400
        #expect(try sweep(now: noon, maximum: 100) == 0)
        #expect(try sweep(now: midnight + 86_399, maximum: 100) == 0)
        #expect(!state.exists("payments/expired-before"))
        #expect(try sweep(now: midnight + 86_400, maximum: 10) == 10)
        #expect(try sweep(now: midnight + 86_400, maximum: 10) == 10)
        #expect(try sweep(now: midnight + 86_400, maximum: 10) == 5)
        #expect(try sweep(now: midnight + 86_400, maximum: 10) == 0)
        #expect(state.names("payments") == ["expired-before", "tmp"])
    }

    @Test func `the date of what was swept never goes back`() throws {
        _ = try payments.open(try paymentClaim(1), now: noon)
        _ = try sweep(now: noon + 9 * 86_400, maximum: 10)
        let marked = try payments.sweepMark().sure
        let late = try paymentClaim(2, validUntil: noon + 20 * 86_400)
        _ = try payments.open(late, now: noon)
        mkdir("\(state.path)/payments/2026-11-20", 0o700)
        _ = try sweep(now: noon + 4 * 86_400, maximum: 10)
        #expect(try payments.sweepMark().sure == marked)
        #expect(try payments.take(late, now: noon) == .spent)
    }

    @Test(arguments: [
        "nonsense\n", "", "1795132800 2026-11-20", "1795132800 2026-11-21\n",
        "1795132800 2026-11-20 maybe\n", "1795132800 2026-11-20 unsure\n",
    ])
    func `a damaged date denies what is not on record`(text: String) throws {
        try state.write("payments/expired-before", text)
        #expect(throws: StateError.self) {
            try payments.open(try paymentClaim(), now: noon)
        }
    }

    @Test func `temporary files of killed processes go after an hour`() throws {
        try state.write("payments/tmp/.1-old", "x")
        try state.write("payments/tmp/.1-new", "x")
        state.age("payments/tmp/.1-old", seconds: 3700)
        _ = try sweep(now: noon, maximum: 100)
        #expect(state.names("payments/tmp") == [".1-new"])
    }
}
