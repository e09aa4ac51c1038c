/// Text on its way into HTML.
enum PageText {
    /// Escaped for element content and for double-quoted attributes. Control characters, and those
    /// that turn the direction of what follows, are left out: a memo is shown as what it is.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where isHidden(scalar): continue
            case _: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Paragraphs of a plain text, parted by blank lines.
    static func paragraphs(_ text: String) -> String {
        var paragraphs: [String] = []
        var lines: [Substring] = []
        func end() {
            if !lines.isEmpty {
                paragraphs.append("<p>\(escaped(lines.joined(separator: "\n")))</p>")
            }
            lines = []
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.allSatisfy(\.isWhitespace) { end() } else { lines.append(line) }
        }
        end()
        return paragraphs.joined(separator: "\n")
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
        case _: false
        }
    }
}
