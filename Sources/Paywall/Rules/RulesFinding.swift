/// A line and column, both from 1.
struct RulesPlace: Hashable, Comparable {
    var line: Int
    var column: Int

    static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// What is wrong or doubtful at a place, before it is known in which file.
struct RulesFinding: Equatable {
    var place: RulesPlace
    var message: String

    func problem(in fileName: String) -> RulesProblem {
        RulesProblem(fileName: fileName, line: place.line, column: place.column, message: message)
    }
}

/// What is wrong with a value.
struct RulesValueError: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Text of a rules file in quotes for a message, cut where it is long. What may be a key, because
/// somebody named the wrong file, is left out.
func quoted(_ text: some StringProtocol) -> String {
    let mayBeKey = text.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        .contains { $0.count >= 24 && $0.contains(where: \.isNumber) }
    if mayBeKey { return "\"<not shown>\"" }
    return text.count > 60 ? "\"\(text.prefix(57))...\"" : "\"\(text)\""
}
