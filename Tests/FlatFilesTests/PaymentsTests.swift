import Glibc
import L402
import Lightning
import Store
import Testing

@testable import FlatFiles

struct PaymentsTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    @Test func `a payment gives exactly its uses`() throws {
        let claim = try paymentClaim(uses: 3)
        #expect(try payments.take(claim, now: noon) == .unknown)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 2))
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 1))
        #expect(try payments.take(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(claim, now: noon) == .spent)
        #expect(try payments.open(claim, now: noon) == .spent)
    }

    @Test func `a bound put on the token by its holder holds`() throws {
        #expect(try payments.open(try paymentClaim(uses: 3), now: noon) == .taken(usesLeft: 2))
        #expect(try payments.take(try paymentClaim(uses: 3, cap: 1), now: noon) == .spent)
        #expect(try payments.take(try paymentClaim(uses: 3), now: noon) == .taken(usesLeft: 1))
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

    @Test func `a use comes back once, and only to the request that took it`() throws {
        let mine = try paymentClaim(uses: 2, request: "mine")
        let other = try paymentClaim(uses: 2, request: "other")
        #expect(try payments.giveBack(mine, .failure, now: noon) == false)
        #expect(try payments.open(mine, now: noon) == .taken(usesLeft: 1))
        #expect(try payments.giveBack(other, .failure, now: noon) == false)
        #expect(try payments.giveBack(mine, .failure, now: noon))
        #expect(try payments.giveBack(mine, .failure, now: noon) == false)
        let third = try paymentClaim(uses: 2, request: "third")
        #expect(try payments.take(other, now: noon) == .taken(usesLeft: 1))
        #expect(try payments.take(third, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(mine, now: noon) == .spent)
    }

    @Test(arguments: [1, 2, 200] as [UInt64])
    func `the same request takes once however often it asks, and returns once`(uses: UInt64) throws
    {
        let claim = try paymentClaim(uses: uses, request: "again")
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: uses - 1))
        for _ in 0..<3 {
            #expect(try payments.take(claim, now: noon) == .repeated(usesLeft: uses - 1))
            #expect(try payments.open(claim, now: noon) == .repeated(usesLeft: uses - 1))
        }
        #expect(try payments.record(claim.paymentHash)?.used == 1)
        #expect(try payments.giveBack(claim, .failure, now: noon))
        #expect(try payments.giveBack(claim, .failure, now: noon) == false)
        #expect(try payments.record(claim.paymentHash)?.used == 0)
        #expect(try payments.take(claim, now: noon) == .taken(usesLeft: uses - 1))
    }

    @Test func `whatever failed requests took comes back, and of many the last 64 are known`()
        throws
    {
        let claims = try (0..<100).map { try paymentClaim(uses: 100, request: "\($0)") }
        _ = try payments.open(claims[0], now: noon)
        for claim in claims.dropFirst() { _ = try payments.take(claim, now: noon) }
        #expect(try payments.take(try paymentClaim(uses: 100, request: "x"), now: noon) == .spent)
        let returned = try claims.map { try payments.giveBack($0, .nothingDelivered, now: noon) }
        #expect(returned == Array(repeating: false, count: 36) + Array(repeating: true, count: 64))
        #expect(try payments.record(claims[0].paymentHash)?.used == 36)
    }

    @Test func `looking says what a take would and takes nothing`() throws {
        let mine = try paymentClaim(uses: 1, request: "mine")
        let other = try paymentClaim(uses: 1, request: "other")
        #expect(try payments.look(mine, now: noon) == .unknown)
        #expect(try payments.open(mine, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.look(mine, now: noon) == .repeated(usesLeft: 0))
        #expect(try payments.look(other, now: noon) == .spent)
        _ = try payments.giveBack(mine, .nothingDelivered, now: noon)
        for _ in 0..<3 { #expect(try payments.look(other, now: noon) == .taken(usesLeft: 0)) }
        #expect(try payments.record(mine.paymentHash)?.used == 0)
        #expect(try payments.look(mine, now: noon + 3600) == .expired)
        _ = try payments.revoke(mine.paymentHash)
        #expect(try payments.look(mine, now: noon) == .revoked)
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
        _ = try payments.open(try claim(1), now: noon)
        #expect(try payments.record(try paymentHash(1))?.ends == noon + 3600)
        #expect(try payments.look(try claim(1), now: noon + 3599) != .expired)
        for ask in [payments.take, payments.open, payments.look] {
            #expect(try ask(try claim(1), noon + 3600) == .expired)
        }
        _ = try payments.open(try claim(2), now: noon + 4000)
        #expect(try payments.record(try paymentHash(2))?.ends == noon + 4200)
        #expect(try payments.open(try claim(3), now: noon + 4200) == .expired)
        #expect(try payments.terms(of: try paymentHash(1)) == (try claim(1)).terms)
    }

    @Test func `a request without an id returns nothing`() throws {
        let claim = try paymentClaim(uses: 2)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 1))
        #expect(try payments.giveBack(claim, .failure, now: noon) == false)
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

    @Test func `a token of another service, end or number of uses is refused`() throws {
        #expect(try payments.open(try paymentClaim(uses: 5), now: noon) == .taken(usesLeft: 4))
        for wrong in [
            try paymentClaim(uses: 5, service: "other"), try paymentClaim(uses: 6),
            try paymentClaim(uses: nil), try paymentClaim(uses: 5, validUntil: noon + 3601),
            try paymentClaim(uses: 5, site: "other"), try paymentClaim(uses: 5, validSeconds: 60),
            try paymentClaim(uses: 5, priceSats: 20),
        ] {
            #expect(throws: StateError.self) { try payments.look(wrong, now: noon) }
            #expect(throws: StateError.self) { try payments.take(wrong, now: noon) }
            #expect(throws: StateError.self) { try payments.open(wrong, now: noon) }
        }
        #expect(try payments.record(try paymentHash(7))?.used == 1)
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

    @Test func `a changed file survives a new start`() throws {
        let claim = try paymentClaim(uses: 2)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 1))
        let restarted = Payments(try state.open())
        #expect(try restarted.take(claim, now: noon) == .taken(usesLeft: 0))
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

    @Test func `what is on record can be read`() throws {
        #expect(try payments.record(try paymentHash(7)) == nil)
        #expect(try payments.open(try paymentClaim(uses: 5), now: noon) == .taken(usesLeft: 4))
        let record = try #require(try payments.record(try paymentHash(7)))
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
        #expect(try payments.revoke(claim.paymentHash) == nil)
        _ = try payments.open(claim, now: noon)
        #expect(try payments.revoke(claim.paymentHash)?.isRevoked == true)
        #expect(try payments.take(claim, now: noon) == .revoked)
        #expect(try payments.open(claim, now: noon) == .revoked)
        #expect(try payments.refund(claim.paymentHash)?.isRevoked == true)
        #expect(try payments.take(claim, now: noon) == .revoked)
    }

    @Test func `a use given back by the operator is not given back by the request again`() throws {
        let claim = try paymentClaim(uses: 1, request: "r")
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.refund(claim.paymentHash)?.used == 0)
        #expect(try payments.refund(claim.paymentHash)?.used == 0)
        #expect(try payments.giveBack(claim, .failure, now: noon) == false)
        #expect(try payments.take(claim, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(claim, now: noon) == .repeated(usesLeft: 0))
        let other = try paymentClaim(uses: 1, request: "other")
        #expect(try payments.take(other, now: noon) == .spent)
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

    @Test func `a clock that steps back revives nothing`() throws {
        let claim = try paymentClaim(uses: 5)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 4))
        #expect(try sweep(now: noon + 3 * 86_400, maximum: 10) == 1)
        for ledger in [payments, Payments(try state.open())] {
            #expect(try ledger.take(claim, now: noon) == .expired)
            #expect(try ledger.open(claim, now: noon) == .expired)
        }
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

    @Test func `payments that end beyond the year 9999 are kept`() throws {
        let claim = try paymentClaim(validUntil: 253_402_300_800 + 86_400)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 0))
        _ = try sweep(now: noon + 40 * 86_400, maximum: 100)
        #expect(try payments.take(claim, now: noon + 40 * 86_400) == .spent)
    }

    @Test func `temporary files of killed processes go after an hour`() throws {
        try state.write("payments/tmp/.1-old", "x")
        try state.write("payments/tmp/.1-new", "x")
        state.age("payments/tmp/.1-old", seconds: 3700)
        _ = try sweep(now: noon, maximum: 100)
        #expect(state.names("payments/tmp") == [".1-new"])
    }
}
