import Glibc
import Lightning
import Store
import Synchronization
import TestTools
import Testing

@testable import FlatFiles

struct JournalTests {
    let state: TemporaryState
    let directory: StateDirectory

    init() throws {
        state = try TemporaryState()
        directory = try state.open()
    }

    func events(_ day: String = "2026-11-21") throws -> (events: [JournalEvent], damaged: Int) {
        var events: [JournalEvent] = []
        let damaged = try JournalReader(directory).visit(day: day) { event, _ in
            events.append(event)
        }
        return (events, damaged)
    }

    func journal(isOneShot: Bool = false) -> TSVJournal {
        TSVJournal(directory, isOneShot: isOneShot) { Issue.record("\($0)") }
    }

    /// Counts by kind and code, of all lines of a day.
    func counts(_ day: String = "2026-11-21") throws -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        _ = try JournalReader(directory).visit(day: day) { event, count in
            counts["\(event.kind) \(event.code)", default: 0] += count
        }
        return counts
    }

    func lines(_ name: String = "2026-11-21.tsv") throws -> Int {
        try state.read("journal/\(name)").split(separator: 0x0a).count - 1
    }

    func refusal(_ time: UInt64, _ code: String = "no_rule", service: String = "") -> JournalEvent {
        JournalEvent(time: time, kind: .refused, service: service, code: code, path: "/x")
    }

    @Test func `an event is one line under the names of its fields`() throws {
        journal().record(
            JournalEvent(
                time: noon,
                kind: .used,
                service: "dvm",
                tier: 1,
                paymentHash: try paymentHash(7),
                amount: Millisatoshis(msat: 21_000),
                usesLeft: 3,
                method: "POST",
                path: "/api/dvm"
            )
        )
        let hash = try paymentHash(7).hex
        let text = String(decoding: try state.read("journal/2026-11-21.tsv"), as: UTF8.self)
        #expect(
            text == """
                time\tevent\tservice\ttier\tpayment_hash\tamount_msat\tuses_left\tcode\tmethod\tpath\tcount
                2026-11-21T12:00:00Z\tused\tdvm\t1\t\(hash)\t21000\t3\t\tPOST\t/api/dvm\t1

                """
        )
    }

    @Test func `what anybody can cause is one line a minute for each service and code`() throws {
        let journal = journal()
        let pass = try paymentHash(7)
        for second: UInt64 in 0..<120 {
            for code in ["spent", "no_rule"] { journal.record(refusal(noon + second, code)) }
            journal.record(JournalEvent(time: noon + second, kind: .free, service: "dvm"))
            journal.record(
                JournalEvent(time: noon + second, kind: .used, service: "dvm", paymentHash: pass)
            )
        }
        journal.flush(now: noon + 120)
        #expect(try lines() == 8)
        #expect(
            try counts() == [
                "refused spent": 120, "refused no_rule": 120, "free ": 120, "used ": 120,
            ]
        )
        #expect(try events().events.allSatisfy { $0.path.isEmpty && $0.time % 60 == 0 })
    }

    @Test func `a minute is written when it is over, by the next event, a flush or the end`() throws
    {
        let journal = journal()
        journal.record(refusal(noon))
        journal.flush(now: noon + 59)
        #expect(try counts().isEmpty)
        journal.record(JournalEvent(time: noon + 60, kind: .paid))
        #expect(try counts() == ["refused no_rule": 1, "paid ": 1])
        journal.record(refusal(noon + 61))
        journal.flush(now: noon + 62, isLast: true)
        #expect(try counts()["refused no_rule"] == 2)
    }

    @Test func `beyond 512 services and codes a minute, what is new is counted together`() throws {
        let journal = journal()
        for number in 0..<2000 { journal.record(refusal(noon, "c\(number)")) }
        journal.flush(now: noon + 60)
        #expect(try lines() == 513)
        #expect(try counts()["refused other"] == 1488)
    }

    @Test func `the hash of an undecided payment is in the journal, within bounds`() throws {
        let journal = journal()
        for number: UInt64 in 0..<200 {
            for _ in 0..<3 {
                journal.record(
                    JournalEvent(
                        time: noon,
                        kind: .undecided,
                        service: "dvm",
                        paymentHash: try paymentHash(number),
                        code: "payment_undecided"
                    )
                )
            }
        }
        journal.flush(now: noon + 60)
        #expect(try lines() == 65)
        #expect(try counts() == ["undecided payment_undecided": 600])
        #expect(try events().events.contains { $0.paymentHash == (try? paymentHash(3)) })
    }

    @Test func `processes of one request each count together, and one of them writes it`() throws {
        for second: UInt64 in 0..<130 {
            let one = journal(isOneShot: true)
            one.record(refusal(noon + second, service: "dvm"))
        }
        #expect(try lines() == 2)
        journal(isOneShot: true).flush(now: noon + 180)
        #expect(try counts() == ["refused no_rule": 130])
        journal().flush(now: noon + 300)
        #expect(try counts() == ["refused no_rule": 130])
    }

    @Test(arguments: ["", "l402-minute 1 0029921040 0000000123\n", "nonsense", "l402-minute 1 "])
    func `a damaged count of a minute stops nothing`(text: String) throws {
        try state.write("journal/minute", text)
        journal(isOneShot: true).record(refusal(noon))
        journal(isOneShot: true).record(refusal(noon + 60))
        #expect(try counts() == ["refused no_rule": 1])
    }

    @Test(arguments: ["/a\tb\nc\rd\u{0}e\\f\u{7f}g", "/ä/\u{1F600}", "\\x41", ""])
    func `every path is read back as it was`(path: String) throws {
        let journal = journal()
        journal.record(JournalEvent(time: noon, kind: .challenge, path: path))
        journal.record(JournalEvent(time: noon, kind: .refunded))
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.map(\.path) == [path, ""])
        #expect(read.events.map(\.kind) == [.challenge, .refunded])
    }

    @Test func `a long path is cut`() throws {
        let journal = journal()
        for character in ["\t", "x"] {
            let path = String(repeating: character, count: 9000)
            journal.record(
                JournalEvent(time: noon, kind: .challenge, method: path, path: path)
            )
        }
        journal.record(JournalEvent(time: noon, kind: .challenge, path: "/next"))
        let lines = try state.read("journal/2026-11-21.tsv").split(separator: 0x0a)
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.count < 1400 })
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.map(\.path.utf8.count) == [256, 256, 5])
    }

    @Test func `each day has its file`() throws {
        let journal = journal()
        for day: UInt64 in 0..<3 {
            journal.record(JournalEvent(time: noon + day * 86_400, kind: .paid))
        }
        let days = ["2026-11-21", "2026-11-22", "2026-11-23"]
        #expect(JournalReader(directory).days() == days)
        for day in days { #expect(try events(day).events.count == 1) }
        #expect(try events("2026-11-24").events.isEmpty)
        #expect(throws: StateError.self) { try events("../keys") }
    }

    @Test func `a file with other columns stays, and both are read`() throws {
        let older = """
            time\tevent\tservice\ttier\tpayment_hash\tamount_msat\tuses_left\tcode\tmethod\tpath
            2026-11-21T11:00:00Z\tpaid\tdvm\t1\t\t21000\t3\t\tPOST\t/api/dvm

            """
        try state.write("journal/2026-11-21.tsv", older)
        journal().record(JournalEvent(time: noon, kind: .paid, amount: Millisatoshis(msat: 7000)))
        journal().record(JournalEvent(time: noon + 1, kind: .paid))
        #expect(String(decoding: try state.read("journal/2026-11-21.tsv"), as: UTF8.self) == older)
        #expect(state.names("journal") == ["2026-11-21.2.tsv", "2026-11-21.tsv"])
        #expect(JournalReader(directory).days() == ["2026-11-21"])
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.map(\.amount.msat) == [21_000, 7000, 0])
        #expect(read.events.map(\.path) == ["/api/dvm", "", ""])
    }

    @Test func `damaged lines are counted, and swallow no other`() throws {
        journal().record(JournalEvent(time: noon, kind: .used, usesLeft: 1))
        let text = try state.read("journal/2026-11-21.tsv")
        try state.write("journal/2026-11-21.tsv", text + Array("2026-11-21T12:0".utf8))
        journal().record(JournalEvent(time: noon, kind: .paid))
        let read = try events()
        #expect(read.events.map(\.kind) == [.used, .paid])
        #expect(read.damaged == 1)
    }

    @Test func `failing is told once a minute and stops nothing`() throws {
        let told = Mutex<[String]>([])
        let journal = TSVJournal(directory) { reason in told.withLock { $0.append(reason) } }
        rmdir("\(state.path)/journal")
        for second: UInt64 in 0..<130 {
            journal.record(JournalEvent(time: noon + second, kind: .paid))
        }
        #expect(told.withLock { $0.count } == 3)
        #expect(told.withLock { $0.first?.contains("journal") } == true)
        mkdir("\(state.path)/journal", 0o700)
        journal.record(JournalEvent(time: noon, kind: .paid))
        #expect(try events().events.count == 1)
    }

    @Test func `lines of different processes never mix`() throws {
        _ = try race(4, "journal", state, ["500"])
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.count == 2000)
        #expect(read.events.allSatisfy { $0.path.utf8.count == 256 })
    }
}

