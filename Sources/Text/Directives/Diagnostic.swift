/// A line and column, both from 1.
package struct TextPlace: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// What is wrong or doubtful at a place, before it is known in which file.
package struct Finding: Equatable, Sendable {
    package var place: TextPlace
    package var message: String

    package init(place: TextPlace, message: String) {
        self.place = place
        self.message = message
    }

    package func problem(in fileName: String) -> Diagnostic {
        Diagnostic(fileName: fileName, line: place.line, column: place.column, message: message)
    }
}

/// One thing that is wrong in a rules file.
package struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    /// As given to the parser.
    package let fileName: String
    /// From 1.
    package let line: Int
    /// From 1, in characters.
    package let column: Int
    /// What is wrong, and what would be right.
    package let message: String

    /// `file:line:column: message`.
    package var description: String { "\(fileName):\(line):\(column): \(message)" }
}

/// What is wrong with a value.
package struct ValueProblem: Error {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Text of a file in quotes for a message, cut where it is long. What may be a key, because
/// somebody named the wrong file, is left out.
package func quoted(_ text: some StringProtocol) -> String {
    let mayBeKey = text.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        .contains { $0.count >= 24 && $0.contains(where: \.isNumber) }
    if mayBeKey { return "\"<not shown>\"" }
    return text.count > 60 ? "\"\(text.prefix(57))...\"" : "\"\(text)\""
}
