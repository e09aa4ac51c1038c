/// Dates and times of UTC as file names and files write them.
///
/// Civil dates by the algorithm of Howard Hinnant ("chrono-compatible low-level date algorithms"):
/// FoundationEssentials' formatting takes microseconds that a free request has not got.
package enum CalendarText {
    /// `YYYY-MM-DD`.
    package static func date(_ seconds: UInt64) -> String {
        let (year, month, day) = civil(seconds / 86_400)
        return Digits.padded(year, 4) + "-" + Digits.padded(month, 2) + "-" + Digits.padded(day, 2)
    }

    /// `YYYY-MM-DDTHH:MM:SSZ` (ISO 8601).
    package static func time(_ seconds: UInt64) -> String {
        let rest = seconds % 86_400
        return
            "\(date(seconds))T\(Digits.padded(rest / 3600, 2)):\(Digits.padded(rest / 60 % 60, 2)):\(Digits.padded(rest % 60, 2))Z"
    }

    /// The seconds that ``time(_:)`` wrote; `nil` for any other text.
    package static func seconds(_ text: String) -> UInt64? {
        guard text.utf8.count == 20 else { return nil }
        let fields = text.split { !("0"..."9").contains($0) }.map { UInt64($0) }
        guard fields.count == 6, let year = fields[0], let month = fields[1], let day = fields[2],
            let hour = fields[3], let minute = fields[4], let second = fields[5],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Close enough from below, and then the day that reads like this.
        let start = (year - 1970) * 365 + (month - 1) * 28
        for days in start...(start + 2100 + 340) where civil(days) == (year, month, day) {
            let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
            return time(seconds) == text ? seconds : nil
        }
        return nil
    }

    /// Whether a text has the form of a date, `YYYY-MM-DD`.
    package static func isDate(_ text: String) -> Bool {
        text.utf8.count == 10
            && text.utf8.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7 ? byte == 0x2d : (0x30...0x39).contains(byte)
            }
    }

    private static func civil(_ days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
        // From 0000-03-01, so that the leap day is a year's last.
        let shifted = min(days, 1 << 40) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
