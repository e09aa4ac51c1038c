/// Durations as rules and variables write them: `90s`, `10m`, `1h30m`, `7d`, `2w`; a number alone
/// is seconds.
package enum DurationText {
    private static let units: [(letter: UInt8, seconds: UInt64)] = [
        (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600),
        (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1),
    ]

    /// The seconds a text stands for; `nil` when it is no duration or longer than 64 bits hold.
    package static func seconds(_ text: some StringProtocol) -> UInt64? {
        var total: UInt64 = 0
        var number: UInt64?
        var hasUnit = false
        for byte in text.utf8 {
            if byte.isDigit {
                let (tenfold, tooLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, carried) = tenfold.addingReportingOverflow(UInt64(byte & 0x0f))
                if tooLarge || carried { return nil }
                number = sum
            } else {
                guard let unit = units.first(where: { $0.letter == byte }), let count = number
                else {
                    return nil
                }
                let (part, tooLarge) = count.multipliedReportingOverflow(by: unit.seconds)
                let (sum, carried) = total.addingReportingOverflow(part)
                if tooLarge || carried { return nil }
                total = sum
                number = nil
                hasUnit = true
            }
        }
        guard let rest = number else { return hasUnit ? total : nil }
        return hasUnit ? nil : rest
    }

    /// The shortest text for a number of seconds, such as `1h30m`.
    package static func text(_ seconds: UInt64) -> String {
        guard seconds > 0 else { return "0s" }
        var rest = seconds
        var text = ""
        for unit in units where rest >= unit.seconds && unit.letter != UInt8(ascii: "w") {
            text += "\(rest / unit.seconds)\(Character(UnicodeScalar(unit.letter)))"
            rest %= unit.seconds
        }
        return text
    }
}
