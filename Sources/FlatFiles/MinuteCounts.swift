import Lightning
import Store
import Text

/// How often things happened within one minute that are worth one line of the journal and not one
/// each: whoever sends requests without end must not fill the disk.
struct MinuteCounts {
    /// What is counted together.
    struct Key: Hashable {
        var kind: JournalEvent.Kind
        var service = ""
        var tier: UInt8 = 0
        var code = ""
        /// Of a payment that the wallet has no word about: somebody has to look for it.
        var paymentHash: PaymentHash?
    }

    /// Beyond so many, what is new is counted as `other`.
    static let maximumKeys = 512
    private static let maximumHashes = 64
    private static let other = "other"

    /// Since 1970.
    let minute: UInt64
    private(set) var counts: [Key: UInt64] = [:]
    private var hashes = 0

    init(minute: UInt64) { self.minute = minute }

    /// Whether an event is counted here: refusals, undecided payments, free requests and uses that
    /// take nothing.
    static func takes(_ event: JournalEvent) -> Bool {
        switch event.kind {
        case .free, .refused, .undecided: true
        case .used: event.usesLeft == nil
        case .challenge, .paid, .refunded, .settled: false
        }
    }

    mutating func add(_ event: JournalEvent) {
        var key = Key(
            kind: event.kind,
            service: event.service,
            tier: event.tier,
            code: event.code
        )
        if event.kind == .undecided, let hash = event.paymentHash {
            key.paymentHash = hash
            if counts[key] == nil, hashes >= Self.maximumHashes { key.paymentHash = nil }
        }
        add(key, 1)
    }

    private mutating func add(_ key: Key, _ count: UInt64) {
        var key = key
        if counts[key] == nil {
            if counts.count >= Self.maximumKeys { key = Key(kind: key.kind, code: Self.other) }
            if key.paymentHash != nil { hashes += 1 }
        }
        counts[key, default: 0] &+= count
    }

    /// One event for each line, and how many it stands for, in an order that does not change.
    var events: [(event: JournalEvent, count: UInt64)] {
        let time = minute.multipliedReportingOverflow(by: 60).partialValue
        return sorted.map { key, count in
            let event = JournalEvent(
                time: time,
                kind: key.kind,
                service: key.service,
                tier: key.tier,
                paymentHash: key.paymentHash,
                code: key.code
            )
            return (event, count)
        }
    }

    private var sorted: [(key: Key, value: UInt64)] {
        counts.sorted { left, right in
            let (one, two) = (left.key, right.key)
            return (
                one.kind.rawValue, one.service, one.tier, one.code, one.paymentHash?.hex ?? ""
            ) < (two.kind.rawValue, two.service, two.tier, two.code, two.paymentHash?.hex ?? "")
        }
    }
}

/// As a file, for processes of one request each, which have no memory to count in.
///
///     l402-minute 1 0029921040 0000000123       ; the minute, and how many bytes this is in all
///     refused<TAB>dvm<TAB>0<TAB>spent<TAB><TAB>7
extension MinuteCounts {
    private static let magic = "l402-minute 1 "
    private static let headBytes = magic.utf8.count + 22
    static let limitBytes = 1 << 20

    /// The file's bytes.
    var text: [UInt8] {
        var body = ""
        for (key, count) in sorted {
            // Words of rules and of our own, which have no tabs; anything else is not kept.
            let fields = [
                key.kind.rawValue, key.service, String(key.tier), key.code,
                key.paymentHash?.hex ?? "", String(count),
            ]
            guard !fields.contains(where: { $0.utf8.contains { $0 < 0x20 } }) else { continue }
            body += fields.joined(separator: "\t") + "\n"
        }
        let size = UInt64(Self.headBytes + body.utf8.count)
        let numbers = "\(Digits.padded(minute, 10)) \(Digits.padded(size, 10))"
        return Array((Self.magic + numbers + "\n" + body).utf8)
    }

    /// Reads the file; `nil` for one that is damaged. Lines that say nothing are left out.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headBytes, bytes.starts(with: Self.magic.utf8),
            let minute = Digits.number(bytes[Self.magic.utf8.count..<Self.headBytes - 12]),
            let size = Digits.number(bytes[(Self.headBytes - 11)..<Self.headBytes - 1]),
            size >= UInt64(Self.headBytes), size <= UInt64(bytes.count)
        else { return nil }
        self.init(minute: minute)
        for line in bytes[Self.headBytes..<Int(size)].split(separator: 0x0a) {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 6, let kind = JournalEvent.Kind(rawValue: fields[0]),
                let tier = UInt8(fields[2]), let count = UInt64(fields[5])
            else { continue }
            let key = Key(
                kind: kind,
                service: fields[1],
                tier: tier,
                code: fields[3],
                paymentHash: PaymentHash(hex: fields[4])
            )
            add(key, count)
        }
    }
}
