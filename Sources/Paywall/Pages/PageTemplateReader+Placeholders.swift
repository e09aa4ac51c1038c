import Text

/// Placeholders and sections, each in its place.
extension PageTemplateReader {
    /// Where a placeholder stands.
    enum Place {
        case content
        case attribute(String)
        case plainText(String)
    }

    mutating func readPlaceholder(in place: Place) {
        guard let end = text[at...].firstRange(of: Array("}}".utf8)), end.lowerBound - at <= 80
        else {
            fail("\"{{\" is not ended by \"}}\"")
            return take(2)
        }
        let length = end.upperBound - at
        let inner = String(decoding: text[(at + 2)..<end.lowerBound], as: UTF8.self)
            .trimmingBlanks
        switch inner.first {
        case "#", "^": begin(String(inner.dropFirst()).trimmingBlanks, inner.first == "^", place)
        case "/": finish(String(inner.dropFirst()).trimmingBlanks, place)
        case _: put(inner, place)
        }
        endLiteral()
        skipOver(length)
    }

    private mutating func put(_ name: String, _ place: Place) {
        if case .attribute(let attribute) = place,
            attribute.hasPrefix("on") || Self.refusedAttributes.contains(attribute)
        {
            return fail(
                "no value stands in the attribute \"\(attribute)\""
                    + (attribute == "href" ? " but \"lightning:{{invoice}}\"" : "")
            )
        }
        if name.hasPrefix("words.") {
            let word = String(name.dropFirst("words.".count))
            if let word = PageWord(rawValue: word) { return add(.word(word)) }
            return fail(unknown("words", word, PageWord.allCases.map(\.rawValue)))
        }
        guard let value = PagePlaceholder(rawValue: name) else {
            return fail(unknown("placeholder", name, PagePlaceholder.allCases.map(\.rawValue)))
        }
        if value.isElement {
            switch place {
            case .content: break
            case .attribute: return fail("{{\(name)}} stands for elements, not in an attribute")
            case .plainText(let element):
                return fail("{{\(name)}} stands for elements, not in <\(element)>")
            }
        }
        add(.value(value))
    }

    private mutating func begin(_ name: String, _ isInverted: Bool, _ place: Place) {
        guard case .content = place else {
            return fail("a section begins between elements, not in a tag or in text alone")
        }
        let value = PagePlaceholder(rawValue: name)
        if value == nil {
            fail(unknown("placeholder", name, PagePlaceholder.allCases.map(\.rawValue)))
        }
        guard open.count <= Self.maximumDepth else { return fail("sections are nested too deep") }
        endLiteral()
        open.append(OpenSection(name: value, isInverted: isInverted, line: currentLine()))
    }

    private mutating func finish(_ name: String, _ place: Place) {
        guard case .content = place else {
            return fail("a section ends between elements, not in a tag or in text alone")
        }
        endLiteral()
        guard open.count > 1, let section = open.popLast() else {
            return fail("{{/\(name)}} ends no section")
        }
        guard let value = section.name else { return }
        guard value.rawValue == name else {
            return fail("{{/\(name)}} stands where {{/\(value.rawValue)}} should")
        }
        append(.section(value, isInverted: section.isInverted, section.parts))
    }

    private func unknown(_ what: String, _ name: String, _ known: [String]) -> String {
        "unknown \(what) \"\(name)\"" + Suggestion.phrase(for: name, among: known, otherwise: "")
    }

    /// Whether something that looks like a placeholder stands here: a script may have braces.
    var isPlaceholder: Bool {
        guard starts("{{"), at + 2 < text.count else { return false }
        return Self.isLetter(text[at + 2]) || "#^/".utf8.contains(text[at + 2])
    }

    mutating func refusePlaceholders(_ where: String, until isEnd: (UInt8) -> Bool) {
        while at < text.count, !isEnd(text[at]) {
            if starts("{{") { refuse("in \(`where`)") }
            take(1)
        }
    }

    mutating func refuse(_ where: String) {
        fail(
            "no placeholder stands \(`where`): values stand in text and in attributes in double quotes"
        )
    }
}
