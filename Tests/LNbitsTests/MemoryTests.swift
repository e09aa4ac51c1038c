import Curl
import Glibc
import Lightning
import POSIX
import Testing
import Wallets

@testable import LNbits

@Suite struct FiatRateTests {
    @Test(arguments: [
        (25, 66000.5, 379), (25, 100_000, 250), (1, 100_000, 10), (500, 1.7e9, 1),
        (1, 1.7e9, 1), (25, 100_000.00000000001, 250), (25, 99_999.99999999999, 250),
        (25, 99_999.99, 251), (1_000_000, 100_000, 10_000_000),
    ])
    func `every fraction of a sat is a sat`(hundredths: UInt64, rate: Double, sats: UInt64) throws {
        #expect(try #require(FiatRate(unitsPerBitcoin: rate)).sats(hundredths: hundredths) == sats)
    }

    @Test func `what is no price of a bitcoin is none, also the one that LNbits 0.12 makes up`() {
        for rate in [0, -1, .infinity, .nan, 9_999_999_999, 9_999_999_999.000002] {
            #expect(FiatRate(unitsPerBitcoin: rate) == nil)
        }
    }

    @Test func `nothing above ten million sats is sold`() throws {
        let rate = try #require(FiatRate(unitsPerBitcoin: 100_000))
        #expect(rate.sats(hundredths: 1_000_001) == nil)
        #expect(rate.sats(hundredths: .max) == nil)
        #expect(
            try #require(FiatRate(unitsPerBitcoin: .leastNonzeroMagnitude)).sats(hundredths: 1)
                == nil
        )
    }
}

@Suite struct UnpaidAnswersTests {
    private func hash(_ byte: UInt8) throws -> PaymentHash {
        try #require(PaymentHash(bytes: [UInt8](repeating: byte, count: 32)))
    }

    @Test func `one unpaid hash is asked a few times at once, then once a second`() throws {
        let answers = UnpaidAnswers()
        let hash = try hash(1)
        var asked = 0
        let end = MonotonicTime.now().adding(milliseconds: 2500)
        while MonotonicTime.now() < end {
            if answers.answer(of: hash, for: .redemption) == nil {
                asked += 1
                answers.keep(nil, of: hash)
            }
            usleep(500)
        }
        #expect((4...6).contains(asked), "\(asked)")
    }

    @Test func `who only wants to know is given what was said within the second`() throws {
        let answers = UnpaidAnswers()
        let (hash, other) = (try hash(1), try hash(2))
        #expect(answers.answer(of: hash, for: .status) == nil)
        answers.keep(nil, of: hash)
        #expect(answers.answer(of: hash, for: .status) != nil)
        #expect(answers.answer(of: hash, for: .redemption) == nil)
        #expect(answers.answer(of: other, for: .status) == nil)
    }

    @Test func `paid is not kept, and ends what was`() throws {
        let answers = UnpaidAnswers()
        let hash = try hash(1)
        answers.keep(nil, of: hash)
        answers.keep(
            WalletPayment(isPaid: true, amount: Millisatoshis(msat: 1), invoice: nil, extra: [:]),
            of: hash
        )
        #expect(answers.answer(of: hash, for: .status) == nil)
    }
}

@Suite struct SecondClockTests {
    @Test func `it goes on by itself from the last answer`() {
        let clock = SecondClock()
        #expect(clock.now == nil)
        clock.set(nil)
        #expect(clock.now == nil)
        clock.set(1_000_000)
        let first = clock.now
        #expect(first == 1_000_000)
        let end = MonotonicTime.now().adding(milliseconds: 3000)
        while clock.now == first, MonotonicTime.now() < end { usleep(10_000) }
        #expect(clock.now == 1_000_001)
        clock.set(.max)
        usleep(1_100_000)
        #expect(clock.now == nil)
    }

    @Test func `the date of a head is read, but not one that a cache kept`() {
        var head = ReplyHead()
        for line in [
            "HTTP/1.1 100 Continue", "Date: Sun, 06 Nov 1994 08:49:00 GMT", "", "HTTP/1.1 200 OK",
            "dAtE:\tSun, 06 Nov 1994 08:49:37 GMT  ", "Server: uvicorn", "Content-Type:",
            "no colon",
        ] { head.read(Array("\(line)\r\n".utf8)) }
        #expect(head.date == 784_111_777)
        #expect(head.server == "uvicorn" && head.contentType.isEmpty)
        head.read(Array("Age: 0\r\n".utf8))
        #expect(head.date == nil)
        var other = ReplyHead()
        other.read(Array("Date: yesterday\r\n".utf8))
        #expect(other.date == nil)
    }
}
