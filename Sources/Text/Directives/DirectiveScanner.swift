/// A word of a directive: a plain one at its beginning, or a term as `name`, `name=value` or `name="value"`.
package struct DirectiveWord: Equatable, Sendable {
    /// Where it begins.
    package var place: TextPlace
    /// The whole word, or what stands before the first `=` of a term.
    package var name = ""
    /// What stands after the `=`, without quotes and escapes; `nil` for a term without one.
    package var value: String?
    /// Where the value begins, its quote not counted.
    package var valuePlace = TextPlace(line: 0, column: 0)
}

/// Cuts a file of directives into lines and lines into words. A file of rules is one, whose lines are
/// METHODS, PATH and terms.
///
///     file    = *(line LF)               CRLF and a byte order mark are tolerated
///     line    = [word *(1*blank word)] [comment]
///     comment = "#" …                    at the start of a word, to the end of the line
///     blank   = space | tab | "\" LF     a backslash that ends a line continues it
///     word    = 1*char | name "=" <"> *(char | blank | "\\" | "\"") <">
///
/// The first words of a line are plain. Only the value of a term is quoted; a `#` or `"` elsewhere inside a word is an ordinary
/// character, and so is a backslash that does not end its line.
package struct DirectiveScanner {
    /// The words of each line that has any, in order; lines that could not be scanned are left out.
    package private(set) var lines: [[DirectiveWord]] = []
    /// What was wrong.
    package private(set) var problems: [Finding] = []
    /// Whether the text ends as a finished file does: with a line feed, and not within a line that
    /// a backslash continues.
    package private(set) var isEnded = false

    private enum Mode {
        case between, word, quoted, closed
    }

    private var mode = Mode.between
    private var words: [DirectiveWord] = []
    private var current = DirectiveWord(place: TextPlace(line: 0, column: 0))
    private var quotePlace = TextPlace(line: 0, column: 0)
    private var isSpoiled = false

    private let plainWords: Int

    /// Scans a whole file.
    ///
    /// - Parameter plainWords: How many words at the beginning of a line are no terms.
    package init(_ text: [UInt8], plainWords: Int) {
        self.plainWords = plainWords
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let body = text.starts(with: mark) ? text.dropFirst(mark.count) : text[...]
        let texts = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in texts.enumerated() {
            if index == texts.count - 1 {
                isEnded = index > 0 && line.isEmpty && words.isEmpty && mode == .between
            }
            let withoutReturn = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            scan(decode(withoutReturn, line: index + 1), line: index + 1)
        }
        endLine()
    }

    /// The characters of a line; reports the first byte that is not UTF-8 and the first control
    /// character.
    private mutating func decode(_ bytes: ArraySlice<UInt8>, line: Int) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(bytes.count)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            let place = TextPlace(line: line, column: scalars.count + 1)
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
            let place = TextPlace(line: line, column: index + 1)
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
                endLine()
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
        endLine()
    }

    private mutating func appendUnquoted(_ scalar: Unicode.Scalar, at place: TextPlace) {
        switch mode {
        case .between:
            current = DirectiveWord(place: place)
            mode = .word
        case .closed:
            report(place, "a space must follow the closing quote")
            mode = .word
        case .word, .quoted:
            break
        }
        guard words.count >= plainWords else {
            current.name.unicodeScalars.append(scalar)
            return
        }
        if current.value == nil && scalar == "=" {
            current.value = ""
            current.valuePlace = TextPlace(line: place.line, column: place.column + 1)
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

    private mutating func appendEscaped(_ scalar: Unicode.Scalar, at place: TextPlace) {
        if scalar != "\"" && scalar != "\\" {
            report(place, "inside quotes a backslash stands only before \" or \\ ; write \\\\")
        }
        current.value?.unicodeScalars.append(scalar)
    }

    private mutating func endWord() {
        if mode == .word || mode == .closed { words.append(current) }
        mode = .between
    }

    private mutating func endLine() {
        if mode == .quoted {
            report(quotePlace, "the quote is not closed; inside it write \\\" for a quote")
        }
        endWord()
        if !words.isEmpty && !isSpoiled { lines.append(words) }
        words = []
        isSpoiled = false
    }

    /// Notes a problem; the line around it is not looked at further, or one mistake would be
    /// reported many times.
    private mutating func report(_ place: TextPlace, _ message: String) {
        problems.append(Finding(place: place, message: message))
        isSpoiled = true
    }
}
