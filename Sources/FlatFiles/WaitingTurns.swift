import Glibc
import POSIX
import Store
import Text

/// When the wallet may be asked about what people wait for: `waiting/turn`, one line.
///
///     l402-waiting 1 asked 00000000000123456789 done 1 since 1795132800 number 0000000042 wallet …
///
/// Milliseconds of the clock that nobody sets and that begins anew when the machine does: a question
/// of the future is one of before that. Everything happens under a lock that nobody waits for long.
struct WaitingTurns: Sendable {
    /// Between two questions, whoever asks them.
    private static let pauseMilliseconds: UInt64 = 500
    /// A question that has had no answer for so long was asked by a process that is no more.
    private static let longestMilliseconds: UInt64 = 30_000
    private static let lockMilliseconds: UInt64 = 200
    private static let magic = "l402-waiting 1"
    private static let limitBytes = 512
    private static let rateSeconds: UInt64 = 60
    private static let skewSeconds: UInt64 = 60

    private let directory: StateDirectory

    init(_ directory: StateDirectory) { self.directory = directory }

    fileprivate struct Record {
        var asked: UInt64 = 0
        /// `0` while a question is under way, then `1`, or `2` when it got no answer.
        var done: UInt64 = 1
        /// Of invoices made after this second the last list held all that are paid.
        var since: UInt64 = 0
        var number: UInt64 = 0
        var wallet = ""

        init() {}

        init(_ bytes: [UInt8]) {
            let words = String(foreign: bytes).split(
                separator: " ",
                omittingEmptySubsequences: false
            )
            .map { $0.split(separator: "\n").first ?? "" }
            guard words.count == 12, words[0] + " " + words[1] == WaitingTurns.magic,
                let asked = UInt64(words[3]), let done = UInt64(words[5]),
                let since = UInt64(words[7]), let number = UInt64(words[9])
            else { return }
            self.asked = asked
            self.done = done
            self.since = since
            self.number = number
            wallet = String(words[11])
        }

        var text: [UInt8] {
            let fields =
                "\(WaitingTurns.magic) asked \(Digits.padded(asked, 20)) done \(done) since "
                + "\(Digits.padded(since, 20)) number \(Digits.padded(number % 10_000_000_000, 10)) wallet "
            // Names of variables: short, and without blanks.
            return Array((fields + wallet.prefix(64) + "\n").utf8)
        }
    }

    func turn(_ wallet: String, madeAt: UInt64?) throws(StateError) -> WaitingTurn {
        let file = try directory.openWaiting("turn")
        // Nearly everybody is told so without a lock.
        let before = Record(try file.read(at: 0, count: Self.limitBytes))
        let now = Self.milliseconds()
        if !Self.isFree(before, now) { return .notYet(isFailing: before.isFailing(wallet)) }
        guard (try? file.lock(milliseconds: Self.lockMilliseconds)) != nil else {
            return .notYet(isFailing: false)
        }
        var record = Record(try file.read(at: 0, count: Self.limitBytes))
        guard Self.isFree(record, now) else { return .notYet(isFailing: record.isFailing(wallet)) }
        // Where the list does not reach back to an invoice, every other question is about that alone.
        let isOutOfReach =
            madeAt.map { record.wallet == wallet && Self.mayBeBefore(record.since, $0) } ?? true
        let asksForOne = isOutOfReach && record.number % 2 == 1
        record.asked = now
        record.done = 0
        record.number &+= 1
        record.wallet = wallet
        try write(record, file)
        return .yours(asksForOne: asksForOne)
    }

    func end(_ wallet: String, isAnswered: Bool, since: UInt64?) {
        guard let file = try? directory.openWaiting("turn"),
            (try? file.lock(milliseconds: Self.lockMilliseconds)) != nil,
            let bytes = try? file.read(at: 0, count: Self.limitBytes)
        else { return }
        var record = Record(bytes)
        record.done = isAnswered ? 1 : 2
        if let since { record.since = since }
        record.wallet = wallet
        try? write(record, file)
    }

    private func write(_ record: Record, _ file: borrowing Descriptor) throws(StateError) {
        let text = record.text
        try file.write(text, at: 0)
        try file.truncate(to: text.count)
    }

    /// Whoever makes the invoices and whoever lists them have clocks of their own.
    private static func mayBeBefore(_ since: UInt64, _ madeAt: UInt64) -> Bool {
        let (latest, overflow) = madeAt.subtractingReportingOverflow(skewSeconds)
        return since > (overflow ? 0 : latest)
    }

    private static func isFree(_ record: Record, _ now: UInt64) -> Bool {
        guard record.asked <= now else { return true }
        let age = now - record.asked
        return age >= (record.done == 0 ? longestMilliseconds : pauseMilliseconds)
    }

    private static func milliseconds() -> UInt64 { MonotonicTime.now().milliseconds }

    // MARK: - What a bitcoin costs

    /// `waiting/rate`: `EUR 1795132800 58123.5`, with `-` for what could not be found out.
    func rate(of currency: String, now: UInt64, ask: () -> Double?) -> Double? {
        guard let file = try? directory.openWaiting("rate"),
            let bytes = try? file.read(at: 0, count: Self.limitBytes)
        else { return nil }
        let (known, isFresh) = Self.rate(bytes, currency, now)
        // Whoever comes while another one asks takes what there was.
        if isFresh || (try? file.lock(milliseconds: 0)) == nil { return known }
        guard let again = try? file.read(at: 0, count: Self.limitBytes) else { return known }
        let (other, isOther) = Self.rate(again, currency, now)
        if isOther { return other }
        let asked = ask()
        let text = Array("\(currency) \(now) \(asked.map { "\($0)" } ?? "-")\n".utf8)
        if (try? file.write(text, at: 0)) != nil { try? file.truncate(to: text.count) }
        return asked
    }

    private static func rate(_ bytes: [UInt8], _ currency: String, _ now: UInt64)
        -> (rate: Double?, isFresh: Bool)
    {
        let words = String(foreign: bytes.prefix { $0 != 0x0a }).split(separator: " ")
        guard words.count == 3, words[0] == currency, let at = UInt64(words[1]), at <= now,
            now - at < 10 * rateSeconds
        else { return (nil, false) }
        return (
            Double(words[2]).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }, now - at < rateSeconds
        )
    }
}

extension WaitingTurns.Record {
    fileprivate func isFailing(_ name: String) -> Bool { done == 2 && wallet == name }
}
