import Glibc
import L402
import Store
import TestTools
import Testing

@testable import FlatFiles

/// Several processes at once. L402_TEST_ROUNDS repeats the races for payments so many times.
@Suite(.serialized)
struct RaceTests {
    static let rounds = setting("L402_TEST_ROUNDS", default: 1)

    @Test(arguments: [1, 100])
    func `of 10,000 tries in 4 processes exactly as many pass as were paid for`(uses: Int) throws {
        for _ in 0..<Self.rounds {
            let state = try TemporaryState()
            let taken = try race(4, "redeem", state, [String(uses), "2500"])
            #expect(taken.count == uses)
            #expect(taken.allSatisfy { $0 == "taken" })
            #expect(try Payments(try state.open()).record(try paymentHash(7))?.used == UInt64(uses))
        }
    }

    @Test func `system calls that are interrupted are taken up again`() throws {
        let state = try TemporaryState()
        let taken = try race(4, "redeem", state, ["1000", "1000", "interrupted"])
        #expect(taken.count == 1000)
        #expect(taken.allSatisfy { $0 == "taken" })
    }

    @Test func `of 1,000 free requests in 4 processes exactly the allowance passes`() throws {
        for limit in [1, 7, 100] {
            let taken = try race(4, "free", try TemporaryState(), [String(limit), "250"])
            #expect(taken.count == limit)
        }
    }

    @Test func `the same with a process for each request`() throws {
        #expect(try race(40, "free", try TemporaryState(), ["7", "1"]).count == 7)
    }

    @Test func `one request asked for again and again in 8 processes takes once`() throws {
        for _ in 0..<Self.rounds {
            let state = try TemporaryState()
            let said = try race(8, "same", state, ["100"])
            #expect(said.filter { $0 == "taken" }.count == 1)
            #expect(said.filter { $0 == "repeated" }.count == 799)
            #expect(said.filter { $0 == "free" }.count == 800)
            #expect(try Payments(try state.open()).record(try paymentHash(7))?.used == 1)
            let left = try FreeTier(try state.open()).take(freeClaim(1, limit: 10), now: noon).left
            #expect(left == 8)
        }
    }

    @Test func `what 50 requests took comes back once each, whoever of 4 processes returns it`()
        throws
    {
        let state = try TemporaryState()
        let payments = Payments(try state.open())
        let free = FreeTier(try state.open())
        for id in 0..<50 {
            let claim = try paymentClaim(uses: 50, request: "\(id)")
            _ = try id == 0 ? payments.open(claim, now: noon) : payments.take(claim, now: noon)
            _ = try free.take(freeClaim(1, limit: 50, request: "\(id)"), now: noon)
        }
        let said = try race(4, "return", state, ["50"])
        #expect(said.count == 100)
        #expect(Set(said).count == 100)
        #expect(try payments.record(try paymentHash(7))?.used == 0)
        #expect(try free.take(freeClaim(1, limit: 50), now: noon).left == 49)
    }

    @Test func `one use covers 60 further requests over 4 processes`() throws {
        let state = try TemporaryState()
        let key = DeliveryKey(
            address: [UInt8](repeating: 1, count: 8),
            graceSeconds: 600,
            mayRepeat: true
        )
        let first = try paymentClaim(uses: 1, request: "first", delivery: key)
        _ = try Payments(try state.open()).open(first, now: noon)
        #expect(try race(4, "grace", state, ["100"]).count == 60)
    }

    @Test func `of many challenges in 4 processes one client holds as many as he may`() throws {
        let places = try race(4, "pending", try TemporaryState(), ["10", "250"])
        #expect(places.count == 10)
        #expect(Set(places).count == 10)
    }
}

/// Processes that are killed at random instants, and what they leave. L402_TEST_KILLS says how
/// often.
@Suite(.serialized)
struct KillTests {
    static let kills = setting("L402_TEST_KILLS", default: 40)

