import Crypto
import Text

/// The page of an operator, read: text, placeholders and sections.
///
/// Which value stands where has been looked at when it was read (``PageTemplateReader``), so that no
/// value can become anything but text.
package struct PageTemplate: Sendable {
    indirect enum Part: Sendable {
        /// HTML as it stands in the file.
        case literal(String)
        case value(PagePlaceholder)
        case word(PageWord)
        /// Kept when the value is there, or with `isInverted` when it is not.
        case section(PagePlaceholder, isInverted: Bool, [Part])
    }

    let parts: [Part]
    /// What a browser may do on the page, for which the file's own inline elements are hashed once.
    let policy: PagePolicy

    /// A file is never larger; what it makes is at most 40 kB.
    package static let limitBytes = 64 * 1024

    /// Reads a template.
    ///
    /// - Throws: ``PageTemplateError`` with everything that is wrong.
    package init(parsing bytes: [UInt8], fileName: String) throws(PageTemplateError) {
        var reader = PageTemplateReader(bytes, fileName: fileName)
        self = try reader.read()
    }

    /// - Parameters:
    ///   - styles: The contents of the file's own inline `<style>` elements.
    ///   - scripts: Those of its `<script>` elements.
    init(parts: [Part], styles: [String], scripts: [String]) {
        self.parts = parts
        policy = PagePolicy(styles: styles, scripts: scripts)
    }

    /// The page with its values put in.
    func page(_ values: PageValues, _ language: PageLanguage) -> [UInt8] {
        var text = ""
        text.reserveCapacity(16 * 1024)
        Self.write(parts, values, language, to: &text)
        return Array(text.utf8)
    }

    private static func write(
        _ parts: [Part],
        _ values: PageValues,
        _ language: PageLanguage,
        to text: inout String
    ) {
        for part in parts {
            switch part {
            case .literal(let html): text += html
            case .value(let name) where name.isElement: text += values[name]
            case .value(let name): text += PageText.escaped(values[name])
            case .word(let word): text += PageText.escaped(language.word(word))
            case .section(let name, let isInverted, let inner):
                if values[name].isEmpty == isInverted { write(inner, values, language, to: &text) }
            }
        }
    }
}

/// What is wrong with a template, one line each: `page.html:7: …`.
package struct PageTemplateError: Error, Equatable, CustomStringConvertible {
    package let lines: [String]

    package var description: String { lines.joined(separator: "\n") }
}

extension PageTemplate {
    /// `nginx/page.html`, which is also the example for operators.
    package static let standard: PageTemplate = {
        // Its own test reads it; a page without any part is what nobody would overlook.
        (try? PageTemplate(parsing: PackageResources.page_html, fileName: "page.html"))
            ?? PageTemplate(parts: [], styles: [], scripts: [])
    }()
}

/// The style and the script that stand for `{{style}}` and `{{script}}`.
enum PageAssets {
    static let style = String(decoding: PackageResources.page_css, as: UTF8.self)
    static let script = String(decoding: PackageResources.page_js, as: UTF8.self)
}

/// What a browser may do on a page (CSP level 3): the page's own script and style by their hashes,
/// pictures of the site, and nothing else.
struct PagePolicy: Sendable {
    /// The header of most pages.
    let header: String
    /// The header of a page into which no script of the site may look.
    let sandboxed: String

    /// - Parameters:
    ///   - styles: What stands in the page's own `<style>` elements.
    ///   - scripts: What stands in its `<script>` elements.
    init(styles: [String], scripts: [String]) {
        let styles = styles.map(Self.source) + [Self.standardStyle]
        let scripts = scripts.map(Self.source) + [Self.standardScript]
        func header(scripts: String, frames: String) -> String {
            [
                "default-src 'none'", "script-src " + scripts,
                "style-src " + styles.joined(separator: " "), "img-src 'self' data:",
                "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
                "frame-ancestors " + frames,
            ].joined(separator: "; ")
        }
        self.header = header(scripts: scripts.joined(separator: " "), frames: "'self'")
        sandboxed = header(scripts: "'none'", frames: "'none'") + "; sandbox allow-forms"
    }

    private static let standardStyle = source(PageAssets.style)
    private static let standardScript = source(PageAssets.script)

    private static func source(_ text: String) -> String {
        "'sha256-" + Base64.encode(Array(SHA256.hash(data: Array(text.utf8)))) + "'"
    }
}
