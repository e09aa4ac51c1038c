import Glibc
import Lightning
import Paywall
import Synchronization
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
        let damaged = try JournalReader(directory).visit(day: day) { events.append($0) }
        return (events, damaged)
    }

    @Test func `an event is one line under the names of its fields`() throws {
        let journal = TSVJournal(directory) { Issue.record("\($0)") }
        journal.record(
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
                time\tevent\tservice\ttier\tpayment_hash\tamount_msat\tuses_left\tcode\tmethod\tpath
                2026-11-21T12:00:00Z\tused\tdvm\t1\t\(hash)\t21000\t3\t\tPOST\t/api/dvm

                """
        )
    }

    @Test(arguments: ["/a\tb\nc\rd\u{0}e\\f\u{7f}g", "/ä/\u{1F600}", "\\x41", ""])
    func `every path is read back as it was`(path: String) throws {
        let journal = TSVJournal(directory) { Issue.record("\($0)") }
        journal.record(JournalEvent(time: noon, kind: .free, path: path))
        journal.record(JournalEvent(time: noon, kind: .refused, code: "spent"))
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.map(\.path) == [path, ""])
        #expect(read.events.map(\.kind) == [.free, .refused])
    }

    @Test func `a line is never longer than a page`() throws {
        let journal = TSVJournal(directory) { Issue.record("\($0)") }
        journal.record(
            JournalEvent(time: noon, kind: .free, path: String(repeating: "\t", count: 9000))
        )
        journal.record(JournalEvent(time: noon, kind: .free, path: "/next"))
        let lines = try state.read("journal/2026-11-21.tsv").split(separator: 0x0a)
        #expect(lines.count == 3)
        #expect(lines[1].count == 4095)
        #expect(try events().events.last?.path == "/next")
    }

    @Test func `each day has its file`() throws {
        let journal = TSVJournal(directory) { Issue.record("\($0)") }
        for day: UInt64 in 0..<3 {
            journal.record(JournalEvent(time: noon + day * 86_400, kind: .free))
        }
        let days = ["2026-11-21", "2026-11-22", "2026-11-23"]
        #expect(JournalReader(directory).days() == days)
        for day in days { #expect(try events(day).events.count == 1) }
        #expect(try events("2026-11-24").events.isEmpty)
        #expect(throws: StateError.self) { try events("../keys") }
    }

    @Test func `damaged lines are counted, and swallow no other`() throws {
        let journal = TSVJournal(directory) { Issue.record("\($0)") }
        journal.record(JournalEvent(time: noon, kind: .free))
        let text = try state.read("journal/2026-11-21.tsv")
        try state.write("journal/2026-11-21.tsv", text + Array("2026-11-21T12:0".utf8))
        let restarted = TSVJournal(directory) { Issue.record("\($0)") }
        restarted.record(JournalEvent(time: noon, kind: .paid))
        let read = try events()
        #expect(read.events.map(\.kind) == [.free, .paid])
        #expect(read.damaged == 1)
    }

    @Test func `failing is told once a minute and stops nothing`() throws {
        let told = Mutex<[String]>([])
        let journal = TSVJournal(directory) { reason in told.withLock { $0.append(reason) } }
        rmdir("\(state.path)/journal")
        for second: UInt64 in 0..<130 {
            journal.record(JournalEvent(time: noon + second, kind: .free))
        }
        #expect(told.withLock { $0.count } == 3)
        #expect(told.withLock { $0.first?.contains("journal") } == true)
        mkdir("\(state.path)/journal", 0o700)
        journal.record(JournalEvent(time: noon, kind: .free))
        #expect(try events().events.count == 1)
    }

    @Test func `lines of different processes never mix`() throws {
        _ = try race(4, "journal", state, ["500"])
        let read = try events()
        #expect(read.damaged == 0)
        #expect(read.events.count == 2000)
        #expect(read.events.allSatisfy { $0.path.count == 1501 })
    }
}
