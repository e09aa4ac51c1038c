import Text

/// A rule and the words it was read from, which later checks point to.
struct ReadRule {
    var rule: Rule
    var place: TextPlace
    var terms: [RuleTerm: DirectiveWord]

    /// Whether `service=` was written.
    var isNamed: Bool { terms[.service] != nil }

    /// Where the first of these terms stands that was written, else where the rule begins.
    func place(of candidates: RuleTerm...) -> TextPlace {
        candidates.lazy.compactMap { terms[$0]?.place }.first ?? place
    }
}

/// Reads the words of one rule, collecting everything that is wrong with them.
struct RuleReader {
    private(set) var problems: [Finding] = []
    private var terms: [RuleTerm: DirectiveWord] = [:]
    /// Whether a term was not understood: it may be the one that seems to be missing.
    private var hasUnknownTerm = false

    /// The rule of these words; `nil` when anything was wrong.
    mutating func read(_ words: [DirectiveWord]) -> ReadRule? {
        guard let first = words.first else { return nil }
        if isSetting(words) {
            // Without its text: it may be a wallet's key.
            report(
                first.place,
                "this looks like a setting, NAME=value, and this is a file of rules; settings stand "
                    + "in the environment or in the file of L402_ENV_FILE"
            )
            return nil
        }
        if words.count == 1 || first.name.hasPrefix("/") {
            let text = "a rule is METHODS PATH TERMS, as in: GET /path price=21"
            report(first.place, text)
            return nil
        }
        let methods = readMethods(first)
        let pattern = readPattern(words[1])
        for word in words.dropFirst(2) { collect(word) }
        let host = value(of: .host, RuleValues.host)
        let access = readAccess(ruleAt: first.place)
        let named = value(of: .service, RuleValues.service)
        let tier = value(of: .tier, RuleValues.tier)
        let require = value(of: .require, RuleValues.require)
        let serve = value(of: .serve) { text throws(ValueProblem) in
            try ServeTarget(parsing: text)
        }
        let memo = value(of: .memo, RuleValues.memo)
        let hash = value(of: .hash, RuleValues.hash)
        let wallet = value(of: .wallet, RuleValues.wallet)
        let cors = value(of: .cors, RuleValues.cors)
        let grace = value(of: .grace, RuleValues.grace)
        let per = value(of: .per, RuleValues.per)
        let teaser = value(of: .teaser, RuleValues.teaser)
        let exists = value(of: .exists, RuleValues.exists)
        guard problems.isEmpty, let methods, let pattern, let access else { return nil }
        let service =
            named
            ?? ServiceName.made(
                methods: methods.names,
                host: host,
                path: pattern.text,
                per: per
            )
        var isUnlimited = false
        if case .priced(let offer) = access { isUnlimited = offer.uses == nil }
        let rule = Rule(
            line: first.place.line,
            methods: methods.names,
            pattern: pattern,
            host: host,
            access: access,
            service: service,
            tier: tier ?? 0,
            require: require ?? [],
            serve: serve,
            memo: memo,
            acceptsHash: hash ?? !isUnlimited,
            wallet: wallet,
            cors: cors,
            grace: grace,
            per: per,
            teaser: teaser,
            exists: exists
        )
        return ReadRule(rule: rule, place: first.place, terms: terms)
    }

    /// Whether it is a line of a settings file, a script or a web server's configuration, such as
    /// `NAME=value`, `NAME = value` or `SetEnv LNBITS_KEY value`.
    private func isSetting(_ words: [DirectiveWord]) -> Bool {
        guard let first = words.first else { return false }
        let names = words.map { $0.name + ($0.value.map { "=" + $0 } ?? "") }
        return names.contains { $0.contains("LNBITS_") || $0.hasPrefix("L402_") }
            || first.name.drop { $0 != "=" }.count > 0 || words.dropFirst().first?.name.first == "="
    }

    private mutating func report(_ place: TextPlace, _ message: String) {
        problems.append(Finding(place: place, message: message))
    }
}

// METHODS and PATH.
extension RuleReader {
    /// Methods that web servers pass on.
    private static let knownMethods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "SEARCH",
        "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT",
    ]

    /// `names` is `nil` for `*`.
    private struct Methods {
        var names: Set<String>?
    }

    private mutating func readMethods(_ word: DirectiveWord) -> Methods? {
        if word.name == "*" { return Methods(names: nil) }
        let names = word.name.split(separator: ",", omittingEmptySubsequences: false)
        var place = word.place
        var methods: Set<String> = []
        for name in names.map(String.init) {
            if name.isEmpty {
                report(place, "methods have commas and no spaces between them, as in GET,POST")
            } else if name == "*" {
                report(place, "\"*\" stands alone: it is every method")
            } else if !Self.knownMethods.contains(name) {
                let hint = Suggestion.phrase(
                    for: name,
                    among: Self.knownMethods,
                    otherwise: "; a method is GET, POST, PUT, … or *"
                )
                report(place, "unknown method \(quoted(name))\(hint)")
            } else if !methods.insert(name).inserted {
                report(place, "method \(name) is given twice")
            }
            place.column += name.unicodeScalars.count + 1
        }
        if methods.contains("GET") { methods.insert("HEAD") }
        return Methods(names: methods)
    }

    private mutating func readPattern(_ word: DirectiveWord) -> PathPattern? {
        let text = word.name
        let scalars = Array(text.unicodeScalars)
        guard scalars.first == "/" else {
            report(word.place, "a path begins with \"/\": \(quoted(text))")
            return nil
        }
        let isEncoded = scalars.indices.first { index in
            scalars[index...].prefix(3).count == 3 && scalars[index] == "%"
                && scalars[(index + 1)...].prefix(2).allSatisfy(\.properties.isASCIIHexDigit)
        }
        if let isEncoded {
            var place = word.place
            place.column += isEncoded
            report(place, "the path is compared decoded: write the character itself, not \"%..\"")
        }
        if let mark = scalars.firstIndex(of: "?") {
            var place = word.place
            place.column += mark
            report(place, "the query is no part of the path; leave out \"?\" and what follows")
        }
        if text.contains("***") {
            report(word.place, "\"**\" is any run already; write it instead of \"***\"")
        }
        if text.contains("//") {
            report(word.place, "\"//\" never matches: slashes are merged first; write \"/\"")
        }
        let segments = text.split(separator: "/")
        if segments.contains(".") || segments.contains("..") {
            report(
                word.place,
                "\".\" and \"..\" never match: they are resolved first; write the path itself"
            )
        }
        return PathPattern(text)
    }
}

