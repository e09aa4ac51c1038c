import Crypto
import Lightning

/// The terms of one rule, read word by word, then made into the rule.
struct RuleTerms {
    /// The parser, for its errors.
    private(set) var parser: RulesParser

    private var seen: [String: RulesPlace] = [:]
    private var price: Price?
    private var isFree = false
    private var isDeny = false
    private var allowance: FreeAllowance?
    private var uses: UInt64??
    private var validSeconds: UInt64?
    private var service: String?
    private var tier: UInt8 = 0
    private var require: [String] = []
    private var serve: ServeTarget?
    private var memo: String?
    private var acceptsHash: Bool?
    private var wallet: String?
    private var cors: String?
    private var host: String?

    static let names = [
        "price", "free", "deny", "uses", "valid", "service", "tier", "require", "serve", "memo",
        "hash", "wallet", "cors", "host",
    ]
    /// The most that LNbits makes an invoice for.
    private static let maximumSats: UInt64 = 10_000_000
    private static let maximumValidSeconds: UInt64 = 10 * 366 * 86_400

    init(_ parser: RulesParser) { self.parser = parser }

    mutating func read(_ word: RulesWord) {
        let text = word.text
        let name = String(text.prefix { $0 != "=" })
        guard Self.names.contains(name) else {
            let meant = Suggestion.nearest(to: name, in: Self.names)
            return fail(
                word.place,
                "unknown term \"\(name)\"; "
                    + (meant.map { "did you mean \"\($0)\"?" }
                        ?? "known are \(Self.names.joined(separator: ", "))")
            )
        }
        let key = text == "free" ? "free (always)" : name
        if let first = seen.updateValue(word.place, forKey: key) {
            return fail(word.place, "\(name) stands twice, first in column \(first.column)")
        }
        if text == "free" { return isFree = true }
        if text == "deny" { return isDeny = true }
        guard text.contains("=") else {
            return fail(word.place, "\(name) needs a value: \(name)=…")
        }
        guard name != "deny" else { return fail(word.place, "deny has no value") }
        guard let value = unquote(word, from: text.dropFirst(name.count + 1)) else { return }
        guard !value.isEmpty else { return fail(word.valuePlace, "\(name) has an empty value") }
        readValue(name, value, word.valuePlace)
    }

