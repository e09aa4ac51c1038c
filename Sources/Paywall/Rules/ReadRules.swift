import Text

/// The rules of a file with the words they were read from.
struct ReadRules {
    /// METHODS and PATH; what follows are terms.
    static let plainWords = 2

    /// In the order of the file.
    private(set) var rules: [ReadRule] = []
    /// What a gate warns of at the start: rules that do nothing.
    private(set) var doubts: [Finding] = []

    /// - Throws: ``RulesFileErrors`` with everything that is wrong, in the order of the file.
    init(_ text: [UInt8], fileName: String, wallets: Set<String>?) throws(RulesFileErrors) {
        let scanner = DirectiveScanner(text, plainWords: Self.plainWords)
        var findings = scanner.problems
        var services = ServiceCheck(wallets: wallets)
        var coverage = RuleCoverage()
        for words in scanner.lines {
            var reader = RuleReader()
            let read = reader.read(words)
            findings += reader.problems
            guard let read else { continue }
            findings += services.problems(with: read)
            if let earlier = coverage.cover(of: read.rule) {
                let message =
                    "this rule never matches: line \(earlier.line) (\(earlier.pattern.text)) takes "
                    + "all its requests"
                doubts.append(Finding(place: read.place, message: message))
            }
            rules.append(read)
        }
        if !findings.isEmpty {
            let sorted = findings.sorted { $0.place < $1.place }
            throw RulesFileErrors(errors: sorted.map { $0.problem(in: fileName) })
        }
        if rules.isEmpty {
            let message = "there is no rule: every request is answered 404"
            doubts.append(Finding(place: TextPlace(line: 1, column: 1), message: message))
        }
    }
}