/// What the journal may take of the disk.
struct JournalSweepTests {
    static let day: UInt64 = 86_400
    let state: TemporaryState
    let directory: StateDirectory
    let journal: TSVJournal

    init() throws {
        state = try TemporaryState()
        directory = try state.open()
        journal = TSVJournal(directory) { Issue.record("\($0)") }
    }

    /// A day with as many lines of challenges, and one each about money.
    private func write(_ day: UInt64, challenges: Int = 100) {
        for number in 0..<challenges {
            journal.record(
                JournalEvent(time: noon + day * Self.day, kind: .challenge, path: "/\(number)")
            )
        }
        for kind in [JournalEvent.Kind.paid, .settled, .refunded] {
            journal.record(JournalEvent(time: noon + day * Self.day, kind: kind))
        }
    }

    /// As if nobody had written to them for a while.
    private func age() {
        for name in state.names("journal") { state.age("journal/\(name)", seconds: 130) }
    }

    private func sweep(_ day: UInt64, bytes: Int, days: UInt64 = 400) throws {
        let now = noon + day * Self.day
        try journal.sweep(now: now, secondClock: now, days: days, bytes: bytes)
    }

    private func kinds(_ day: String) throws -> [JournalEvent.Kind] {
        var kinds: [JournalEvent.Kind] = []
        #expect(
            try JournalReader(directory).visit(day: day) {
                kinds.append($0.kind); _ = $1
            } == 0
        )
        return kinds
    }

    @Test func `days that are too old go, money and all`() throws {
        for day: UInt64 in 0..<4 { write(day, challenges: 1) }
        try sweep(3, bytes: .max, days: 2)
        #expect(JournalReader(directory).days() == ["2026-11-22", "2026-11-23", "2026-11-24"])
    }

    @Test func `beyond its size the oldest days go first, and what was received stays`() throws {
        for day: UInt64 in 0..<4 { write(day) }
        let size = try state.read("journal/2026-11-21.tsv").count
        age()
        try sweep(3, bytes: 3 * size)
        #expect(
            state.names("journal") == [
                "2026-11-21.money.tsv", "2026-11-22.money.tsv", "2026-11-23.tsv", "2026-11-24.tsv",
            ]
        )
        for day in ["2026-11-21", "2026-11-22"] {
            #expect(try kinds(day) == [.paid, .settled, .refunded])
        }
        #expect(try kinds("2026-11-24").count == 103)
        // What is left is not gone through again, nor lost.
        try sweep(3, bytes: 1000)
        #expect(try kinds("2026-11-21") == [.paid, .settled, .refunded])
        try sweep(3, bytes: 0, days: 2)
        #expect(JournalReader(directory).days().first == "2026-11-22")
    }

    @Test func `a file that is written to is set aside first, and no line about money is lost`()
        throws
    {
        write(0)
        try sweep(0, bytes: 100)
        #expect(state.names("journal") == ["2026-11-21.2.tsv"])
        // A second later its writer looks again.
        journal.record(JournalEvent(time: noon + 1, kind: .paid))
        age()
        journal.record(JournalEvent(time: noon + 2, kind: .paid))
        try sweep(0, bytes: 100)
        #expect(state.names("journal") == ["2026-11-21.2.money.tsv", "2026-11-21.3.tsv"])
        #expect(try kinds("2026-11-21") == [.paid, .settled, .refunded, .paid, .paid])
    }

    @Test(arguments: [nil, noon] as [UInt64?])
    func `a clock that is wrong drops nothing`(second: UInt64?) throws {
        write(0)
        age()
        try journal.sweep(now: noon + 900 * Self.day, secondClock: second, days: 400, bytes: 0)
        #expect(try kinds("2026-11-21").count == 103)
    }
}
