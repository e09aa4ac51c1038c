import Text

/// Reads a template, and looks at each placeholder's place as a browser's parser would (HTML Living
/// Standard, section 13.2.5), so that a value can never become an element, an address or a script.
struct PageTemplateReader {
    struct OpenSection {
        let name: PagePlaceholder?
        let isInverted: Bool
        let line: Int
        var parts: [PageTemplate.Part] = []
    }

    /// Attributes whose value is more than text: an address, a style, a script, HTML.
    static let refusedAttributes: Set<String> = [
        "style", "href", "src", "srcset", "srcdoc", "action", "formaction", "data", "poster",
        "background", "ping", "cite", "xlink:href", "xml:base", "manifest", "http-equiv",
        "codebase", "archive", "longdesc",
    ]
    /// Elements whose contents no parser looks into.
    private static let rawElements: Set<String> = [
        "script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext",
    ]
    private static let maximumErrors = 20
    /// Sections in sections: more than anybody writes.
    static let maximumDepth = 32

    let text: [UInt8]
    private let fileName: String
    private(set) var at = 0
    private var line = 1
    private var countedTo = 0
    var literal: [UInt8] = []
    var open: [OpenSection] = [OpenSection(name: nil, isInverted: false, line: 1)]
    private var styles: [String] = []
    private var scripts: [String] = []
    private var errors: [String] = []

    init(_ bytes: [UInt8], fileName: String) {
        self.fileName = fileName
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        // As a browser's parser does, whose text the hashes are of.
        var normal: [UInt8] = []
        normal.reserveCapacity(bytes.count)
        var previous: UInt8 = 0
        for byte in bytes.dropFirst(bytes.starts(with: mark) ? mark.count : 0) {
            if byte == 0x0d {
                normal.append(0x0a)
            } else if !(byte == 0x0a && previous == 0x0d) {
                normal.append(byte)
            }
            previous = byte
        }
        text = normal
    }

    mutating func read() throws(PageTemplateError) -> PageTemplate {
        guard text.count <= PageTemplate.limitBytes else {
            throw PageTemplateError(lines: [
                "\(fileName): is larger than \(PageTemplate.limitBytes / 1024) KiB"
            ])
        }
        guard String(validating: text, as: UTF8.self) != nil else {
            throw PageTemplateError(lines: ["\(fileName): is not UTF-8; save it as UTF-8"])
        }
        while at < text.count { readContent() }
        endLiteral()
        for section in open.dropFirst() {
            fail("{{#\(section.name?.rawValue ?? "")}} is not ended by {{/…}}", line: section.line)
        }
        guard errors.isEmpty else {
            throw PageTemplateError(lines: Array(errors.prefix(Self.maximumErrors)))
        }
        return PageTemplate(parts: open.first?.parts ?? [], styles: styles, scripts: scripts)
    }

    // MARK: - What stands where

    private mutating func readContent() {
        if starts("{{") { return readPlaceholder(in: .content) }
        guard text[at] == UInt8(ascii: "<") else { return take(1) }
        if starts("<!--") { return skip(past: "-->", "a comment") }
        if starts("<!") || starts("<?") || starts("</") { return skip(past: ">", "a tag's end") }
        guard at + 1 < text.count, Self.isLetter(text[at + 1]) else {
            if at + 1 < text.count, text[at + 1] == UInt8(ascii: "{") {
                fail("\"<\" stands before a value, which would begin a tag; write &lt;")
            }
            return take(1)
        }
        readTag()
    }

    private mutating func readTag() {
        take(1)
        let name = takeName {
            Self.isBlank($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ">")
        }
        while at < text.count, text[at] != UInt8(ascii: ">") {
            if Self.isBlank(text[at]) || text[at] == UInt8(ascii: "/") {
                take(1)
            } else {
                readAttribute()
            }
        }
        take(1)
        if Self.rawElements.contains(name) {
            readRaw(name)
        } else if name == "title" || name == "textarea" {
            readPlainText(name)
        }
    }

