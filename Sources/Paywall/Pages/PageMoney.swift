import Text

/// Sums and times as people read them.
enum PageMoney {
    /// "1 000 sats" with thin spaces (U+2009).
    static func sats(_ sats: UInt64) -> String {
        "\(grouped(sats))\u{2009}\(sats == 1 ? "sat" : "sats")"
    }

    /// About how much that is, to two digits below one: "0.11 EUR"; `nil` for what is no number.
    ///
    /// - Parameter unitsPerBitcoin: What 100,000,000 sats cost.
    static func fiat(
        _ sats: UInt64,
        unitsPerBitcoin: Double,
        currency: String,
        _ language: PageLanguage
    ) -> String? {
        let amount = Double(sats) * unitsPerBitcoin / 100_000_000
        guard amount.isFinite, amount > 0, amount < 1e12 else { return nil }
        var decimals = 2
        if amount >= 100 { decimals = 0 }
        var small = amount
        while small < 0.1, decimals < 6 {
            small *= 10
            decimals += 1
        }
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = UInt64((amount * scale).rounded())
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: UInt64(scale))
        let point = language == .english || language == .japanese ? "." : ","
        let digits = decimals == 0 ? "" : point + Digits.padded(rest, decimals)
        return "\(grouped(whole))\(digits)\u{2009}\(currency)"
    }

    private static func grouped(_ number: UInt64) -> String {
        let digits = Array(String(number))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "\u{2009}" }
            text.append(digit)
        }
        return text
    }
}

/// Days and times as people read them, of UTC.
enum PageTime {
    private static let daySeconds: UInt64 = 86_400

    /// "24 December"; with the year where it is far, and with the time where it is near.
    static func day(_ seconds: UInt64, now: UInt64, _ language: PageLanguage) -> String {
        let fields = CalendarText.date(seconds).split(separator: "-").compactMap { Int($0) }
        guard fields.count == 3 else { return CalendarText.date(seconds) }
        let day = language.day(fields[2], month: fields[1])
        let ahead = seconds - min(now, seconds)
        if ahead < 2 * daySeconds { return "\(day), \(clock(seconds))" }
        return ahead > 300 * daySeconds ? "\(day) \(fields[0])" : day
    }

    /// "15:05 UTC".
    static func clock(_ seconds: UInt64) -> String {
        let rest = seconds % daySeconds
        let hour = Digits.padded(rest / 3600, 2)
        return "\(hour):\(Digits.padded(rest / 60 % 60, 2))\u{a0}UTC"
    }
}