    @Test(arguments: [5, 1_000_000_000])
    func `taking and returning, no use is given twice and none is lost`(uses: Int) throws {
        let state = try TemporaryState()
        let room = try TemporaryState()
        let payments = Payments(try state.open())
        _ = try payments.open(try paymentClaim(uses: UInt64(uses)), now: noon)
        var taken = 1
        var returning = 0
        var returned = 0
        var killed = 0
        for round in 0..<max(1, Self.kills / 2) {
            let drivers = try (0..<2).map {
                try Driver("mix", state, [String(uses)], output: "\(room.path)/\(round)-\($0)")
            }
            // With all uses taken there is nothing more to be said.
            if uses > 5 { for driver in drivers { try driver.waitForOutput() } }
            usleep(.random(in: 500...20_000))
            for driver in drivers { driver.killNow() }
            killed += drivers.count
            for line in drivers.flatMap({ driver in (try? driver.lines()) ?? [] }) {
                switch line {
                case "taken": taken += 1
                case "returning": returning += 1
                case "returned": returned += 1
                case let other: Issue.record("\(other)")
                }
            }
            let used = Int(try #require(try payments.record(try paymentHash(7))).used)
            // Never more served than uses; each use served is counted unless its return had begun;
            // counted without being served is at most the one that a killed process was at.
            #expect(used <= uses)
            #expect(taken - returning <= used)
            #expect(used <= taken - returned + killed)
        }
        let left = try payments.take(try paymentClaim(uses: UInt64(uses)), now: noon)
        #expect(left != .unknown)
    }

    @Test func `a request whose process was killed gets its use back, and no other`() throws {
        let state = try TemporaryState()
        let room = try TemporaryState()
        let payments = Payments(try state.open())
        for round in 0..<max(1, Self.kills / 2) {
            let driver = try Driver(
                "endless",
                state,
                ["1000000000"],
                output: "\(room.path)/\(round)"
            )
            try driver.waitForOutput()
            usleep(.random(in: 500...10_000))
            driver.killNow()
            let last = try #require(try driver.lines().last).split(separator: " ")
            let claim = try paymentClaim(uses: 1_000_000_000, request: String(last[1]))
            func used() throws -> UInt64 { try payments.record(try paymentHash(7))?.used ?? 0 }
            let before = try used()
            var outcome = try payments.take(claim, now: noon)
            if outcome == .unknown { outcome = try payments.open(claim, now: noon) }
            switch outcome {
            case .repeated: #expect(try used() == before)
            case .taken: #expect(try used() == before + 1 && last[0] == "asking")
            default: Issue.record("\(outcome)")
            }
        }
    }

    @Test func `while days and windows go by, every payment served stays spent`() throws {
        let state = try TemporaryState()
        let room = try TemporaryState()
        _ = try KeyFile(try state.open())
        var served: [PaymentClaim] = []
        var isSwept = false
        for round in 0..<max(1, Self.kills / 2) {
            // Each round begins three days later, and sweeps what earlier ones left.
            let start = noon + UInt64(round) * 3 * 86_400
            let drivers = try (0..<2).map {
                try Driver("live", state, now: start, output: "\(room.path)/\(round)-\($0)")
            }
            for driver in drivers { try driver.waitForOutput() }
            usleep(.random(in: 500...40_000))
            for driver in drivers { driver.killNow() }
            for line in try drivers.flatMap({ try $0.lines() }) {
                let words = line.split(separator: " ")
                guard words.count == 3, words[0] == "opened", let id = UInt64(words[1]),
                    let until = UInt64(words[2])
                else {
                    Issue.record("\(line)")
                    continue
                }
                served.append(try paymentClaim(id, validUntil: until))
            }
            let payments = Payments(try state.open())
            let revived = try served.filter { claim in
                // The clock stands back at when each of them was good.
                let outcome = try payments.open(claim, now: claim.terms.validUntil - 1)
                if outcome == .expired { isSwept = true }
                return ![.spent, .spentJustNow, .expired].contains(outcome)
            }
            #expect(revived.isEmpty)
            // Nothing a killed process leaves is damage: temporaries and unfinished splits at most.
            let findings = StateCheck(path: state.path).check(now: noon)
            #expect(findings.allSatisfy { $0.isRepairable && $0.mend != .setAside }, "\(findings)")
        }
        #expect(isSwept)
    }
}
