/// Dates and times of UTC as file names and files write them.
///
/// Civil dates by the algorithm of Howard Hinnant ("chrono-compatible low-level date algorithms"):
/// FoundationEssentials' formatting takes microseconds that a free request has not got.
enum CalendarText {
    /// `YYYY-MM-DD`.
    static func date(_ seconds: UInt64) -> String {
        let (year, month, day) = civil(seconds / 86_400)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// `YYYY-MM-DDTHH:MM:SSZ` (ISO 8601).
    static func time(_ seconds: UInt64) -> String {
        let rest = seconds % 86_400
        return "\(date(seconds))T\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))Z"
    }

    /// A whole number with zeros before it.
    static func padded(_ number: UInt64, _ width: Int) -> String {
        let text = String(number)
        return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
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
