/// Decimal numbers without sign, blanks or anything else beside their digits.
package enum Digits {
    /// The number that digits stand for; `nil` for none, for another character, and beyond 64 bits.
    package static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard digit.isDigit else { return nil }
            let (tenfold, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tenfold.addingReportingOverflow(UInt64(digit & 0x0f))
            if tooLarge || carried { return nil }
            number = sum
        }
        return number
    }

    /// The same of a text.
    package static func number(_ text: some StringProtocol) -> UInt64? { number(text.utf8) }

    /// Whether a text has digits, and nothing else.
    package static func isNumber(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(\.isDigit)
    }

    /// A number with zeros before it; more digits where it needs them.
    package static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        let missing = width - digits.utf8.count
        return missing > 0 ? String(repeating: "0", count: missing) + digits : digits
    }
}
