/// All rules of a file, ready to be matched. First match wins.
public struct Rules: Sendable {
    /// In the order of the file.
    public let rules: [Rule]
    /// What is allowed but hardly meant.
    public let warnings: [RulesProblem]
    private let index: RuleIndex

    /// Rules in order, as the parser made them.
    init(_ rules: [Rule], warnings: [RulesProblem] = []) {
        self.rules = rules
        self.warnings = warnings
        index = RuleIndex(rules)
    }

    /// Reads a rules file.
    ///
    /// - Parameter fileName: As it is to stand in messages.
    /// - Throws: ``RulesFileErrors`` with everything that is wrong, in the order of the file.
    public init(parsing text: [UInt8], fileName: String) throws(RulesFileErrors) {
        let scanner = RulesScanner(text)
        var findings = scanner.problems
        var doubts: [RulesFinding] = []
        var rules: [Rule] = []
        var services = ServiceCheck()
        var coverage = RuleCoverage()
        for words in scanner.rules {
            var reader = RuleReader()
            let read = reader.read(words)
            findings += reader.problems
            guard let read else { continue }
            findings += services.problems(with: read)
            if let earlier = coverage.cover(of: read.rule) {
                let message =
                    "this rule never matches: line \(earlier.line) (\(earlier.pattern.text)) takes "
                    + "all its requests"
                doubts.append(RulesFinding(place: read.place, message: message))
            }
            rules.append(read.rule)
        }
        if !findings.isEmpty {
            let sorted = findings.sorted { $0.place < $1.place }
            throw RulesFileErrors(errors: sorted.map { $0.problem(in: fileName) })
        }
        if rules.isEmpty {
            let message = "there is no rule: every request is answered 404"
            doubts.append(RulesFinding(place: RulesPlace(line: 1, column: 1), message: message))
        }
        self.init(rules, warnings: doubts.map { $0.problem(in: fileName) })
    }

    /// The first rule for a request; `nil` when none matches, which is a 404.
    ///
    /// - Parameters:
    ///   - method: In upper case.
    ///   - host: Lower case without port.
    ///   - path: Normalised, see ``RequestPath``.
    public func match(method: String, host: String?, path: [UInt8]) -> Rule? {
        index.first(method: method, host: host, path: path)
    }

    /// Whether any rule is bound to a host.
    var namesHosts: Bool { index.namesHosts }

    /// Every rule for a path, whatever its methods, in order.
    public func matches(host: String?, path: [UInt8]) -> [Rule] {
        index.all(host: host, path: path)
    }
}

/// One thing that is wrong in a rules file.
public struct RulesProblem: Sendable, Equatable, CustomStringConvertible {
    /// As given to the parser.
    public let fileName: String
    /// From 1.
    public let line: Int
    /// From 1, in characters.
    public let column: Int
    /// What is wrong, and what would be right.
    public let message: String

    /// `file:line:column: message`.
    public var description: String { "\(fileName):\(line):\(column): \(message)" }
}

/// Everything that is wrong in a rules file.
public struct RulesFileErrors: Error, Equatable {
    /// In the order of the file; at least one.
    public let errors: [RulesProblem]
}