    private mutating func readValue(_ name: String, _ value: String, _ place: RulesPlace) {
        switch name {
        case "price": readPrice(value, place)
        case "free": readAllowance(value, place)
        case "uses": readUses(value, place)
        case "valid": readValid(value, place)
        case "service": service = readName(value, place, what: "a service")
        case "tier":
            guard let number = UInt8(value) else {
                return fail(place, "tier is a whole number from 0 to 255, not \"\(value)\"")
            }
            tier = number
        case "require": readRequire(value, place)
        case "serve":
            guard let target = ServeTarget(value) else {
                return fail(
                    place,
                    "\"\(value)\" is not @name, /prefix/, file:/dir, http://host:port, https://…, "
                        + "http+unix:/socket, pass or demo"
                )
            }
            serve = target
        case "memo":
            guard value.utf8.count <= 639 else {
                return fail(place, "memo is \(value.utf8.count) bytes; an invoice holds 639")
            }
            memo = value
        case "hash":
            guard value == "on" || value == "off" else {
                return fail(place, "hash is on or off, not \"\(value)\"")
            }
            acceptsHash = value == "on"
        case "wallet": wallet = readName(value, place, what: "a wallet")
        case "cors":
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
                return fail(place, "cors is *, off, or origins such as https://example.org")
            }
            cors = value
        case "host":
            guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !value.contains(":"),
                !value.contains("/")
            else {
                return fail(place, "host is a name without port, not \"\(value)\"")
            }
            host = value.lowercased()
        case _:
            return
        }
    }

    // MARK: - Values

    private mutating func readPrice(_ value: String, _ place: RulesPlace) {
        let number = value.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let currency = value.dropFirst(number.count)
        if currency.isEmpty {
            guard let sats = UInt64(number) else {
                return fail(
                    place,
                    "\"\(value)\" is no price: write whole sats, or an amount with its currency such as 0.25USD"
                )
            }
            if sats == 0 { return fail(place, "price=0 sells nothing; write free instead") }
            guard sats <= Self.maximumSats else {
                return fail(place, "price is at most \(Self.maximumSats) sats")
            }
            price = .sats(sats)
            return
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let isCurrency =
            currency.count == 3 && currency.utf8.allSatisfy { (0x41...0x5a).contains($0) }
        guard isCurrency, (1...2).contains(parts.count), let whole = UInt64(parts[0]),
            let cents = parts.count == 2 ? hundredths(parts[1]) : 0,
            whole <= 1_000_000, whole * 100 + cents > 0
        else {
            return fail(
                place,
                "\"\(value)\" is no price: write whole sats, or an amount with its currency such as 0.25USD"
            )
        }
        price = .fiat(FiatAmount(hundredths: whole * 100 + cents, currency: String(currency)))
    }

    /// One or two digits behind the point.
    private func hundredths(_ text: Substring) -> UInt64? {
        guard (1...2).contains(text.count), let digits = UInt64(text) else { return nil }
        return text.count == 1 ? digits * 10 : digits
    }

    private mutating func readAllowance(_ value: String, _ place: RulesPlace) {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let limit = UInt32(parts[0]), (1...1_000_000).contains(limit),
            let period = FreePeriod(rawValue: String(parts[1]))
        else {
            return fail(
                place,
                "free is N/minute, N/hour or N/day with N from 1 to 1000000, not \"\(value)\""
            )
        }
        allowance = FreeAllowance(limit: limit, period: period)
    }

    private mutating func readUses(_ value: String, _ place: RulesPlace) {
        if value == "unlimited" { return uses = .some(nil) }
        guard let count = UInt64(value), (1...1_000_000_000).contains(count) else {
            return fail(
                place,
                "uses is a whole number from 1 to 1000000000 or unlimited, not \"\(value)\""
            )
        }
        uses = count
    }

    private mutating func readValid(_ value: String, _ place: RulesPlace) {
        guard let seconds = DurationText.seconds(value),
            (1...Self.maximumValidSeconds).contains(seconds)
        else {
            return fail(
                place,
                "valid is a duration such as 30m, 1h or 7d, up to ten years, not \"\(value)\""
            )
        }
        validSeconds = seconds
    }

    private mutating func readRequire(_ value: String, _ place: RulesPlace) {
        let fields = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !fields.contains(""), Set(fields).count == fields.count else {
            return fail(place, "require is a comma list of different JSON fields, not \"\(value)\"")
        }
        require = fields
    }

    private mutating func readName(_ value: String, _ place: RulesPlace, what: String) -> String? {
        let isName = value.utf8.count <= 64 && value.utf8.allSatisfy(ServiceName.isAllowed)
        if isName { return value }
        fail(
            place,
            "\(what) is named with letters, digits, \".\", \"_\" and \"-\", at most 64; not \"\(value)\""
        )
        return nil
    }

    /// The value without its quotes and escapes.
    private mutating func unquote(_ word: RulesWord, from value: Substring) -> String? {
        guard value.contains("\"") else { return String(value) }
        guard value.hasPrefix("\""), value.count >= 2 else {
            fail(word.valuePlace, "a quoted value begins and ends with \"")
            return nil
        }
        var text = ""
        var rest = value.dropFirst()
        while let character = rest.popFirst() {
            if character == "\"" {
                guard rest.isEmpty else {
                    fail(word.valuePlace, "there is text behind the closing \"")
                    return nil
                }
                return text
            }
            if character == "\\", let escaped = rest.popFirst() {
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        fail(word.valuePlace, "the closing \" is missing")
        return nil
    }

    private mutating func fail(_ place: RulesPlace, _ message: String) {
        parser.fail(place, message)
    }

    // MARK: - The whole

    /// The rule; worth something only when nothing failed.
    mutating func rule(at place: RulesPlace, methods: Set<String>?, pattern: PathPattern) -> Rule {
        let access = access(at: place)
        let sold: Offer? = if case .priced(let offer) = access { offer } else { nil }
        return Rule(
            line: place.line,
            methods: methods,
            pattern: pattern,
            host: host,
            access: access,
            service: service ?? ServiceName.made(methods: methods, host: host, path: pattern.text),
            tier: tier,
            require: require,
            serve: serve,
            memo: memo,
            acceptsHash: acceptsHash ?? (sold?.uses != nil),
            wallet: wallet,
            cors: cors
        )
    }

    private mutating func access(at place: RulesPlace) -> Access {
        if isFree || isDeny {
            if isFree && isDeny { fail(place, "a rule is free or deny, not both") }
            let word = isFree ? "free" : "deny"
            let allowed: Set<String> =
                isFree ? ["free (always)", "host", "serve", "cors"] : ["deny", "host", "cors"]
            for (name, place) in seen.sorted(by: { $0.value.column < $1.value.column })
            where !allowed.contains(name) && name != "deny" && name != "free (always)" {
                fail(place, "\(name) makes no sense with \(word)")
            }
            return isFree ? .free : .deny
        }
        guard let price else {
            if seen["price"] == nil { fail(place, "a rule needs price=N, free or deny") }
            return .deny
        }
        let counted: UInt64? = uses ?? 1
        if counted == nil, validSeconds == nil, seen["valid"] == nil {
            fail(place, "uses=unlimited needs valid=DURATION, such as valid=30d")
        }
        return .priced(
            Offer(price: price, uses: counted, validSeconds: validSeconds ?? 3600, free: allowance)
        )
    }
}

/// Names of services, which stand in caveats and headers.
enum ServiceName {
    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        case _:
            false
        }
    }

    /// A name made of methods, host and path. Where the readable form could stand for another
    /// rule too, a part of a hash keeps them apart, so that no edit of other lines changes it.
    static func made(methods: Set<String>?, host: String?, path: String) -> String {
        let shown = methods.map { $0.contains("GET") ? $0.subtracting(["HEAD"]) : $0 }
        let verb = shown.map { $0.sorted().joined(separator: "-").lowercased() } ?? "any"
        let parts = path.split(separator: "/")
        let isPlain =
            host == nil && !path.hasSuffix("/") && !parts.isEmpty && (shown?.count ?? 1) == 1
            && parts.allSatisfy { part in
                part.utf8.allSatisfy {
                    (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e
                        || $0 == 0x5f
                }
            }
        let readable = ([verb] + parts.map(String.init)).joined(separator: "-")
        if isPlain, readable.utf8.count <= 64 { return readable }
        let kept = readable.lowercased().map {
            $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
        }
        let words = String(kept).split(separator: "-").joined(separator: "-")
        let digest = SHA256.hash(data: Array("\(verb) \(host ?? "") \(path)".utf8))
        return "\(words.prefix(48))-\(Hex.encode(digest.prefix(4)))"
    }
}
