import L402
import Text

/// The clock of this machine and another one.
enum Clocks {
    private static let toleranceSeconds: UInt64 = 3600

    /// Whether `second` says the same within an hour; a clock that is not there agrees with nothing.
    static func agree(_ now: UInt64, _ second: UInt64?) -> Bool {
        guard let second else { return false }
        return max(now, second) - min(now, second) <= toleranceSeconds
    }

    /// The latest that a clock can say which agrees with this one.
    static func latest(_ now: UInt64) -> UInt64 {
        let (sum, isTooLate) = now.addingReportingOverflow(toleranceSeconds)
        return isTooLate ? .max : sum
    }

    /// Whether a moment lies further ahead than clocks differ.
    static func isAhead(_ moment: UInt64, of now: UInt64) -> Bool {
        moment > latest(now)
    }
}

/// `payments/expired-before`: which payments were removed, so that none of them is opened again
/// when the clock steps back.
///
///     1795132800 2026-11-20 sure                     ; two clocks agreed when it was written
///     1826668800 2027-11-20 unsure 1795262400        ; no file of before that moment is relied on
///
/// A line of two words is of a release that believed one clock. Where it is wrong, and ahead, it
/// can stand only for what that release sold (``L402/PurchaseTerms/validSeconds`` is `nil`), and
/// for that only where there is no file.
struct SweepMark: Equatable, Sendable {
    /// Every payment that ended before is over; 0 for none.
    var sure: UInt64 = 0
    /// The same by the word of a clock that may have been wrong.
    var unsure: UInt64 = 0
    /// When it was found to be wrong: invoices that ended later were made after what it removed.
    var doubtedAt: UInt64?

    init() {}

    /// Reads the file; `nil` when it is damaged.
    init?(_ bytes: [UInt8]) {
        guard bytes.last == 0x0a else { return nil }
        let lines = bytes.split(separator: 0x0a)
        guard (1...2).contains(lines.count) else { return nil }
        for line in lines {
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard words.count >= 2, let seconds = UInt64(words[0]),
                words[1] == CalendarText.date(seconds)
            else { return nil }
            switch words.dropFirst(2).first {
            case nil: unsure = seconds
            case "sure" where words.count == 3: sure = seconds
            case "unsure" where words.count == 4:
                guard let moment = UInt64(words[3]) else { return nil }
                unsure = seconds
                doubtedAt = moment
            default: return nil
            }
        }
    }

    /// What the file holds.
    var text: [UInt8] {
        var text = ""
        if sure > 0 { text += "\(sure) \(CalendarText.date(sure)) sure\n" }
        if unsure > 0 {
            let word = doubtedAt.map { " unsure \($0)" } ?? ""
            text += "\(unsure) \(CalendarText.date(unsure))\(word)\n"
        }
        return Array(text.utf8)
    }

    /// Whether a payment of these terms that has no file may have had one.
    func covers(_ terms: PurchaseTerms) -> Bool {
        if terms.validUntil < sure { return true }
        guard terms.validUntil < unsure else { return false }
        // What an older release sold says nothing of its invoice.
        guard let valid = terms.validSeconds else { return true }
        let invoiceEnd = terms.validUntil - min(valid, terms.validUntil)
        return doubtedAt.map { invoiceEnd <= $0 } ?? false
    }

    /// Marks what two clocks agree on.
    mutating func advance(to midnight: UInt64, now: UInt64) {
        sure = max(sure, midnight)
        if unsure <= sure {
            unsure = 0
            doubtedAt = nil
        } else {
            doubtedAt = doubtedAt ?? now
        }
    }

    /// Which line is ahead of the clock and has not been found to be.
    func ahead(of now: UInt64) -> UInt64? {
        if Clocks.isAhead(sure, of: now) { return sure }
        return doubtedAt == nil && Clocks.isAhead(unsure, of: now) ? unsure : nil
    }

    /// By the operator's word that this is the right time.
    mutating func doubt(now: UInt64) {
        guard ahead(of: now) != nil else { return }
        if Clocks.isAhead(sure, of: now) {
            unsure = max(unsure, sure)
            sure = 0
        }
        doubtedAt = now
    }
}
