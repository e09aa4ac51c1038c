/// A place in a rules file.
struct RulesPlace: Equatable {
    let line: Int
    let column: Int
}

/// A run of characters without blanks, or with blanks inside quotes.
struct RulesWord {
    /// The characters as written, quotes and escapes included, each with its place.
    let characters: [(character: Character, place: RulesPlace)]

    var text: String { String(characters.map(\.character)) }
    var place: RulesPlace { characters.first?.place ?? RulesPlace(line: 1, column: 1) }

    /// The part after the first `=` begins here; the word's own place when there is no `=`.
    var valuePlace: RulesPlace {
        guard let equals = characters.firstIndex(where: { $0.character == "=" }) else {
            return place
        }
        let next = characters.index(after: equals)
        if next < characters.endIndex { return characters[next].place }
        let last = characters[equals].place
        return RulesPlace(line: last.line, column: last.column + 1)
    }
}

/// Cuts a rules file into rules and rules into words.
///
/// A line ends a rule unless its last character is `\`. `#` at the start of a word begins a
/// comment, which lasts to the end of the line. Inside `"` blanks and `#` are plain characters.
enum RulesLexer {
    /// The words of each rule; lines without words are left out.
    static func rules(_ text: String) -> [[RulesWord]] {
        var rules: [[RulesWord]] = []
        var words: [RulesWord] = []
        for (index, line) in lines(text).enumerated() {
            let (content, continues) = continuation(line)
            words += self.words(content, line: index + 1)
            if continues { continue }
            if !words.isEmpty { rules.append(words) }
            words = []
        }
        if !words.isEmpty { rules.append(words) }
        return rules
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    /// The line without a final `\`, and whether there was one outside a comment.
    private static func continuation(_ line: Substring) -> (Substring, Bool) {
        var rest = line
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        guard rest.hasSuffix("\\"), !hasComment(rest) else { return (line, false) }
        return (rest.dropLast(), true)
    }

    private static func hasComment(_ line: Substring) -> Bool {
        let shown = words(line, line: 0).reduce(0) { $0 + $1.characters.count }
        let written = line.reduce(0) { $0 + ($1 == " " || $1 == "\t" ? 0 : 1) }
        return shown < written && line.contains("#")
    }

    private static func words(_ line: Substring, line number: Int) -> [RulesWord] {
        var words: [RulesWord] = []
        var current: [(character: Character, place: RulesPlace)] = []
        var isQuoted = false
        var isEscaped = false
        for (index, character) in line.enumerated() {
            if !isQuoted, character == " " || character == "\t" {
                if !current.isEmpty { words.append(RulesWord(characters: current)) }
                current = []
                continue
            }
            if current.isEmpty, character == "#" { break }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && character == "\\" && !isEscaped
            current.append((character, RulesPlace(line: number, column: index + 1)))
        }
        if !current.isEmpty { words.append(RulesWord(characters: current)) }
        return words
    }
}
