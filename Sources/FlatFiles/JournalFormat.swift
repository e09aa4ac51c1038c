import Lightning
import Store
import Text

/// The text of the journal: names of files, columns, lines.
enum JournalFormat {
    /// The fields of a line, which are also a file's first line. Readers go by that line.
    static let columns = [
        "time", "event", "service", "tier", "payment_hash", "amount_msat", "uses_left", "code",
        "method", "path", "count",
    ]
    static let head = Array((columns.joined(separator: "\t") + "\n").utf8)
    static let maximumLineBytes = 4096
    /// A longer path, which only somebody who wants to fill the disk sends, is cut.
    static let maximumPathBytes = 256
    private static let maximumWordBytes = 64

    /// One file of a day.
    struct File: Comparable {
        let day: String
        /// 1 for `DATE.tsv`, more for `DATE.2.tsv` and so on.
        let number: Int
        /// Whether only lines about money are left in it: `DATE.money.tsv`, `DATE.2.money.tsv`.
        let isMoneyOnly: Bool

        init(day: String, number: Int, isMoneyOnly: Bool = false) {
            self.day = day
            self.number = number
            self.isMoneyOnly = isMoneyOnly
        }

        /// `nil` for a file that is no day's.
        init?(name: String) {
            let words = name.split(separator: ".", omittingEmptySubsequences: false)
            guard let day = words.first.map(String.init), CalendarText.isDate(day),
                words.last == "tsv"
            else { return nil }
            var middle = words.dropFirst().dropLast()
            isMoneyOnly = middle.last == "money"
            if isMoneyOnly { middle.removeLast() }
            guard middle.count <= 1 else { return nil }
            var number = 1
            if let text = middle.first {
                guard let value = Int(text), (2...9999).contains(value) else { return nil }
                number = value
            }
            self.day = day
            self.number = number
        }

        var name: String {
            let part = number > 1 ? ".\(number)" : ""
            return "\(day)\(part)\(isMoneyOnly ? ".money" : "").tsv"
        }

        static func < (left: File, right: File) -> Bool {
            (left.day, left.number) < (right.day, right.number)
        }
    }

    /// Whether a line says that money came or what became of it: it is kept longest.
    static func isAboutMoney(_ kind: JournalEvent.Kind) -> Bool {
        switch kind {
        case .paid, .settled, .refunded: true
        case .challenge, .used, .free, .refused, .undecided: false
        }
    }

    /// - Parameters:
    ///   - time: ``CalendarText/time(_:)`` of the event.
    ///   - count: How many such events the line stands for.
    static func line(_ event: JournalEvent, time: [UInt8], count: UInt64) -> [UInt8] {
        let tab: UInt8 = 0x09
        var line: [UInt8] = []
        line.reserveCapacity(384)
        line += time
        line.append(tab)
        append(event.kind.rawValue.utf8, to: &line)
        line.append(tab)
        append(event.service.utf8.prefix(256), to: &line)
        line.append(tab)
        append(String(event.tier).utf8, to: &line)
        line.append(tab)
        if let hash = event.paymentHash { line += Hex.encodeASCII(hash.bytes) }
        line.append(tab)
        append(String(event.amount.msat).utf8, to: &line)
        line.append(tab)
        if let left = event.usesLeft { append(String(left).utf8, to: &line) }
        line.append(tab)
        append(event.code.utf8.prefix(maximumWordBytes), to: &line)
        line.append(tab)
        append(event.method.utf8.prefix(maximumWordBytes), to: &line)
        line.append(tab)
        append(event.path.utf8.prefix(maximumPathBytes), to: &line)
        line.append(tab)
        append(String(count).utf8, to: &line)
        line.append(0x0a)
        return line
    }

    /// Control bytes and backslashes as `\xHH`, so that a path can be no other line or field.
    private static func append(_ bytes: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in bytes {
            if byte < 0x20 || byte == 0x7f || byte == 0x5c {
                line += "\\x".utf8
                line += Hex.encodeASCII([byte])
            } else {
                line.append(byte)
            }
        }
    }
}

/// Where the fields of a file's lines stand, by its first line.
struct JournalColumns {
    private let places: [String: Int]
    private let count: Int

    /// `nil` for a line that is no head of a journal.
    init?(_ head: ArraySlice<UInt8>) {
        let names = head.split(separator: 0x09, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard names.starts(with: ["time", "event"]) else { return nil }
        places = Dictionary(zip(names, names.indices)) { first, _ in first }
        count = names.count
    }

    /// The event of a line, and how many it stands for; `nil` for a damaged one.
    func event(_ line: ArraySlice<UInt8>) -> (event: JournalEvent, count: UInt64)? {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        guard fields.count == count else { return nil }
        func text(_ name: String) -> String {
            guard let place = places[name], fields.indices.contains(place) else { return "" }
            return Self.unescaped(fields[place])
        }
        let (hashText, leftText, countText) = (
            text("payment_hash"), text("uses_left"), text("count")
        )
        let hash = PaymentHash(hex: hashText)
        let left = UInt64(leftText)
        guard let time = CalendarText.seconds(text("time")),
            let kind = JournalEvent.Kind(rawValue: text("event")),
            let tier = UInt8(text("tier")), let amount = UInt64(text("amount_msat")),
            hashText.isEmpty || hash != nil, leftText.isEmpty || left != nil,
            let count = countText.isEmpty ? 1 : UInt64(countText)
        else { return nil }
        let event = JournalEvent(
            time: time,
            kind: kind,
            service: text("service"),
            tier: tier,
            paymentHash: hash,
            amount: Millisatoshis(msat: amount),
            usesLeft: left,
            code: text("code"),
            method: text("method"),
            path: text("path")
        )
        return (event, count)
    }

    /// `\xHH` as the byte it stands for.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        guard text.contains(0x5c) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == 0x5c, rest.first == 0x78, let value = Hex.decode(rest.dropFirst().prefix(2)),
                value.count == 1
            {
                bytes += value
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
