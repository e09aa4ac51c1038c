/// Words of a rule: METHODS, PATH, and terms as `name`, `name=value` or `name="value"`.
struct RulesWord: Equatable {
    /// Where it begins.
    var place: RulesPlace
    /// The whole word, or what stands before the first `=` of a term.
    var name = ""
    /// What stands after the `=`, without quotes and escapes; `nil` for a term without one.
    var value: String?
    /// Where the value begins, its quote not counted.
    var valuePlace = RulesPlace(line: 0, column: 0)
}

/// Cuts a rules file into rules and rules into words.
///
///     file    = *(rule LF)               CRLF and a byte order mark are tolerated
///     rule    = [word *(1*blank word)] [comment]
///     comment = "#" …                    at the start of a word, to the end of the line
///     blank   = space | tab | "\" LF     a backslash that ends a line continues the rule
///     word    = 1*char | name "=" <"> *(char | blank | "\\" | "\"") <">
///
/// Only the value of a term is quoted; a `#` or `"` elsewhere inside a word is an ordinary
/// character, and so is a backslash that does not end its line.
struct RulesScanner {
    /// The words of each rule, in order; rules that could not be scanned are left out.
    private(set) var rules: [[RulesWord]] = []
    /// What was wrong.
    private(set) var problems: [RulesFinding] = []
    /// Whether the text ends as a finished file does: with a line feed, and not within a rule that
    /// a backslash continues.
    private(set) var isEnded = false

    private enum Mode {
        case between, word, quoted, closed
    }

    private var mode = Mode.between
    private var words: [RulesWord] = []
    private var current = RulesWord(place: RulesPlace(line: 0, column: 0))
    private var quotePlace = RulesPlace(line: 0, column: 0)
    private var isSpoiled = false

    /// Scans a whole file.
    init(_ text: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let body = text.starts(with: mark) ? text.dropFirst(mark.count) : text[...]
        let lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if index == lines.count - 1 {
                isEnded = index > 0 && line.isEmpty && words.isEmpty && mode == .between
            }
            let withoutReturn = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            scan(decode(withoutReturn, line: index + 1), line: index + 1)
        }
        endRule()
    }

    /// The characters of a line; reports the first byte that is not UTF-8 and the first control
    /// character.
    private mutating func decode(_ bytes: ArraySlice<UInt8>, line: Int) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(bytes.count)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            let place = RulesPlace(line: line, column: scalars.count + 1)
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar):
                let isControl = scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7f
                if isControl {
                    report(place, "control character \(scalar.value) has no place here")
                }
                scalars.append(scalar)
            case .emptyInput:
                return scalars
            case .error:
                report(place, "this is not UTF-8 text")
                return scalars
            }
        }
    }

    private mutating func scan(_ scalars: [Unicode.Scalar], line: Int) {
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            let place = RulesPlace(line: line, column: index + 1)
            let isLast = index == scalars.count - 1
            let isBlank = scalar == " " || scalar == "\t"
            switch mode {
            case .quoted:
                if scalar == "\"" {
                    mode = .closed
                } else if scalar != "\\" {
                    current.value?.unicodeScalars.append(scalar)
                } else if isLast {
                    return
                } else {
                    index += 1
                    appendEscaped(scalars[index], at: place)
                }
            case _ where scalar == "\\" && isLast:
                endWord()
                return
            case .between where scalar == "#":
                endRule()
                return
            case .between, .word, .closed:
                if isBlank {
                    endWord()
                } else {
                    appendUnquoted(scalar, at: place)
                }
            }
            index += 1
        }
        endRule()
    }

    private mutating func appendUnquoted(_ scalar: Unicode.Scalar, at place: RulesPlace) {
        switch mode {
        case .between:
            current = RulesWord(place: place)
            mode = .word
        case .closed:
            report(place, "a space must follow the closing quote")
            mode = .word
        case .word, .quoted:
            break
        }
        guard words.count >= 2 else {
            current.name.unicodeScalars.append(scalar)
            return
        }
        if current.value == nil && scalar == "=" {
            current.value = ""
            current.valuePlace = RulesPlace(line: place.line, column: place.column + 1)
        } else if current.value == "" && scalar == "\"" {
            quotePlace = place
            current.valuePlace.column += 1
            mode = .quoted
        } else if current.value != nil {
            current.value?.unicodeScalars.append(scalar)
        } else {
            current.name.unicodeScalars.append(scalar)
        }
    }

    private mutating func appendEscaped(_ scalar: Unicode.Scalar, at place: RulesPlace) {
        if scalar != "\"" && scalar != "\\" {
            report(place, "inside quotes a backslash stands only before \" or \\ ; write \\\\")
        }
        current.value?.unicodeScalars.append(scalar)
    }

    private mutating func endWord() {
        if mode == .word || mode == .closed { words.append(current) }
        mode = .between
    }

    private mutating func endRule() {
        if mode == .quoted {
            report(quotePlace, "the quote is not closed; inside it write \\\" for a quote")
        }
        endWord()
        if !words.isEmpty && !isSpoiled { rules.append(words) }
        words = []
        isSpoiled = false
    }

    /// Notes a problem; the rule around it is not looked at further, or one mistake would be
    /// reported many times.
    private mutating func report(_ place: RulesPlace, _ message: String) {
        problems.append(RulesFinding(place: place, message: message))
        isSpoiled = true
    }
}
