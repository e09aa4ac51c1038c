import HTTP
import Text
import Wallets

/// Reads the values of terms; every error says what would be right.
enum RuleValues {
    /// The dearest invoice LNbits makes, in sats.
    static let priceLimit: UInt64 = 10_000_000
    /// The most uses one payment may buy, and the most free requests.
    static let countLimit: UInt64 = 1_000_000_000
    /// The longest life of a token: ten years.
    static let validLimit: UInt64 = 3650 * 86_400
    /// The longest invoice text in bytes (BOLT #11: 1023 words of 5 bits).
    static let memoLimit = 639
    /// The longest time for the further ranges of one delivery: a day.
    static let graceLimit: UInt64 = 86_400

    /// `21`, `0.25USD`, `1EUR`.
    static func price(_ text: String) throws(ValueProblem) -> Price {
        let amount = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text[amount.endIndex...]
        let parts = amount.split(separator: ".", omittingEmptySubsequences: false)
        let form = "price is whole sats from 1 to \(priceLimit), or an amount such as 0.25USD"
        guard let whole = parts.first.flatMap({ Digits.number($0) }), parts.count <= 2 else {
            throw ValueProblem("\(form): \(quoted(text))")
        }
        if ["SAT", "SATS"].contains(unit.uppercased()) && parts.count == 1 {
            throw ValueProblem("a price without a currency is in sats; write \"\(whole)\"")
        }
        if unit.isEmpty {
            guard parts.count == 1 else {
                throw ValueProblem(
                    "a price in sats is a whole number; in another currency write its code, as "
                        + "in 0.25USD: \(quoted(text))"
                )
            }
            if whole == 0 { throw ValueProblem("price 0 is no price; write \"free\" instead") }
            guard whole <= priceLimit else {
                throw ValueProblem("\(form): \(quoted(text))")
            }
            return .sats(whole)
        }
        return .fiat(try fiat(whole, fraction: parts.dropFirst().first, unit: unit, text: text))
    }

