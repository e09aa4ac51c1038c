import Lightning
import Store
import TestTools
import Testing

/// What happened, written and read back.
struct JournalTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var journal: any Journal { tested.books.journal }
    private var history: any JournalHistory { tested.backOffice.history }
    private var housekeeping: any Housekeeping { tested.backOffice.housekeeping }

    @Test func `what is recorded is read back as it was`() throws {
        let event = JournalEvent(
            time: noon,
            kind: .used,
            service: "dvm",
            tier: 1,
            paymentHash: try paymentHash(7),
            amount: Millisatoshis(msat: 21_000),
            usesLeft: 3,
            method: "POST",
            path: "/a\tb\nc\\d/\u{1F600}"
        )
        journal.record(event)
        journal.record(JournalEvent(time: noon + 86_400, kind: .challenge, path: "/x"))
        #expect(try tested.again().backOffice.history.days() == ["2026-11-21", "2026-11-22"])
        var read: [JournalEvent] = []
        let damaged = try history.visit(day: "2026-11-21") { event, count in
            if count == 1 { read.append(event) }
        }
        #expect(damaged == 0)
        let first = try #require(read.first)
        #expect(read.count == 1 && first.time == noon && first.kind == .used)
        #expect(first.service == "dvm" && first.tier == 1 && first.usesLeft == 3)
        #expect(first.paymentHash == event.paymentHash && first.amount == event.amount)
        #expect(first.method == "POST" && first.path == event.path)
    }

    @Test func `what anybody can cause is counted, and none is lost at the end`() throws {
        for second: UInt64 in 0..<130 {
            journal.record(JournalEvent(time: noon + second, kind: .refused, code: "no_rule"))
        }
        housekeeping.close(now: noon + 130)
        var total: UInt64 = 0
        var lines = 0
        _ = try history.visit(day: "2026-11-21") { event, count in
            #expect(event.kind == .refused && event.code == "no_rule")
            total += count
            lines += 1
        }
        #expect(total == 130 && lines <= 3)
    }

    @Test func `a day that is none is an error, and one without a journal is empty`() throws {
        #expect(throws: StateError.self) { try history.visit(day: "yesterday") { _, _ in } }
        var events = 0
        #expect(try history.visit(day: "2020-01-01") { _, _ in events += 1 } == 0)
        #expect(events == 0)
    }
}
