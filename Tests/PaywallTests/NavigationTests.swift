import HTTP
import Lightning
import Store
import Synchronization
import Testing
import Wallets

@testable import Paywall

/// Who gets a page, who gets an invoice, and what takes a use.
@Suite struct NavigationTests {
    private func made(_ setup: GateSetup) -> Int { setup.wallet.state.withLock { $0.made } }

    /// A browser that has paid for what a rule sells, and has not come back yet.
    private func paid(_ rule: String, _ uri: String = "/x") throws -> Browser {
        var browser = Browser(try GateSetup(rule))
        let offer = try browser.go(uri)
        browser.setup.wallet.pay(try #require(offer.paymentHash))
        return browser
    }

    // MARK: - Who is a person

    @Test func `a navigation that says so is shown an invoice at once`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 memo=\"An article\"\n"))
        let page = try browser.go("/x")
        #expect(page.answer.status == 402 && page.state == "invoice")
        #expect(page.header("Content-Type") == "text/html; charset=utf-8")
        #expect(page.headers("WWW-Authenticate").count == 2)
        #expect(page.bodyText.contains("lightning:lnbc1") && page.header("Set-Cookie") != nil)
    }

    @Test func `a browser that says nothing sees the price and a button, and no invoice is made`()
        throws
    {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        browser.saysFetch = false
        let page = try browser.go("/x?a=1")
        #expect(page.answer.status == 402 && page.state == "offer")
        #expect(page.header("WWW-Authenticate") == "L402 service=\"get-x\", price_sats=\"5\"")
        #expect(page.header("Set-Cookie") == nil && made(browser.setup) == 0)
        #expect(page.bodyText.contains("action=\"/x?a=1&amp;l402=offer\""))

        let pressed = try browser.post("/x?a=1&l402=offer", ["HTTP_ORIGIN": "https://site.test"])
        #expect(pressed.answer.status == 303 && made(browser.setup) == 1)
        #expect(pressed.header("Location") == "/x?a=1&l402=wait")
        let shown = try browser.go("/x?a=1&l402=wait")
        #expect(shown.state == "invoice" && shown.paymentHash == pressed.paymentHash)
        #expect(try browser.go("/x?a=1").paymentHash == pressed.paymentHash)
        // Who shows a cookie goes on to the clean address, with the invoice that there is.
        let again = try browser.post("/x?a=1&l402=offer", ["HTTP_ORIGIN": "https://site.test"])
        #expect(again.header("Location") == "/x?a=1" && made(browser.setup) == 1)
    }

    @Test(
        "the button is pressed on this site only",
        arguments: [
            ["HTTP_SEC_FETCH_SITE": "cross-site"], ["HTTP_SEC_FETCH_SITE": "same-site"],
            ["HTTP_SEC_FETCH_SITE": "none", "HTTP_ORIGIN": "https://site.test"],
            ["HTTP_ORIGIN": "https://evil.test"], ["HTTP_ORIGIN": "http://site.test"],
            ["HTTP_ORIGIN": "null"], [:],
        ] as [[String: String]]
    )
    func foreignForm(headers: [String: String]) throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        for word in ["offer", "claim"] {
            let decision = try browser.post("/x?l402=\(word)", headers)
            #expect(decision.answer.status == 403 && decision.code == "other_origin")
            #expect(decision.header("Set-Cookie") == nil)
        }
        #expect(made(browser.setup) == 0)
    }

    @Test(arguments: [
        ("GET /x price=5 serve=file:/srv\n", "/x", 404, "file_not_found"),
        ("GET /x price=5 exists=/srv\n", "/x", 404, "file_not_found"),
        (
            "GET /x/** price=5 unlimited valid=1d per=path serve=@a\n", "/x/a%2f..%2fb", 400,
            "path_ambiguous"
        ),
        (
            "GET /x price=5 unlimited valid=1d per=url:id\n", "/x?id=1&id=2", 400,
            "address_ambiguous"
        ),
    ])
    func `the button sells nothing that could not be served`(
        rule: String,
        uri: String,
        status: Int,
        code: String
    ) throws {
        var browser = Browser(try GateSetup(rule, isThere: { _, _ in false }))
        let joint = uri.contains("?") ? "&" : "?"
        let pressed = try browser.post(uri + joint + "l402=offer")
        #expect(pressed.answer.status == status && pressed.code == code)
        let waits = try browser.go(uri + joint + "l402=wait")
        #expect(waits.answer.status == status && waits.code == code)
        #expect(made(browser.setup) == 0 && browser.cookies.isEmpty)
    }

    @Test func `the button makes no second invoice while nobody can say whether the first is paid`()
        throws
    {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        try browser.go("/x")
        browser.setup.waiting.state.withLock { $0.turns = [.notYet(isFailing: true)] }
        let pressed = try browser.post("/x?l402=offer")
        #expect(pressed.answer.status == 503 && made(browser.setup) == 1)
    }

    @Test func `after an invoice's end a new one is made by the button, never by itself`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 unlimited valid=30d\n"))
        try browser.go("/x")
        let late = GateSetup.now + 600
        let over = try browser.go("/x", at: late)
        #expect(over.answer.status == 402 && over.state == "offer")
        #expect(over.bodyText.contains("This invoice has expired."))
        #expect(made(browser.setup) == 1 && over.header("Set-Cookie") == nil)
        browser.setup.wallet.state.withLock { $0.now = late }
        let pressed = try browser.post("/x?l402=offer", at: late)
        #expect(pressed.answer.status == 303 && made(browser.setup) == 2)
        #expect(try browser.go("/x", at: late).state == "invoice")
        // A reader at another address has held none.
        browser.address = "192.0.2.9"
        #expect(try browser.go("/x", at: late + 600).state == "invoice")
    }

    @Test func `half of the places are for invoices that nobody asked for`() throws {
        var policy = GateSetup.policy()
        policy.maxPending = 5
        let setup = try GateSetup("GET /x price=5\n", policy: policy)
        // Each has cookies of its own, and one address.
        var states: [String] = []
        for _ in 0..<4 {
            var browser = Browser(setup)
            states.append(try browser.go("/x").state)
        }
        #expect(states == ["invoice", "invoice", "invoice", "offer"])
        var pressed: [Decision] = []
        for _ in 0..<3 {
            var browser = Browser(setup)
            pressed.append(try browser.post("/x?l402=offer"))
        }
        #expect(pressed.map(\.answer.status) == [303, 303, 429])
        #expect(pressed.last?.state == "refused" && pressed.last?.header("Retry-After") != nil)
        // A program has all of them, as ever.
        #expect(try setup.ask("GET", "/x").answer.status == 429)
    }

    @Test(
        "programs and scripts get JSON",
        arguments: [
            ["HTTP_ACCEPT": "*/*"], [:], ["HTTP_ACCEPT": "application/json"],
            ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "cors"],
            ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "same-origin"],
            ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_SITE": "same-origin"],
            ["HTTP_ACCEPT": "*/*", "HTTP_SEC_FETCH_MODE": "navigate"],
        ] as [[String: String]]
    )
    func program(headers: [String: String]) throws {
        let setup = try GateSetup("GET /x price=5\n")
        let decision = try setup.ask("GET", "/x", headers)
        #expect(decision.answer.status == 402)
        #expect(decision.header("Content-Type") == "application/json")
        #expect(decision.bodyText.contains("lnbc1") && decision.header("Set-Cookie") == nil)
    }

    @Test(
        "what a page drags in is told the price alone",
        arguments: [
            "image", "style", "script", "font", "video", "audio", "track", "object", "embed",
        ]
    )
    func part(destination: String) throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let decision = try browser.load("/x", as: destination)
        #expect(decision.answer.status == 402 && decision.answer.body.isEmpty)
        #expect(decision.header("WWW-Authenticate") == "L402 service=\"get-x\", price_sats=\"5\"")
        #expect(decision.header("L402-Price") == "5" && decision.header("Set-Cookie") == nil)
        #expect(made(browser.setup) == 0)
    }

    @Test func `a frame gets a button, since a page can have many of them`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        browser.more = ["HTTP_SEC_FETCH_DEST": "iframe"]
        #expect(try browser.go("/x", site: "cross-site").state == "offer")
        #expect(made(browser.setup) == 0)
    }

    // MARK: - Prefetch

    @Test(
        "nobody pays for what is loaded ahead",
        arguments: [
            ["HTTP_SEC_PURPOSE": "prefetch"], ["HTTP_SEC_PURPOSE": "prefetch;prerender"],
            ["HTTP_PURPOSE": "prefetch"], ["HTTP_X_MOZ": "prefetch"],
        ]
    )
    func prefetch(headers: [String: String]) throws {
        let rules = """
            GET /x price=5 uses=3 hash=on
            GET /f price=5 free=3/day
            GET /u price=5 unlimited valid=1d
            GET /open free
            """
        for uri in ["/x", "/u"] {
            var browser = try paid(rules, uri)
            let isCounted = uri == "/x"
            if !isCounted { #expect(try browser.go(uri).isPass) }
            browser.more = headers
            let ahead = try browser.go(uri)
            #expect(ahead.isPass != isCounted)
            if isCounted {
                #expect(ahead.answer.status == 503 && ahead.code == "prefetch")
                #expect(ahead.header("Cache-Control") == "no-store")
            }
            browser.more = [:]
            #expect(try browser.go(uri).isPass)
            #expect(made(browser.setup) == 1)
        }
        let setup = try GateSetup(rules)
        for uri in ["/x", "/f"] {
            let ahead = try setup.ask("GET", uri, headers)
            #expect(ahead.answer.status == 503 && ahead.header("WWW-Authenticate") == nil)
        }
        #expect(made(setup) == 0 && setup.store.state.withLock { $0.free.isEmpty })
        #expect(try setup.ask("GET", "/open", headers).isPass)
        // By every way of proof, on record or not.
        let challenge = try setup.ask("GET", "/x")
        let hash = try #require(challenge.paymentHash)
        setup.wallet.pay(hash)
        for _ in 0..<2 {
            for proof in [
                ["HTTP_AUTHORIZATION": "L402 \(challenge.token)"],
                ["HTTP_X_PAYMENT_HASH": hash.hex],
            ] {
                let ahead = try setup.ask("GET", "/x", proof.merging(headers) { $1 })
                #expect(ahead.answer.status == 503 && ahead.code == "prefetch")
            }
            #expect(try setup.ask("GET", "/x", ["HTTP_X_PAYMENT_HASH": hash.hex]).isPass)
        }
    }

    // MARK: - Counted cookies

    @Test func `a counted cookie lets a navigation in and nothing else`() throws {
        var browser = try paid("GET /** price=5 uses=3\n")
        #expect(try browser.go("/x").isPass)
        for destination in ["image", "script", "video", "style"] {
            let part = try browser.load("/y", as: destination)
            #expect(part.answer.status == 402 && part.answer.body.isEmpty)
        }
        let script = try browser.fetch("/y")
        #expect(script.answer.status == 402 && script.code == "navigation_only")
        #expect(!script.bodyText.contains("lnbc") && script.header("Set-Cookie") == nil)
        #expect(browser.setup.store.used == [1] && made(browser.setup) == 1)
        #expect(try browser.go("/y").isPass)
        #expect(browser.setup.store.used == [2])
    }

    @Test func `an unpaid counted cookie keeps no script from its invoice, and asks no wallet`()
        throws
    {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        try browser.go("/x")
        let script = try browser.fetch("/x")
        #expect(script.answer.status == 402 && script.bodyText.contains("lnbc2"))
        #expect(browser.setup.wallet.state.withLock { $0.asked } == 0)
    }

    @Test func `an unlimited cookie lets in everything of its rule`() throws {
        var browser = try paid("GET /** price=5 unlimited valid=1d\n")
        #expect(try browser.load("/y", as: "image").isPass)
        #expect(try browser.fetch("/z").isPass)
        #expect(try browser.go("/x", site: "cross-site").isPass)
    }

    @Test func `a link of another site takes no counted use, and says what is left`() throws {
        var browser = try paid("GET /x price=5 uses=3\n")
        // Also before it is on record.
        for left in ["3 of 3 left", "2 of 3 left"] {
            let page = try browser.go("/x?a=1", site: "cross-site")
            #expect(page.answer.status == 402 && page.state == "left")
            #expect(page.bodyText.contains(left) && page.bodyText.contains("href=\"/x?a=1\""))
            #expect(!page.bodyText.contains("lnbc") && page.code == "cross_site")
            #expect(browser.setup.store.used.reduce(0, +) == (left.hasPrefix("3") ? 0 : 1))
            #expect(try browser.go("/x?a=1", site: "same-origin").isPass)
        }
        #expect(browser.setup.store.used == [2] && made(browser.setup) == 1)
    }

    @Test func `a link of another site to what is not paid shows the invoice`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 uses=3\n"))
        let first = try browser.go("/x", site: "cross-site")
        #expect(first.state == "invoice")
        #expect(try browser.go("/x", site: "cross-site").paymentHash == first.paymentHash)
        #expect(made(browser.setup) == 1)
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func `a cookie is no proof for what changes something`(method: String) throws {
        for terms in ["uses=3", "unlimited valid=1d"] {
            var browser = try paid("GET,\(method) /x price=5 \(terms)\n")
            #expect(try browser.fetch("/x", method: method).answer.status == 402)
            #expect(browser.setup.store.used.isEmpty)
        }
    }

    @Test func `a cookie that opens nothing takes nobody's free requests away`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 free=1/day\n"))
        #expect(try browser.go("/x").isPass)
        #expect(try browser.go("/x").state == "invoice")
        // The next day.
        browser.setup.store.state.withLock { $0.free = [:] }
        let fresh = try browser.go("/x")
        #expect(fresh.isPass && fresh.outcome == .free)
    }

    // MARK: - Pages for what goes wrong

    @Test func `a person is told what went wrong on a page, and a program in JSON`() throws {
        let setup = try GateSetup("GET /x price=5\n* /admin/** deny\n")
        func page(_ uri: String) throws -> Decision {
            var browser = Browser(setup)
            return try browser.go(uri)
        }
        let missing = try page("/nothing")
        #expect(missing.answer.status == 404 && missing.state == "refused")
        #expect(missing.bodyText.contains("There is nothing at this address"))
        #expect(missing.header("Content-Security-Policy") != nil)
        let denied = try page("/admin/x")
        #expect(denied.answer.status == 403 && denied.state == "refused")
        setup.wallet.state.withLock { $0.failure = .init(.timeout, "key 123") }
        let down = try page("/x")
        #expect(down.answer.status == 503 && down.state == "refused")
        #expect(down.header("Retry-After") != nil && !down.bodyText.contains("key 123"))
        #expect(try setup.ask("GET", "/nothing").header("Content-Type") == "application/json")
        #expect(try page("/.l402/nothing").header("Content-Type") == "application/json")
    }

    @Test func `an undecided payment's page has a button that forgets the cookie`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let offer = try browser.go("/x")
        let cookie = try #require(browser.cookies.values.first)
        browser.setup.wallet.state.withLock { $0.orders = [:] }
        let page = try browser.go("/x")
        #expect(page.answer.status == 503 && page.code == "payment_undecided")
        let name = cookie.prefix { $0 != "=" }.dropFirst("l402-".count)
        #expect(page.bodyText.contains("action=\"/x?l402=forget-\(name)\""))
        let forgotten = try browser.post("/x?l402=forget-\(name)")
        #expect(forgotten.state == "forgotten" && browser.cookies.isEmpty)
        #expect(try browser.go("/x").paymentHash != offer.paymentHash)
    }

    @Test func `what is used up is said, and the price of more`() throws {
        var browser = try paid("GET /x price=5\n")
        #expect(try browser.go("/x").isPass)
        let spent = try browser.go("/x?other")
        #expect(spent.answer.status == 402 && spent.state == "invoice")
        #expect(spent.bodyText.contains("has been used up") && made(browser.setup) == 2)
    }
}