    private static func fiat(
        _ whole: UInt64,
        fraction: Substring?,
        unit: Substring,
        text: String
    ) throws(ValueProblem) -> FiatAmount {
        let currency = String(unit)
        guard currency.count == 3, currency.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            throw ValueProblem(
                "a currency is three capital letters, as in 0.25USD: \(quoted(text))"
            )
        }
        guard currency == currency.uppercased() else {
            throw ValueProblem(
                "a currency is written in capital letters; did you mean "
                    + "\"\(text.uppercased())\"?"
            )
        }
        guard currency != "BTC" else {
            throw ValueProblem("a price in bitcoin is written in sats: \(quoted(text))")
        }
        var hundredths: UInt64 = 0
        if let fraction {
            guard let digits = Digits.number(fraction), fraction.count <= 2 else {
                throw ValueProblem(
                    "an amount has one or two digits after the point: \(quoted(text))"
                )
            }
            hundredths = fraction.count == 1 ? digits * 10 : digits
        }
        guard whole <= countLimit else {
            throw ValueProblem("an amount is at most \(countLimit): \(quoted(text))")
        }
        hundredths += whole * 100
        guard hundredths > 0 else {
            throw ValueProblem("price 0 is no price; write \"free\" instead")
        }
        return FiatAmount(hundredths: hundredths, currency: currency)
    }

    /// `5/hour`.
    static func free(_ text: String) throws(ValueProblem) -> FreeAllowance {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let count = parts.first.flatMap({ Digits.number($0) }), count >= 1,
            count <= countLimit,
            parts.count == 2, let word = parts.last
        else {
            throw ValueProblem(
                "free is N/minute, N/hour or N/day with N from 1 to \(countLimit): \(quoted(text))"
            )
        }
        guard let period = FreePeriod(rawValue: word) else {
            let hint = Suggestion.phrase(
                for: word,
                among: FreePeriod.allCases.map(\.rawValue),
                otherwise: "; a period is minute, hour or day"
            )
            throw ValueProblem("unknown period \(quoted(word))\(hint)")
        }
        return FreeAllowance(limit: UInt32(clamping: count), period: period)
    }

    /// `10`, `unlimited`; `nil` stands for unlimited.
    static func uses(_ text: String) throws(ValueProblem) -> UInt64? {
        if text == "unlimited" { return nil }
        guard let count = Digits.number(text), count >= 1, count <= countLimit else {
            let hint = Suggestion.phrase(for: text, among: ["unlimited"], otherwise: "")
            throw ValueProblem(
                "uses is a whole number from 1 to \(countLimit) or \"unlimited\": "
                    + quoted(text) + hint
            )
        }
        return count
    }

    /// `30s`, `1h30m`, `7d`, in seconds.
    static func valid(_ text: String) throws(ValueProblem) -> UInt64 {
        guard let seconds = DurationText.seconds(text) else {
            throw ValueProblem(
                "a duration is numbers with units w, d, h, m, s, as in 30s, 1h30m or 7d: "
                    + quoted(text)
            )
        }
        guard seconds >= 1, seconds <= validLimit else {
            throw ValueProblem("valid is from 1s to 3650d: \(quoted(text))")
        }
        return seconds
    }

    /// `10m`, `0` for none, in seconds.
    static func grace(_ text: String) throws(ValueProblem) -> UInt64 {
        guard let seconds = DurationText.seconds(text), seconds <= graceLimit else {
            throw ValueProblem(
                "grace is a duration from 0 (none) to 1d, as in 10m: \(quoted(text))"
            )
        }
        return seconds
    }

    /// A service's name, which caveats carry: none of the characters they are made of.
    static func service(_ text: String) throws(ValueProblem) -> String {
        try name(text, "a service", limit: 64, "._-")
    }

    /// 0–255.
    static func tier(_ text: String) throws(ValueProblem) -> UInt8 {
        guard let tier = Digits.number(text).flatMap({ UInt8(exactly: $0) }) else {
            throw ValueProblem("tier is a whole number from 0 to 255: \(quoted(text))")
        }
        return tier
    }

    /// `a,b`: names of JSON fields.
    static func require(_ text: String) throws(ValueProblem) -> [String] {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard fields.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
            throw ValueProblem(
                "require is field names with commas between them and no spaces: \(quoted(text))"
            )
        }
        if let twice = duplicate(in: fields) {
            throw ValueProblem("\(quoted(twice)) is required twice")
        }
        return fields
    }

    /// Invoice text.
    static func memo(_ text: String) throws(ValueProblem) -> String {
        let count = text.utf8.count
        guard count <= memoLimit else {
            throw ValueProblem("memo has \(count) bytes, at most \(memoLimit) fit in an invoice")
        }
        return text
    }

    /// `on`, `off`.
    static func hash(_ text: String) throws(ValueProblem) -> Bool {
        switch text {
        case "on": return true
        case "off": return false
        default: throw ValueProblem("hash is \"on\" or \"off\": \(quoted(text))")
        }
    }

    /// What follows `LNBITS_KEY_` in the environment variable of the wallet's key.
    static func wallet(_ text: String) throws(ValueProblem) -> String {
        let name = try name(text, "a wallet", limit: 32, "_")
        guard name.uppercased() != "FILE" else {
            throw ValueProblem("LNBITS_KEY_FILE is a variable of its own; rename the wallet")
        }
        return name
    }

    /// `*`, `off`, or origins with commas between them.
    static func cors(_ text: String) throws(ValueProblem) -> String {
        if text == "*" || text == "off" { return text }
        for origin in text.split(separator: ",", omittingEmptySubsequences: false) {
            let isOrigin = ["http://", "https://"].contains { scheme in
                origin.hasPrefix(scheme) && HostName.isAuthority(origin.dropFirst(scheme.count))
            }
            guard isOrigin else {
                throw ValueProblem(
                    "cors is *, off, or origins such as https://app.example: \(quoted(text))"
                )
            }
        }
        return text
    }

    /// A host in the spelling of ``HostName``.
    static func host(_ text: String) throws(ValueProblem) -> String {
        guard let host = HostName.of(text), !text.hasSuffix(":"), HostName.port(text) == nil
        else {
            throw ValueProblem(
                "host is one host name without port or \"*\", as in api.example.com: "
                    + quoted(text)
            )
        }
        return host
    }

    /// The first value that occurs a second time.
    static func duplicate<Value: Hashable>(in values: [Value]) -> Value? {
        var seen: Set<Value> = []
        return values.first { !seen.insert($0).inserted }
    }

    private static func name(
        _ text: String,
        _ kind: String,
        limit: Int,
        _ punctuation: String
    ) throws(ValueProblem) -> String {
        let isGood = text.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || punctuation.contains($0))
        }
        guard isGood, !text.isEmpty, text.count <= limit else {
            let marks = punctuation.map(String.init).joined(separator: " ")
            throw ValueProblem(
                "\(kind) is named with letters, digits and \(marks) , at most \(limit): "
                    + quoted(text)
            )
        }
        return text
    }
}
