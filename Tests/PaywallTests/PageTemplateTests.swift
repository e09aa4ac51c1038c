import Crypto
import Foundation
import Testing

@testable import Paywall

/// The operator's own page: where values stand, and what stops the start.
@Suite struct PageTemplateTests {
    private func template(_ text: String) throws -> PageTemplate {
        try PageTemplate(parsing: Array(text.utf8), fileName: "page.html")
    }

    private func page(_ text: String, _ values: [PagePlaceholder: String]) throws -> String {
        var all = PageValues()
        for (name, value) in values { all[name] = value }
        return String(decoding: try template(text).page(all, .english), as: UTF8.self)
    }

    @Test func `values stand in text and in attributes in double quotes`() throws {
        let hostile = "</title><script>alert('x')</script>\"\u{202e}&\u{0}"
        let safe =
            "&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"
        #expect(
            try page(
                "<title>{{memo}}</title><p title=\"a {{ memo }}\" lang='de'>{{memo}}<textarea>{{memo}}",
                [.memo: hostile]
            ) == "<title>\(safe)</title><p title=\"a \(safe)\" lang='de'>\(safe)<textarea>\(safe)"
        )
        #expect(
            try page("<a href=\"lightning:{{invoice}}\">x</a>", [.invoice: "ln\"bc"])
                == "<a href=\"lightning:ln&quot;bc\">x</a>"
        )
        #expect(try page("<i>{{words.copied}}</i>", [:]) == "<i>Copied</i>")
    }

    @Test func `sections are kept when a value is there`() throws {
        let text =
            "{{#memo}}<b>{{memo}}</b>{{#price}}{{price}}{{/price}}{{/memo}}{{^memo}}none{{/memo}}"
        #expect(try page(text, [.memo: "m", .price: "p"]) == "<b>m</b>p")
        #expect(try page(text, [.memo: "m"]) == "<b>m</b>")
        #expect(try page(text, [.price: "p"]) == "none")
    }

    @Test(
        "a value that could become more than text stops the start with its line",
        arguments: [
            "<a href=\"{{memo}}\">", "<a href=\"lightning:{{memo}}\">",
            "<a href=\"x:{{invoice}}\">", "<a href=\"lightning:{{invoice}}&\">",
            "<a HREF=\"{{memo}}\">", "<img src=\"{{memo}}\">", "<p style=\"{{memo}}\">",
            "<p onclick=\"{{memo}}\">", "<p ONx=\"{{memo}}\">", "<form action=\"{{memo}}\">",
            "<button formaction=\"{{memo}}\">", "<iframe srcdoc=\"{{memo}}\">",
            "<p title='{{memo}}'>", "<p title={{memo}}>", "<p {{memo}}>", "<p {{memo}}=\"x\">",
            "<{{memo}}>", "<p{{memo}}>", "</{{memo}}>", "<!-- {{memo}} -->", "<!{{memo}}>",
            "<?{{memo}}>", "<script>{{memo}}</script>", "<style>{{memo}}</style>",
            "<SCRIPT>var a = \"{{memo}}\"</SCRIPT>", "<script></scriptx>{{memo}}</script>",
            "<xmp>{{memo}}</xmp>", "<plaintext>{{memo}}", "<script><!--<script></script></script>",
            "<p title=\"{{qr}}\">", "<title>{{qr}}</title>", "<textarea>{{offer}}</textarea>",
            "<p title=\"{{#memo}}x{{/memo}}\">", "<title>{{#memo}}x{{/memo}}</title>",
            "{{#memo}}<p {{/memo}}>", "{{prize}}", "{{words.nothing}}", "{{}}", "{{memo",
            "{{#memo}}",
            "{{/memo}}", "{{#memo}}{{#price}}{{/memo}}{{/price}}", "{{#prize}}{{/prize}}",
            "<a href=\"lightning:{{invoice}}", "<p title=\"{{memo}}\" style=\"{{memo}}\">",
        ]
    )
    func refused(text: String) throws {
        // The two that are whole but for their end are read as a browser would: nothing stands wrong.
        if text == "<a href=\"lightning:{{invoice}}" {
            #expect(throws: PageTemplateError.self) { try template(text) }
            return
        }
        let error = #expect(throws: PageTemplateError.self) { try template("<p>\n\n\(text)") }
        #expect(error?.lines.first?.hasPrefix("page.html:3: ") == true, "\(error?.lines ?? [])")
    }

    @Test func `all errors are told at once, with what was meant`() throws {
        let error = #expect(throws: PageTemplateError.self) {
            try template("{{prize}}\n<p>{{words.payd}}</p>\n<img src=\"{{memo}}\">")
        }
        #expect(
            error?.lines == [
                "page.html:1: unknown placeholder \"prize\"; did you mean \"price\"?",
                "page.html:2: unknown words \"payd\"; did you mean \"paid\"?",
                "page.html:3: no value stands in the attribute \"src\"",
            ]
        )
    }

    @Test func `what is no text or too large is no template`() throws {
        for bytes in [[0xff, 0x3c], [UInt8](repeating: 0x61, count: PageTemplate.limitBytes + 1)] {
            #expect(throws: PageTemplateError.self) {
                try PageTemplate(parsing: bytes, fileName: "page.html")
            }
        }
    }

    @Test func `the template's own style and script are allowed by their hashes`() throws {
        let own = try template(
            "\u{feff}<style>\r\nb{}\r</style><script>let a = {b:{}}</script><script src=\"/x.js\"></script>"
        )
        let policy = own.policy.header
        for text in ["\nb{}\n", "let a = {b:{}}", PageAssets.style, PageAssets.script] {
            let hash = Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
            #expect(policy.contains("'sha256-\(hash)'"))
        }
        #expect(!policy.contains("unsafe") && policy.contains("default-src 'none'"))
        #expect(
            policy.contains("frame-ancestors 'self'") && policy.contains("img-src 'self' data:")
        )
    }

    @Test func `braces that are no placeholder are left alone in a script`() throws {
        let text = "<script>if (a) {{ b() }}</script><style>@media x{a{b:c}}</style>"
        #expect(try page(text, [:]) == text)
    }

    @Test func `the shipped page is a template`() throws {
        let shipped = try PageTemplate(
            parsing: Array(
                try Data(
                    contentsOf: URL(filePath: #filePath)
                        .appending(path: "../../../nginx/page.html").standardized
                )
            ),
            fileName: "page.html"
        )
        #expect(!PageTemplate.standard.parts.isEmpty)
        #expect(
            shipped.page(PageValues(), .english)
                == PageTemplate.standard.page(PageValues(), .english)
        )
    }
}
