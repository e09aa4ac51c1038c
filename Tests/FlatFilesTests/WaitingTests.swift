import Glibc
import Lightning
import POSIX
import Store
import Synchronization
import Testing

@testable import FlatFiles

/// What processes share about invoices that people look at.
@Suite struct WaitingFilesTests {
    private func hash(_ number: Int) throws -> PaymentHash {
        var bytes = [UInt8](repeating: UInt8(number % 251), count: 32)
        bytes[30] = UInt8(number / 256)
        bytes[31] = UInt8(number % 256)
        return try #require(PaymentHash(bytes: bytes))
    }

    private func invoice(_ number: Int, _ text: String = "lnbc1") throws -> WaitingInvoice {
        WaitingInvoice(
            paymentHash: try hash(number),
            bolt11: text,
            expiresAt: 1_800_000_000 + UInt64(number),
            amount: Millisatoshis(msat: 5000)
        )
    }

    @Test func `an invoice that one process shows is known to all`() throws {
        let scratch = try TemporaryState()
        let first = WaitingFiles(try scratch.open())
        let second = WaitingFiles(try scratch.open())
        #expect(second.invoice(try hash(1)) == nil)
        first.keep(try invoice(1, "lnbc1abc"))
        #expect(second.invoice(try hash(1)) == (try invoice(1, "lnbc1abc")))
        second.end("", paid: [try hash(1), try hash(2)], since: 0)
        #expect(first.invoice(try hash(1))?.isPaid == true)
        #expect(first.invoice(try hash(2)) == nil)
    }

    @Test func `a thousand invoices are remembered, and the file does not grow`() throws {
        let scratch = try TemporaryState()
        let files = WaitingFiles(try scratch.open())
        // Hashes as wallets make them: of no order.
        func mixed(_ number: Int) throws -> PaymentHash {
            var bytes = [UInt8](repeating: 7, count: 32)
            var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
            for index in 0..<8 {
                state ^= state >> 29
                state = state &* 0xbf58_476d_1ce4_e5b9
                bytes[index] = UInt8(truncatingIfNeeded: state >> 32)
            }
            return try #require(PaymentHash(bytes: bytes))
        }
        for round in 0..<3 {
            for number in 0..<1000 {
                files.keep(
                    WaitingInvoice(
                        paymentHash: try mixed(number + round * 1000),
                        bolt11: String(repeating: "a", count: 300),
                        expiresAt: 1_800_000_000 + UInt64(round * 1000 + number),
                        amount: Millisatoshis(msat: 1)
                    )
                )
            }
        }
        let known = try (2000..<3000).count { files.invoice(try mixed($0)) != nil }
        #expect(known == 1000)
        var status = stat()
        #expect(stat("\(scratch.path)/waiting/invoices", &status) == 0)
        #expect(status.st_size <= 16 << 20)
    }

    @Test func `what is damaged or too long is not remembered`() throws {
        let scratch = try TemporaryState()
        let files = WaitingFiles(try scratch.open())
        files.keep(try invoice(1, String(repeating: "a", count: 1000)))
        #expect(files.invoice(try hash(1)) == nil)
        files.keep(try invoice(1))
        let file = try Descriptor("\(scratch.path)/waiting/invoices", O_RDWR)
        let size = try file.size
        for garbage in [
            [UInt8](repeating: 0xff, count: size), [UInt8](repeating: 0x31, count: size),
        ] {
            try file.write(garbage, at: 0)
            #expect(files.invoice(try hash(1)) == nil)
        }
        files.keep(try invoice(1))
        #expect(files.invoice(try hash(1)) != nil)
    }

    @Test func `of many processes one asks the wallet, and nobody while it is under way`() throws {
        let scratch = try TemporaryState()
        let rooms = try (0..<8).map { _ in WaitingFiles(try scratch.open()) }
        let turns = try rooms.map { try $0.turn("", madeAt: 1_800_000_030) }
        #expect(turns.count { $0 == .yours(asksForOne: false) } == 1)
        #expect(turns.count { $0 == .notYet(isFailing: false) } == 7)
        // Longer than half a second: it is still under way.
        usleep(600_000)
        #expect(try rooms[3].turn("", madeAt: 1_800_000_030) == .notYet(isFailing: false))
        rooms[0].end("", paid: [], since: 0)
        #expect(try rooms[3].turn("", madeAt: 1_800_000_030) == .yours(asksForOne: false))
        rooms[3].end("", paid: nil, since: nil)
        #expect(try rooms[0].turn("", madeAt: 1_800_000_030) == .notYet(isFailing: true))
        #expect(try rooms[0].turn("other", madeAt: 1_800_000_030) == .notYet(isFailing: false))
    }

