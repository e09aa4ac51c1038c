/// The PATH of a rule: literal bytes, `*` for any run without `/`, `**` for any run.
///
/// It is compared with the decoded, normalised path; nothing is case-folded.
package struct PathPattern: Sendable, Equatable {
    /// As written in the rules file.
    package let text: String
    /// The bytes before the first wildcard: every path that matches begins with them.
    let prefix: [UInt8]
    /// The bytes after the last wildcard: every path that matches ends with them.
    let suffix: [UInt8]
    /// What stands between prefix and suffix; empty for a literal pattern.
    private let middle: [Element]

    enum Element: Equatable {
        case byte(UInt8)
        case withinSegment
        case anything
    }

    /// A pattern of its text, which begins with `/`.
    package init(_ text: String) {
        self.text = text
        let elements = Self.elements(Array(text.utf8))
        let firstWildcard = elements.firstIndex { !$0.isByte }
        let lastWildcard = elements.lastIndex { !$0.isByte }
        guard let firstWildcard, let lastWildcard else {
            prefix = Array(text.utf8)
            suffix = []
            middle = []
            return
        }
        prefix = elements[..<firstWildcard].compactMap(\.byteValue)
        suffix = elements[(lastWildcard + 1)...].compactMap(\.byteValue)
        middle = Array(elements[firstWildcard...lastWildcard])
    }

    /// All of it, element by element.
    var elements: [Element] {
        prefix.map(Element.byte) + middle + suffix.map(Element.byte)
    }

    /// Whether it has no wildcard.
    var isLiteral: Bool { middle.isEmpty }

    /// Whether a normalised path is one of its own. The time grows with the product of both
    /// lengths at worst, whatever they hold.
    func matches(_ path: [UInt8]) -> Bool {
        if isLiteral { return path == prefix }
        guard path.count >= prefix.count + suffix.count, path.starts(with: prefix),
            path.suffix(suffix.count).elementsEqual(suffix)
        else { return false }
        let run = path.dropFirst(prefix.count).dropLast(suffix.count)
        if middle.count == 1 {
            return middle.first == .anything || !run.contains(UInt8(ascii: "/"))
        }
        return matchesMiddle(run)
    }

    /// All positions in the pattern that the bytes so far can have reached, byte by byte.
    private func matchesMiddle(_ run: ArraySlice<UInt8>) -> Bool {
        var reached = [Bool](repeating: false, count: middle.count + 1)
        var next = reached
        reached[0] = true
        close(&reached)
        for byte in run {
            for index in next.indices { next[index] = false }
            for (index, element) in middle.enumerated() where reached[index] {
                switch element {
                case .byte(byte): next[index + 1] = true
                case .byte: continue
                case .withinSegment: if byte != UInt8(ascii: "/") { next[index] = true }
                case .anything: next[index] = true
                }
            }
            close(&next)
            swap(&reached, &next)
        }
        return reached.last == true
    }

    /// A wildcard may also stand for nothing.
    private func close(_ reached: inout [Bool]) {
        for (index, element) in middle.enumerated() where reached[index] && !element.isByte {
            reached[index + 1] = true
        }
    }

    /// Whether the wildcard at its end stands for nothing in a path, which has no slash at its own
    /// end: all that the pattern is for lies below it, or begins with it.
    func isAboveAll(_ path: [UInt8]) -> Bool {
        guard text.last == "*" else { return false }
        var parent = Array(text.utf8)
        while parent.last == UInt8(ascii: "*") { parent.removeLast() }
        if parent.count > 1, parent.last == UInt8(ascii: "/") { parent.removeLast() }
        return PathPattern(String(decoding: parent, as: UTF8.self)).matches(path)
    }

    private static func elements(_ text: [UInt8]) -> [Element] {
        let star = UInt8(ascii: "*")
        var elements: [Element] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == star else {
                elements.append(.byte(byte))
                continue
            }
            let more = rest.prefix { $0 == star }.count
            rest = rest.dropFirst(more)
            elements.append(more == 0 ? .withinSegment : .anything)
        }
        return elements
    }
}

extension PathPattern.Element {
    var byteValue: UInt8? {
        if case .byte(let byte) = self { byte } else { nil }
    }
    var isByte: Bool { byteValue != nil }
    /// Whether it may stand for this byte.
    func takes(_ byte: UInt8) -> Bool {
        switch self {
        case .byte(let own): own == byte
        case .withinSegment: byte != UInt8(ascii: "/")
        case .anything: true
        }
    }
}
