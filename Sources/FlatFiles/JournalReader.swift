import Lightning
import Paywall

/// Reads the journal back, for `l402 report`; never to decide.
public struct JournalReader: Sendable {
    private let directory: StateDirectory

    /// How much of a day is in memory at once.
    private static let chunkBytes = 1 << 16

    /// The journal of a state directory.
    public init(_ directory: StateDirectory) {
        self.directory = directory
    }

    /// The days that have a journal, `YYYY-MM-DD`, earliest first.
    public func days() -> [String] {
        StateDirectory.names(in: "\(directory.path)/journal")
            .filter { $0.hasSuffix(".tsv") }
            .map { String($0.dropLast(4)) }
            .filter(CalendarText.isDate)
            .sorted()
    }

    /// Visits the events of a day in the order they were written; how many lines could not be read
    /// (half written on a full disk, or edited). A day without a journal has no events.
    ///
    /// - Parameter day: `YYYY-MM-DD`, of UTC.
    /// - Throws: ``StateError`` when there is a file that cannot be read.
    public func visit(day: String, _ body: (JournalEvent) -> Void) throws(StateError) -> Int {
        guard CalendarText.isDate(day) else {
            throw StateError("\"\(day)\" is not a day; write it as YYYY-MM-DD")
        }
        let path = "\(directory.path)/journal/\(day).tsv"
        guard let file = try Descriptor.openIfPresent(path, 0) else { return 0 }
        let head = Array(TSVJournal.columns.joined(separator: "\t").utf8)
        var damaged = 0
        var offset = 0
        var rest: [UInt8] = []
        while true {
            let chunk = try file.read(at: offset, count: Self.chunkBytes)
            if chunk.isEmpty { break }
            offset += chunk.count
            rest += chunk
            let lines = rest.split(separator: 0x0a, omittingEmptySubsequences: false)
            for line in lines.dropLast() where !line.isEmpty && !line.elementsEqual(head) {
                if let event = Self.event(line) { body(event) } else { damaged += 1 }
            }
            rest = Array(lines.last ?? [])
            // No line is that long; what this is, is not kept in memory.
            if rest.count > TSVJournal.maximumLineBytes { rest.removeLast(rest.count - 1) }
        }
        return damaged + (rest.isEmpty ? 0 : 1)
    }

    private static func event(_ line: ArraySlice<UInt8>) -> JournalEvent? {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count == TSVJournal.columns.count,
            let time = CalendarText.seconds(fields[0]),
            let kind = JournalEvent.Kind(rawValue: fields[1]),
            let tier = UInt8(fields[3]), let amount = UInt64(fields[5])
        else { return nil }
        let hash = PaymentHash(hex: fields[4])
        let left = UInt64(fields[6])
        guard fields[4].isEmpty || hash != nil, fields[6].isEmpty || left != nil else { return nil }
        return JournalEvent(
            time: time,
            kind: kind,
            service: unescaped(fields[2]),
            tier: tier,
            paymentHash: hash,
            amount: Millisatoshis(msat: amount),
            usesLeft: left,
            code: unescaped(fields[7]),
            method: unescaped(fields[8]),
            path: unescaped(fields[9])
        )
    }

    /// `\xHH` as the byte it stands for.
    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(0x5c) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
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
