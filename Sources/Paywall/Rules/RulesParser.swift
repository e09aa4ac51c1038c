/// Reads a rules file: one rule per line, `METHODS PATH TERMS`. Collects every error.
struct RulesParser {
    let fileName: String
    private(set) var errors: [RulesProblem] = []
    private(set) var warnings: [RulesProblem] = []

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    init(fileName: String) { self.fileName = fileName }

    /// The rules; worth something only when ``errors`` is empty afterwards.
    mutating func parse(_ bytes: [UInt8]) -> [Rule] {
        guard let text = decode(bytes) else { return [] }
        var rules: [Rule] = []
        for words in RulesLexer.rules(text) {
            if let rule = parseRule(words) { rules.append(rule) }
        }
        checkTogether(rules)
        if rules.isEmpty, errors.isEmpty {
            warn(RulesPlace(line: 1, column: 1), "there is no rule: every request is answered 404")
        }
        return rules
    }

    mutating func fail(_ place: RulesPlace, _ message: String) {
        errors.append(
            RulesProblem(
                fileName: fileName,
                line: place.line,
                column: place.column,
                message: message
            )
        )
    }

    private mutating func warn(_ place: RulesPlace, _ message: String) {
        warnings.append(
            RulesProblem(
                fileName: fileName,
                line: place.line,
                column: place.column,
                message: message
            )
        )
    }

    private mutating func decode(_ bytes: [UInt8]) -> String? {
        let content = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        if let text = String(validating: content, as: UTF8.self), !content.contains(0) {
            return text
        }
        for (index, line) in content.split(separator: 0x0a, omittingEmptySubsequences: false)
            .enumerated()
        where String(validating: line, as: UTF8.self) == nil || line.contains(0) {
            fail(RulesPlace(line: index + 1, column: 1), "this line is not UTF-8 text")
        }
        return nil
    }

    private mutating func parseRule(_ words: [RulesWord]) -> Rule? {
        guard let first = words.first else { return nil }
        let errorsBefore = errors.count
        let methods = parseMethods(first)
        guard words.count >= 2 else {
            fail(first.place, "a rule is METHODS PATH TERMS, such as: GET /api/** price=21")
            return nil
        }
        let pattern = parsePath(words[1])
        var terms = RuleTerms(self)
        for word in words.dropFirst(2) { terms.read(word) }
        guard let pattern else {
            self = terms.parser
            return nil
        }
        let rule = terms.rule(at: first.place, methods: methods, pattern: pattern)
        self = terms.parser
        return errors.count == errorsBefore ? rule : nil
    }

    /// `*`, or names in upper case; `nil` for `*`.
    private mutating func parseMethods(_ word: RulesWord) -> Set<String>? {
        if word.text == "*" { return nil }
        var methods: Set<String> = []
        for name in word.text.split(separator: ",", omittingEmptySubsequences: false) {
            let method = String(name)
            let isName = !method.isEmpty && method.utf8.allSatisfy { (0x41...0x5a).contains($0) }
            guard isName else {
                let meant = Suggestion.nearest(to: method.uppercased(), in: Self.methods)
                fail(
                    word.place,
                    "\"\(method)\" is no method"
                        + (meant.map { "; did you mean \"\($0)\"?" }
                            ?? "; write GET, POST, a comma list, or *")
                )
                continue
            }
            if !methods.insert(method).inserted { fail(word.place, "\(method) stands twice") }
        }
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods
    }

    private mutating func parsePath(_ word: RulesWord) -> PathPattern? {
        let text = word.text
        let before = errors.count
        if !text.hasPrefix("/") {
            fail(word.place, "a path begins with /, this is \"\(text)\"")
        } else if text.contains("?") || text.contains("#") {
            fail(word.place, "a path has no query: rules match the path alone")
        } else if text.contains("//")
            || text.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        {
            fail(
                word.place,
                "this path never matches: slashes are collapsed and dot segments resolved before"
            )
        } else if let percent = text.firstIndex(of: "%"),
            text[percent...].dropFirst().prefix(2).count == 2,
            text[percent...].dropFirst().prefix(2).allSatisfy(\.isHexDigit)
        {
            fail(
                word.place,
                "write the character itself instead of %XX: rules match the decoded path"
            )
        }
        return errors.count == before ? PathPattern(text) : nil
    }

    // MARK: - What only all rules together show

    private mutating func checkTogether(_ rules: [Rule]) {
        var prices: [String: Rule] = [:]
        var wallets: [String: Rule] = [:]
        var seen: [String: Rule] = [:]
        var catchAll: Rule?
        for rule in rules {
            let place = RulesPlace(line: rule.line, column: 1)
            if case .priced(let offer) = rule.access {
                let key = "\(rule.service):\(rule.tier)"
                if let other = prices[key], case .priced(let first) = other.access,
                    first.price != offer.price
                {
                    fail(
                        place,
                        "service \(rule.service) tier \(rule.tier) has another price in line \(other.line); "
                            + "a service has one price per tier"
                    )
                }
                prices[key] = prices[key] ?? rule
                if let other = wallets[rule.service], other.wallet != rule.wallet {
                    fail(place, "service \(rule.service) has another wallet in line \(other.line)")
                }
                wallets[rule.service] = wallets[rule.service] ?? rule
            }
            let identity = String(decoding: rule.identity, as: UTF8.self)
            if let other = seen[identity] ?? catchAll {
                warn(place, "this rule never matches: the one in line \(other.line) does before it")
            }
            seen[identity] = seen[identity] ?? rule
            if rule.pattern.text == "/**", rule.methods == nil, rule.host == nil {
                catchAll = catchAll ?? rule
            }
        }
    }
}

/// The nearest known word to one that is not known.
enum Suggestion {
    /// A word at most two edits away; `nil` when none is.
    static func nearest(to word: String, in known: [String]) -> String? {
        let scored = known.map { ($0, distance(Array(word), Array($0))) }
        let best = scored.min { $0.1 < $1.1 }
        return best.flatMap { $0.1 <= min(2, max(1, word.count / 2)) ? $0.0 : nil }
    }

    /// Insertions, deletions and substitutions between two words.
    private static func distance(_ from: [Character], _ to: [Character]) -> Int {
        var row = Array(0...to.count)
        for (index, character) in from.prefix(64).enumerated() {
            var diagonal = index
            row[0] = index + 1
            for (column, other) in to.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(
                    above + 1,
                    row[column] + 1,
                    diagonal + (character == other ? 0 : 1)
                )
                diagonal = above
            }
        }
        return row[to.count]
    }
}