    private mutating func readAttribute() {
        let name = takeName {
            Self.isBlank($0) || "=/>".utf8.contains($0)
        }
        if name.isEmpty { return take(1) }  // a stray "=": part of a name to a browser
        while at < text.count, Self.isBlank(text[at]) { take(1) }
        guard at < text.count, text[at] == UInt8(ascii: "=") else { return }
        take(1)
        while at < text.count, Self.isBlank(text[at]) { take(1) }
        guard at < text.count else { return }
        switch text[at] {
        case UInt8(ascii: "\""):
            take(1)
            if name == "href", starts("lightning:{{invoice}}\"") {
                take("lightning:".utf8.count)
                add(.value(.invoice), length: "{{invoice}}".utf8.count)
                return take(1)
            }
            while at < text.count, text[at] != UInt8(ascii: "\"") {
                if starts("{{") { readPlaceholder(in: .attribute(name)) } else { take(1) }
            }
            take(1)
        case UInt8(ascii: "'"):
            take(1)
            refusePlaceholders("an attribute in single quotes") { $0 == UInt8(ascii: "'") }
            take(1)
        case _:
            refusePlaceholders("an attribute without quotes") {
                Self.isBlank($0) || $0 == UInt8(ascii: ">")
            }
        }
    }

    /// The contents of a script, a style and their like, up to the end tag.
    private mutating func readRaw(_ name: String) {
        let start = at
        while at < text.count, !isEndTag(name) {
            if isPlaceholder { refuse("in <\(name)>") }
            // Behind it a browser looks for the end of a script in another way.
            if name == "script", starts("<!--") { fail("\"<!--\" in a script; leave it out") }
            take(1)
        }
        let contents = String(decoding: text[start..<at], as: UTF8.self)
        if name == "style" { styles.append(contents) }
        if name == "script", !contents.isEmpty { scripts.append(contents) }
    }

    /// `<title>` and `<textarea>`, where only text is.
    private mutating func readPlainText(_ name: String) {
        while at < text.count, !isEndTag(name) {
            if starts("{{") { readPlaceholder(in: .plainText(name)) } else { take(1) }
        }
    }

    private func isEndTag(_ name: String) -> Bool {
        let end = at + 2 + name.utf8.count
        guard name != "plaintext", end < text.count, starts("</"),
            Self.isBlank(text[end]) || "/>".utf8.contains(text[end])
        else { return false }
        return zip(text[(at + 2)..<end], name.utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    // MARK: - Steps

    /// To the end of something that holds no value.
    private mutating func skip(past end: String, _ what: String) {
        let close = text[at...].firstRange(of: Array(end.utf8))?.upperBound ?? text.count
        while at < close {
            if starts("{{") { refuse("in \(what)") }
            take(1)
        }
    }

    private mutating func takeName(until isEnd: (UInt8) -> Bool) -> String {
        let start = at
        while at < text.count, !isEnd(text[at]) {
            if starts("{{") { refuse("in a tag") }
            take(1)
        }
        return String(decoding: text[start..<at], as: UTF8.self).lowercased()
    }

    mutating func take(_ count: Int) {
        let end = min(at + count, text.count)
        literal += text[at..<end]
        at = end
    }

    mutating func skipOver(_ count: Int) { at = min(at + count, text.count) }

    mutating func add(_ part: PageTemplate.Part, length: Int = 0) {
        endLiteral()
        append(part)
        skipOver(length)
    }

    mutating func append(_ part: PageTemplate.Part) {
        open[open.count - 1].parts.append(part)
    }

    mutating func endLiteral() {
        guard !literal.isEmpty else { return }
        append(.literal(String(decoding: literal, as: UTF8.self)))
        literal = []
    }

    mutating func fail(_ what: String, line: Int? = nil) {
        let place = line ?? currentLine()
        errors.append("\(fileName):\(place): \(what)")
    }

    mutating func currentLine() -> Int {
        line += text[countedTo..<at].count { $0 == 0x0a }
        countedTo = at
        return line
    }

    func starts(_ word: String) -> Bool { text[at...].starts(with: word.utf8) }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0a, 0x0c].contains(byte)
    }
}