    @Test func `at most two questions a second, whoever asks`() throws {
        let scratch = try TemporaryState()
        let rooms = try (0..<4).map { _ in WaitingFiles(try scratch.open()) }
        var asked = 0
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let start = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        var seconds = 0.0
        while seconds < 2.2 {
            for room in rooms {
                if case .yours = try room.turn("", madeAt: 1_800_000_030) {
                    asked += 1
                    room.end("", paid: [], since: 0)
                }
            }
            clock_gettime(CLOCK_MONOTONIC, &time)
            seconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 - start
        }
        #expect((3...5).contains(asked))
    }

    @Test(arguments: [(1_800_000_030, true), (1_800_000_060, false), (nil, true)])
    func `where the list does not reach back every other question is about one`(
        _ madeAt: UInt64?,
        _ isBefore: Bool
    ) throws {
        let scratch = try TemporaryState()
        let room = WaitingFiles(try scratch.open())
        var kinds: [WaitingTurn] = []
        while kinds.count < 4 {
            let turn = try room.turn("", madeAt: madeAt)
            if turn == .notYet(isFailing: false) {
                usleep(20_000)
                continue
            }
            kinds.append(turn)
            room.end("", paid: [], since: turn == .yours(asksForOne: true) ? nil : 1_800_000_000)
        }
        #expect(
            kinds == [
                .yours(asksForOne: false), .yours(asksForOne: isBefore),
                .yours(asksForOne: false), .yours(asksForOne: isBefore),
            ]
        )
    }

    @Test func `a turn of another boot, or a damaged one, is none`() throws {
        let scratch = try TemporaryState()
        let room = WaitingFiles(try scratch.open())
        _ = try room.turn("", madeAt: 1_800_000_030)
        let path = "\(scratch.path)/waiting/turn"
        for text in [
            "l402-waiting 1 asked 99999999999999999999 done 0 since 00000000000000000000 number 0000000000 wallet \n",
            "l402-waiting 1 asked 09999999999999999999 done 0 since 00000000000000000000 number 0000000000 wallet \n",
            "l402-waiting 1 asked 00000000000000000000 done 1 since 00000000000000000000 number "
                + "18446744073709551615 wallet \n", "nonsense", "", " ",
            "l402-waiting 1 asked x done 0 since 00000000000000000000 number 1 wallet \n",
        ] {
            let file = try Descriptor(path, O_RDWR)
            try file.truncate(to: 0)
            try file.write(Array(text.utf8), at: 0)
            #expect(
                try room.turn("", madeAt: 1_800_000_030) == .yours(asksForOne: false),
                "\(text)"
            )
        }
    }

    @Test func `a rate is asked for once a minute by all, also where there is none`() throws {
        let scratch = try TemporaryState()
        let rooms = try (0..<3).map { _ in WaitingFiles(try scratch.open()) }
        let asked = Mutex(0)
        func rate(_ room: Int, at now: UInt64, _ answer: Double?, _ currency: String = "EUR")
            -> Double?
        {
            rooms[room].rate(of: currency, now: now) {
                asked.withLock { $0 += 1 }
                return answer
            }
        }
        #expect(rate(0, at: 1000, 60_000.5) == 60_000.5)
        #expect(rate(1, at: 1059, 1) == 60_000.5)
        #expect(asked.withLock { $0 } == 1)
        #expect(rate(2, at: 1060, nil) == nil)
        #expect(rate(0, at: 1100, 5) == nil)
        #expect(asked.withLock { $0 } == 2)
        #expect(rate(0, at: 1120, 7) == 7)
        #expect(rate(1, at: 1120, 8, "USD") == 8)
        // A clock that steps back asks again.
        #expect(rate(1, at: 100, 9, "USD") == 9)
    }
}
