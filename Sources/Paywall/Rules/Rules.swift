import Text

/// All rules of a file, ready to be matched. First match wins.
package struct Rules: Sendable {
    /// In the order of the file.
    package let rules: [Rule]
    /// What is allowed but hardly meant.
    package let warnings: [Diagnostic]
    private let index: RuleIndex

    /// Rules in order, as the parser made them.
    init(_ rules: [Rule], warnings: [Diagnostic] = []) {
        self.rules = rules
        self.warnings = warnings
        index = RuleIndex(rules)
    }

    /// Reads a rules file.
    ///
    /// - Parameters:
    ///   - fileName: As it is to stand in messages.
    ///   - wallets: What follows `LNBITS_KEY_` in the names of the variables that are set, as
    ///     written there: a rule that names another one is an error. `nil`: not known.
    /// - Throws: ``RulesFileErrors`` with everything that is wrong, in the order of the file.
    package init(
        parsing text: [UInt8],
        fileName: String,
        wallets: Set<String>? = nil
    ) throws(RulesFileErrors) {
        let read = try ReadRules(text, fileName: fileName, wallets: wallets)
        self.init(
            read.rules.map(\.rule),
            warnings: read.doubts.map { $0.problem(in: fileName) }
        )
    }

    /// Whether a text ends as a finished rules file does: with a line feed, and not within a rule
    /// that goes on in the next line.
    package static func isEnded(_ text: [UInt8]) -> Bool {
        DirectiveScanner(text, plainWords: ReadRules.plainWords).isEnded
    }

    /// The first rule for a request; `nil` when none matches, which is a 404.
    ///
    /// - Parameters:
    ///   - method: In upper case.
    ///   - host: In the spelling of ``HostName``.
    ///   - path: Normalised, see ``RequestPath``.
    package func match(method: String, host: String?, path: [UInt8]) -> Rule? {
        index.first(method: method, host: host, path: path)
    }

    /// Whether any rule is bound to a host.
    var namesHosts: Bool { index.namesHosts }

    /// Every rule for a path, whatever its methods, in order.
    package func matches(host: String?, path: [UInt8]) -> [Rule] {
        index.all(host: host, path: path)
    }
}

/// Everything that is wrong in a rules file.
package struct RulesFileErrors: Error, Equatable {
    /// In the order of the file; at least one.
    package let errors: [Diagnostic]
}