// TERMS.
extension RuleReader {
    private mutating func collect(_ word: DirectiveWord) {
        guard let term = RuleTerm(rawValue: word.name) else {
            reportUnknown(word)
            return
        }
        if let earlier = terms[term] {
            var where_ = "at column \(earlier.place.column)"
            if earlier.place.line != word.place.line { where_ += " of line \(earlier.place.line)" }
            report(word.place, "\"\(word.name)\" is given twice, first \(where_)")
            return
        }
        terms[term] = word
        if let takesValue = term.takesValue, takesValue != (word.value != nil) {
            report(
                word.place,
                takesValue
                    ? "\"\(word.name)\" needs a value, as in \(term.example)"
                    : "\"\(word.name)\" has no value; write \(term.example)"
            )
        } else if word.value?.isEmpty == true {
            report(word.place, "\"\(word.name)\" needs a value, as in \(term.example)")
        }
    }

    private mutating func reportUnknown(_ word: DirectiveWord) {
        if word.name == "\\" {
            report(word.place, "nothing may follow the \"\\\" that continues a rule")
            return
        }
        hasUnknownTerm = true
        let names = RuleTerm.allCases.map(\.rawValue)
        let hint = Suggestion.phrase(
            for: word.name,
            among: names,
            otherwise: "; a term is one of \(names.joined(separator: ", "))"
        )
        report(word.place, "unknown term \(quoted(word.name))\(hint)")
    }

    /// The value of a term; `nil` when the term is absent or its value wrong, which is reported.
    private mutating func value<Value>(
        of term: RuleTerm,
        _ read: (String) throws(ValueProblem) -> Value
    ) -> Value? {
        guard let word = terms[term], let text = word.value, !text.isEmpty else { return nil }
        do {
            return try read(text)
        } catch {
            report(word.valuePlace, error.message)
            return nil
        }
    }

    private mutating func readAccess(ruleAt place: TextPlace) -> Access? {
        let isFree = terms[.free] != nil && terms[.free]?.value == nil
        if terms[.deny] != nil {
            reportMeaningless(with: .deny, allowed: [.deny, .host, .cors])
            return .deny
        }
        if isFree {
            reportMeaningless(with: .free, allowed: [.free, .host, .cors, .serve, .require])
            return .free
        }
        let free = value(of: .free, RuleValues.free)
        let price = value(of: .price, RuleValues.price)
        let valid = value(of: .valid, RuleValues.valid)
        let uses = readUses()
        if terms[.price] == nil && !hasUnknownTerm {
            let lacking =
                terms[.free] == nil
                ? "the rule says neither price=… nor free nor deny"
                : "a free allowance comes before a price, which is missing; for no price at all "
                    + "write \"free\""
            report(terms[.free]?.place ?? place, lacking)
        }
        if case .some(.none) = uses, terms[.valid] == nil, !hasUnknownTerm {
            report(
                (terms[.unlimited] ?? terms[.uses])?.place ?? place,
                "unlimited uses need an end; add valid=…, as in valid=30d"
            )
        }
        guard let price, let uses else { return nil }
        return .priced(Offer(price: price, uses: uses, validSeconds: valid ?? 3600, free: free))
    }

    /// The uses, `.some(nil)` for unlimited; `nil` when they are wrong.
    private mutating func readUses() -> UInt64?? {
        if let unlimited = terms[.unlimited] {
            if terms[.uses] != nil {
                report(unlimited.place, "\"unlimited\" and \"uses\" say the same; write one")
            }
            return .some(nil)
        }
        guard terms[.uses] != nil else { return 1 }
        return value(of: .uses, RuleValues.uses)
    }

    private mutating func reportMeaningless(with term: RuleTerm, allowed: Set<RuleTerm>) {
        let others = terms.filter { !allowed.contains($0.key) }.values
        for other in others.sorted(by: { $0.place < $1.place }) {
            var text = "\"\(other.name)\" has no meaning beside \"\(term.rawValue)\""
            if term == .free && other.name == "price" {
                text += "; for some free requests before payment write free=1/day"
            }
            report(other.place, text)
        }
    }
}
