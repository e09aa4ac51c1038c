import Foundation
import HTTP
import Lightning
import Synchronization
import Testing
import Wallets

@testable import Paywall

/// What the pages show.
@Suite struct PageTests {
    @Test func `the page says what is sold, what it costs and what it buys`() throws {
        var browser = Browser(
            try GateSetup(
                """
                GET /one price=1234 memo="One <b>article</b>"
                GET /ten price=1 uses=10
                GET /all price=5 unlimited valid=30d service=blog
                """
            )
        )
        let one = try browser.go("/one")
        #expect(one.bodyText.contains("1\u{2009}234\u{2009}sats"))
        #expect(one.bodyText.contains("<h1 dir=\"auto\">One &lt;b&gt;article&lt;/b&gt;</h1>"))
        #expect(one.bodyText.contains("one view"))
        let ten = try browser.go("/ten")
        #expect(ten.bodyText.contains("1\u{2009}sat<") && ten.bodyText.contains("10 requests"))
        #expect(try browser.go("/all").bodyText.contains("all of blog until 14 February"))
    }

    @Test func `the page carries the invoice, its code and its end`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let page = try browser.go("/x").bodyText
        #expect(
            page.contains(
                "<svg role=\"img\" aria-label=\"QR code of the invoice for 5\u{2009}sats\""
            )
        )
        #expect(page.contains("data-seconds=\"600\""))
        #expect(page.contains("datetime=\"2027-01-15T08:10:00Z\""))
        #expect(page.contains("href=\"/x?l402=receipt\""))
        #expect(page.utf8.count < 40_000)
    }

    @Test func `a code is dark on white with a quiet zone`() {
        let svg = QRPicture.svg([[true, true], [false, true]], label: "a\"b")
        #expect(
            svg
                == "<svg role=\"img\" aria-label=\"a&quot;b\" viewBox=\"0 0 10 10\" "
                + "shape-rendering=\"crispEdges\"><rect width=\"10\" height=\"10\" fill=\"#fff\"/>"
                + "<path fill=\"#000\" d=\"M4 4h2v1h-2zM5 5h1v1h-1z\"/></svg>"
        )
    }

    @Test func `a hostile memo and path are text`() throws {
        let hostile = "</h1><script>alert(1)</script>&quot;"
        var browser = Browser(
            try GateSetup("GET /** price=5 memo=\"\(hostile)\"\n")
        )
        let page = try browser.go("/a%22%3E%3Cscript%3Ealert(1)%3C/script%3E?b=\"><script>'&c=1")
        #expect(!page.bodyText.contains("<script>alert"))
        #expect(page.bodyText.contains("&lt;/h1&gt;&lt;script&gt;alert(1)"))
        #expect(page.bodyText.contains("b=&quot;&gt;&lt;script&gt;&#39;&amp;c=1&amp;l402=wait"))
    }

    @Test(
        "the address goes on as it came, without the gate's words",
        arguments: [
            ("/x?a=1&l402=status&b=%2f&payment_hash=12", "/x?a=1&b=%2f"), ("/x?l402=offer", "/x"),
            ("/x?", "/x?"), ("//evil.test/x", "/evil.test/x"), ("/\\evil.test", "/evil.test"),
            ("/a%20b?l402", "/a%20b"), ("/caf\u{e9}?\u{e9}", "/caf%C3%A9?%C3%A9"),
            ("/a/../b", "/b"),
        ]
    )
    func address(uri: String, clean: String) throws {
        let request = try Request(
            isAuthorizer: false,
            parameter: { $0 == "REQUEST_URI" ? Array(uri.utf8) : nil },
            readBody: { _ in .unavailable }
        )
        #expect(request.cleanAddress() == clean)
    }

    @Test(
        "the words are in the browser's language, or in the operator's",
        arguments: [
            ("de-CH,de;q=0.9,en;q=0.5", "de"), ("en;q=0.5,ja", "ja"), ("nl,fr;q=0.1", "fr"),
            ("nl", "en"), ("", "en"), ("pt-BR", "pt"), ("ES", "es"), ("de;q=0", "en"),
            (";;,q=,-", "en"),
        ]
    )
    func language(header: String, tag: String) throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        browser.more = ["HTTP_ACCEPT_LANGUAGE": header]
        #expect(try browser.go("/x").bodyText.contains("<html lang=\"\(tag)\">"))
        var policy = GateSetup.policy()
        policy.language = .spanish
        var other = Browser(try GateSetup("GET /x price=5\n", policy: policy))
        other.more = browser.more
        #expect(try other.go("/x").bodyText.contains("<html lang=\"es\">"))
    }

    @Test func `about how much it is is said where it is known`() throws {
        var policy = GateSetup.policy()
        policy.fiat = "EUR"
        policy.language = .english
        var browser = Browser(try GateSetup("GET /x price=1000\n", policy: policy))
        #expect(try !browser.go("/x").bodyText.contains("EUR"))
        browser.setup.wallet.state.withLock { $0.rate = 60_000 }
        #expect(try browser.go("/x").bodyText.contains("about 0.60\u{2009}EUR"))
    }

    @Test(arguments: [
        (1, 60_000.0, "0.00060"), (10, 60_000, "0.0060"), (100, 60_000, "0.060"),
        (2_000, 60_000, "1.20"), (200_000, 60_000, "120"),
        (10_000_000, 9_000_000, "900\u{2009}000"),
    ])
    func `small sums have two digits that say something`(sats: Int, rate: Double, text: String) {
        #expect(
            PageMoney.fiat(UInt64(sats), unitsPerBitcoin: rate, currency: "EUR", .english)
                == text + "\u{2009}EUR"
        )
        #expect(PageMoney.fiat(1, unitsPerBitcoin: .infinity, currency: "EUR", .english) == nil)
        #expect(PageMoney.fiat(.max, unitsPerBitcoin: 1e9, currency: "EUR", .english) == nil)
    }

    @Test func `an operator's page is used, and its own style is allowed`() throws {
        let template = try PageTemplate(
            parsing: Array("<style>p{}</style><p>{{price}} at mine</p>".utf8),
            fileName: "page.html"
        )
        var browser = Browser(try GateSetup("GET /x price=5\n", page: template))
        let page = try browser.go("/x")
        #expect(page.bodyText == "<style>p{}</style><p>5\u{2009}sats at mine</p>")
        #expect(page.header("Content-Security-Policy") == template.policy.header)
    }

    @Test func `HEAD of a person makes no invoice and has no body`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let head = try setup.ask(
            "HEAD",
            "/x",
            ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"]
        )
        #expect(head.answer.status == 402 && head.answer.body.isEmpty)
        #expect(setup.wallet.state.withLock { $0.made } == 0)
    }
}
