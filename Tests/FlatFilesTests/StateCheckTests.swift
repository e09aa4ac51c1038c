import Glibc
import Store
import TestTools
import Testing

@testable import FlatFiles

struct StateCheckTests {
    let state: TemporaryState
    let directory: StateDirectory
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        directory = try state.open()
        payments = Payments(directory)
        _ = try KeyFile(directory)
        _ = try payments.open(try paymentClaim(uses: 2), now: noon)
        _ = try FreeTier(directory).take(freeClaim(1), now: noon)
        _ = try PendingPlaces(directory).reserve(
            client: [1],
            limit: 1,
            expiresAt: noon + 60,
            now: noon
        )
        TSVJournal(directory) { Issue.record("\($0)") }.record(
            JournalEvent(time: noon, kind: .paid)
        )
    }

    func check() -> [StateFinding] { StateCheck(path: state.path).check(now: noon) }

    /// What is found, then mended, then found again.
    func repaired() -> (found: [StateFinding], left: [StateFinding]) {
        let found = StateCheck(path: state.path).repair(now: noon).map(\.finding)
        return (found, check())
    }

    @Test func `a sound directory has no findings`() {
        #expect(check() == [])
    }

    @Test func `a directory that is missing is named`() {
        let findings = StateCheck(path: "\(state.path)/none").check(now: noon)
        #expect(findings.count == 1)
        #expect(findings.first?.isRepairable == false)
    }

    @Test(
        arguments: [
            ("", 0o755, 0o700), ("free", 0o777, 0o700), ("keys", 0o644, 0o600),
            ("free/2026-11-21.day", 0o666, 0o600), ("journal/2026-11-21.tsv", 0o640, 0o600),
        ] as [(String, mode_t, mode_t)]
    )
    func `wrong permissions are mended`(name: String, wrong: mode_t, right: mode_t) throws {
        let path = name.isEmpty ? state.path : "\(state.path)/\(name)"
        chmod(path, wrong)
        let (found, left) = repaired()
        #expect(found.map(\.path) == [path])
        #expect(left == [])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == right)
    }

    @Test func `a missing room is made`() throws {
        unlink("\(state.path)/pending/2026-11-21")
        rmdir("\(state.path)/pending")
        let (found, left) = repaired()
        #expect(found.count == 1)
        #expect(left == [])
    }

    @Test func `what a killed process left is removed`() throws {
        try state.write("payments/tmp/.1-a", "x")
        state.age("payments/tmp/.1-a", seconds: time(nil) - Int(noon) + 7200)
        let (found, left) = repaired()
        #expect(found.map(\.path) == ["\(state.path)/payments/tmp/.1-a"])
        #expect(left == [])
    }

    @Test func `an unfinished split is cut off`() throws {
        let whole = try state.read("free/2026-11-21.day")
        try state.write("free/2026-11-21.day", whole + [UInt8](repeating: 0, count: 1000))
        let (found, left) = repaired()
        #expect(found.count == 1)
        #expect(left == [])
        #expect(try state.read("free/2026-11-21.day") == whole)
        #expect(try FreeTier(directory).take(freeClaim(1), now: noon).isGranted == false)
    }

    @Test(arguments: ["free/2026-11-21.day", "pending/2026-11-21"])
    func `a damaged table is set aside and kept for a week`(name: String) throws {
        try state.write(name, "garbage")
        let (found, left) = repaired()
        #expect(found.map(\.path) == ["\(state.path)/\(name)"])
        #expect(left == [])
        #expect(state.exists(name + ".damaged"))
        #expect(!state.exists(name))
        #expect(try FreeTier(directory).take(freeClaim(2), now: noon).isGranted)
        state.age(name + ".damaged", seconds: time(nil) - Int(noon) + 8 * 86_400)
        #expect(repaired().left == [])
        #expect(!state.exists(name + ".damaged"))
    }

    @Test(arguments: [0, 20, 200])
    func `a damaged payment is named and never made usable`(kept: Int) throws {
        let claim = try paymentClaim(uses: 2)
        let path = paymentPath(claim)
        let damaged = Array(try state.read(path).prefix(kept))
        try state.write(path, damaged)
        let (found, left) = repaired()
        #expect(found.map(\.path) == ["\(state.path)/\(path)"])
        #expect(left == found)
        #expect(found.first?.isRepairable == false)
        #expect(try state.read(path) == damaged)
        #expect(throws: StateError.self) { try payments.open(claim, now: noon) }
    }

    @Test func `a payment in another's place is named`() throws {
        let bytes = try state.read(paymentPath(try paymentClaim()))
        try state.write(paymentPath(try paymentClaim(8)), bytes)
        #expect(check().count == 1)
    }

    @Test func `the date of what was swept is mended to one that revives nothing`() throws {
        let old = try paymentClaim(3, validUntil: noon - 3 * 86_400)
        _ = try payments.open(old, now: noon - 4 * 86_400)
        #expect(try payments.sweep(now: noon, secondClock: noon, maximum: 10) == 1)
        let before = try payments.sweepMark().sure
        try state.write("payments/expired-before", "17952\n")
        #expect(throws: StateError.self) {
            try Payments(directory).take(old, now: noon - 4 * 86_400)
        }
        #expect(repaired().left == [])
        #expect(try Payments(directory).sweepMark().sure >= before)
        #expect(try Payments(directory).open(old, now: noon - 4 * 86_400) == .expired)
    }

    @Test func `keys and a foreign format are only named`() throws {
        try state.write("keys", "garbage\n")
        try state.write("format", "l402-state 9\n")
        let (found, left) = repaired()
        #expect(found.count == 2)
        #expect(left == found)
        #expect(found.allSatisfy { !$0.isRepairable })
    }
}

extension StateCheckTests {
    @Test func `the recent requests get their size back`() throws {
        _ = try FreeTier(directory).take(freeClaim(1, limit: 2, request: "r"), now: noon)
        for count in [10, RecentRequests.fileBytes + 16] {
            try state.write("free/recent", [UInt8](repeating: 0, count: count))
            let (found, left) = repaired()
            #expect(found.map(\.path) == ["\(state.path)/free/recent"])
            #expect(left == [])
            #expect(try state.read("free/recent").count == RecentRequests.fileBytes)
        }
    }
}
