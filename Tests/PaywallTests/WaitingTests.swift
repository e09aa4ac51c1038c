import HTTP
import Lightning
import Store
import Synchronization
import Testing
import Wallets

@testable import Paywall

/// The gate's own words at an article's address: `l402=status`, `wait`, `receipt`, `claim`.
@Suite struct WaitingTests {
    private func made(_ setup: GateSetup) -> Int { setup.wallet.state.withLock { $0.made } }

    // MARK: - Status

    @Test func `status tells what the page waits for, takes nothing and makes no invoice`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        #expect(try browser.fetch("/x?l402=status").bodyText == "{\"status\":\"none\"}\n")
        let offer = try browser.go("/x?a=1")
        let pending = try browser.fetch("/x?a=1&l402=status", at: GateSetup.now + 100)
        #expect(pending.answer.status == 200)
        #expect(pending.bodyText == "{\"expires_in\":500,\"status\":\"pending\"}\n")
        let over = try browser.fetch("/x?a=1&l402=status", at: GateSetup.now + 600)
        #expect(over.bodyText == "{\"status\":\"expired\"}\n")
        browser.setup.wallet.pay(try #require(offer.paymentHash))
        for _ in 0..<3 {
            let paid = try browser.fetch("/x?a=1&l402=status")
            #expect(paid.bodyText == "{\"status\":\"paid\"}\n" && !paid.isPass)
        }
        #expect(browser.setup.store.used.isEmpty && made(browser.setup) == 1)
        #expect(try browser.go("/x?a=1").isPass)
    }

    @Test func `after the one view is taken the page's next invoice is waited for`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        browser.setup.wallet.pay(try #require(try browser.go("/x").paymentHash))
        #expect(try browser.go("/x").isPass)
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("expired"))
        #expect(try browser.go("/x").state == "invoice")
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("pending"))
    }

    @Test func `a thousand pages that wait cost the wallet what one costs`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let hash = try #require(try browser.go("/x").paymentHash)
        browser.setup.waiting.state.withLock {
            $0.turns = [WaitingTurn](repeating: .notYet(isFailing: false), count: 1000)
        }
        browser.setup.wallet.pay(hash)
        for _ in 0..<500 {
            #expect(try browser.fetch("/x?l402=status").bodyText.contains("pending"))
            #expect(try browser.go("/x?l402=wait").state == "invoice")
        }
        #expect(browser.setup.wallet.state.withLock { $0.listed + $0.asked } == 0)
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("paid"))
        // Whoever comes next is told by what one has found out.
        browser.setup.waiting.state.withLock { $0.turns = [.notYet(isFailing: false)] }
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("paid"))
        #expect(browser.setup.wallet.state.withLock { $0.listed } == 1)
    }

    @Test func `an invoice that no list may hold is asked for by itself`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let hash = try #require(try browser.go("/x").paymentHash)
        browser.setup.wallet.pay(hash)
        browser.setup.waiting.state.withLock { $0.turns = [.yours(asksForOne: true)] }
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("paid"))
        // So is one that is no longer remembered.
        browser.setup.waiting.state.withLock {
            $0.invoices = [:]
            $0.turns = [.yours(asksForOne: true)]
        }
        #expect(try browser.fetch("/x?l402=status").bodyText.contains("paid"))
        #expect(browser.setup.wallet.state.withLock { $0.listed } == 0)
        // Who shows what nobody remembers does not keep the others from the list.
        browser.setup.waiting.state.withLock { $0.turns = [.yours(asksForOne: false)] }
        let stranger = try browser.go(
            "/x?l402=wait&payment_hash=\(String(repeating: "a", count: 64))"
        )
        #expect(!stranger.isPass && browser.setup.wallet.state.withLock { $0.listed } == 1)
    }

    @Test func `a wallet that does not answer is said so, by all pages`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        try browser.go("/x")
        browser.setup.wallet.state.withLock { $0.failure = .init(.timeout, "key 1") }
        let first = try browser.fetch("/x?l402=status")
        #expect(first.answer.status == 503 && first.header("Retry-After") != nil)
        #expect(!first.bodyText.contains("key 1"))
        browser.setup.waiting.state.withLock { $0.turns = [.notYet(isFailing: true)] }
        #expect(try browser.fetch("/x?l402=status").answer.status == 503)
        #expect(try browser.go("/x?l402=wait").answer.status == 503)
    }

    @Test func `behind auth_request the second call answers, and an authorizer never says 200`()
        throws
    {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        try browser.go("/x")
        for word in ["status", "receipt", "claim", "wait"] {
            browser.more = ["L402_MODE": "auth"]
            let first = try browser.go("/x?l402=\(word)")
            #expect(first.answer.status == 403 && first.answer.body.isEmpty, "\(word)")
            browser.more = ["L402_MODE": "challenge"]
            #expect(try browser.go("/x?l402=\(word)").answer.status != 403, "\(word)")
        }
        let headers = browser.cookies.values.first.map { ["HTTP_COOKIE": $0] } ?? [:]
        let status = try browser.setup.ask("GET", "/x?l402=status", isAuthorizer: true, headers)
        #expect(status.answer.status == 202 && status.bodyText.contains("pending"))
        for word in ["receipt", "claim"] {
            let page = try browser.setup.ask("GET", "/x?l402=\(word)", isAuthorizer: true, headers)
            #expect(page.answer.status == 202)
        }
    }

    @Test func `no word lets anything pass that takes no use`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 uses=3\n"))
        browser.setup.wallet.pay(try #require(try browser.go("/x").paymentHash))
        // Not yet on record, and on record.
        for _ in 0..<2 {
            for word in ["status", "wait", "receipt", "claim", "offer"] {
                for mode in ["respond", "auth", "challenge"] {
                    browser.more = ["L402_MODE": mode]
                    let decision = try browser.go("/x?l402=\(word)")
                    #expect(!decision.isPass && decision.answer.status != 204, "\(word) \(mode)")
                    #expect(decision.goods == nil && decision.header("X-Accel-Redirect") == nil)
                }
            }
            browser.more = [:]
            #expect(try browser.go("/x").isPass)
        }
    }

    @Test func `the words are no part of the goods' address`() throws {
        let setup = try GateSetup("GET /x price=5 serve=http://127.0.0.1:1\nGET /open free\n")
        for word in ["status", "receipt", "claim", "offer", "wait"] {
            let open = try setup.ask("GET", "/open?l402=\(word)&b=1")
            #expect(open.isPass, "what is not sold has no such words")
        }
    }

    // MARK: - Without script

    @Test func `without script the page looks again, and ends with the invoice`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 unlimited valid=1d\n"))
        let offer = try browser.go("/x?a=1")
        let way = try #require(offer.refresh)
        #expect(way == "/x?a=1&l402=wait")
        let again = try browser.go(way, site: "same-origin")
        #expect(again.state == "invoice" && again.bodyText.contains("lightning:lnbc1"))
        #expect(again.refresh == way && again.header("Set-Cookie") == nil)
        let over = try browser.go(way, at: GateSetup.now + 600)
        #expect(over.state == "offer" && over.refresh == nil && over.answer.status == 402)
        #expect(over.bodyText.contains("This invoice has expired."))
        browser.setup.wallet.pay(try #require(offer.paymentHash))
        let paid = try browser.go(way)
        #expect(paid.answer.status == 303 && paid.header("Location") == "/x?a=1")
        #expect(made(browser.setup) == 1)
    }

    @Test func `a browser without cookies comes in by the hash where one is accepted`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        browser.keepsCookies = false
        let offer = try browser.go("/x")
        let hash = try #require(offer.paymentHash)
        let way = try #require(offer.refresh)
        #expect(way == "/x?l402=wait&payment_hash=\(hash.hex)")
        let waiting = try browser.go(way)
        #expect(waiting.state == "waiting" && waiting.refresh == way)
        #expect(!waiting.bodyText.contains("lnbc"))
        #expect(try browser.go(way, at: GateSetup.now + 600).refresh == nil)
        browser.setup.wallet.pay(hash)
        #expect(try browser.go(way).isPass)
        #expect(browser.setup.store.used == [1] && made(browser.setup) == 1)
    }

    @Test func `a browser without cookies where no hash is accepted is told so`() throws {
        var browser = Browser(try GateSetup("GET /x price=5 unlimited valid=1d\n"))
        browser.keepsCookies = false
        for way in [
            "/x?l402=wait", "/x?l402=wait&payment_hash=\(String(repeating: "1", count: 64))",
        ] {
            let page = try browser.go(way)
            #expect(page.state == "nocookies" && page.refresh == nil && page.answer.status == 402)
        }
        #expect(made(browser.setup) == 0)
        // Also by the button.
        let pressed = try browser.post("/x?l402=offer")
        let back = try browser.go(try #require(pressed.header("Location")))
        #expect(back.state == "nocookies")
    }

    @Test func `a hash that nobody knows is not waited for without end`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let page = try browser.go("/x?l402=wait&payment_hash=\(String(repeating: "1", count: 64))")
        #expect(page.state == "waiting" && page.refresh == nil)
    }

    // MARK: - Receipt and claim

    private func bought(_ rule: String = "GET /x price=5 uses=3 memo=\"A film\"\n") throws
        -> Browser
    {
        var browser = Browser(try GateSetup(rule))
        browser.setup.wallet.pay(try #require(try browser.go("/x").paymentHash))
        #expect(try browser.go("/x").isPass)
        return browser
    }

    private func token(_ receipt: Decision) -> String? {
        receipt.bodyText.split(separator: "#l402=").dropFirst().first?
            .split(separator: "<").first.map(String.init)
    }

    @Test func `the receipt shows what was bought, to its holder, and to no script`() throws {
        var browser = try bought()
        let receipt = try browser.go("/x?a=1&l402=receipt")
        #expect(receipt.answer.status == 200 && receipt.state == "receipt" && !receipt.isPass)
        #expect(receipt.bodyText.contains("2 of 3 left"))
        #expect(receipt.bodyText.contains("https://site.test/x?a=1&amp;l402=claim#l402="))
        let policy = try #require(receipt.header("Content-Security-Policy"))
        #expect(policy.contains("; sandbox allow-forms"))
        #expect(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'none'"))
        #expect(!receipt.bodyText.contains("<script"))
        #expect(receipt.header("Cache-Control") == "no-store")
        for destination in ["empty", "iframe", "image", "object"] {
            browser.more = ["HTTP_SEC_FETCH_DEST": destination]
            let refused = try browser.go("/x?l402=receipt")
            #expect(refused.answer.status == 403 && token(refused) == nil)
        }
        browser.more = [:]
        #expect(try browser.fetch("/x?l402=receipt").answer.status == 403)
        var other = Browser(browser.setup)
        #expect(try other.go("/x?l402=receipt").bodyText.contains("Nothing has been bought"))
        #expect(browser.setup.store.used == [1])
    }

    @Test func `a receipt of what is not paid has nothing to show`() throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        try browser.go("/x")
        let receipt = try browser.go("/x?l402=receipt")
        #expect(receipt.bodyText.contains("Nothing has been bought") && token(receipt) == nil)
    }

    @Test func `what was bought is taken to another device`() throws {
        var browser = try bought()
        let token = try #require(token(try browser.go("/x?l402=receipt")))
        var phone = Browser(browser.setup)
        phone.address = "198.51.100.7"
        let asks = try phone.go("/x?l402=claim")
        #expect(asks.state == "claim" && asks.bodyText.contains("A film"))
        for site in ["cross-site", "same-site", "none"] {
            let foreign = try phone.fetch(
                "/x?l402=claim",
                method: "POST",
                body: "{\"token\":\"\(token)\"}",
                site: site
            )
            #expect(foreign.answer.status == 403 && phone.cookies.isEmpty)
        }
        let taken = try phone.fetch(
            "/x?l402=claim",
            method: "POST",
            body: "{\"token\":\"\(token)\"}"
        )
        #expect(taken.answer.status == 204 && phone.cookies.count == 1)
        #expect(try phone.go("/x").isPass)
        #expect(browser.setup.store.used == [2])
        // It replaces no cookie.
        let again = try phone.fetch(
            "/x?l402=claim",
            method: "POST",
            body: "{\"token\":\"\(token)\"}"
        )
        #expect(again.answer.status == 204 && again.header("Set-Cookie") == nil)
    }

    @Test func `only what is paid and on record here is taken over`() throws {
        let setup = try GateSetup("GET /x price=5\nGET /y price=5 uses=2\n")
        var browser = Browser(setup)
        let unpaid = try browser.go("/x").token
        let offer = try browser.go("/y")
        setup.wallet.pay(try #require(offer.paymentHash))
        #expect(try browser.go("/y").isPass)
        for (token, code) in [
            (unpaid, "payment_unknown"), (offer.token, "credential_wrong_service"),
            ("AAAA", "credential_malformed"), ("%", "credential_malformed"),
        ] {
            let refused = try browser.fetch(
                "/x?l402=claim",
                method: "POST",
                body: "{\"token\":\"\(token)\"}"
            )
            #expect(refused.answer.status == 402 && refused.code == code, "\(code)")
            #expect(refused.header("Set-Cookie") == nil)
        }
        for body in ["", "{}", "[]", "{\"token\":5}", String(repeating: "{", count: 20_000)] {
            let refused = try browser.fetch("/x?l402=claim", method: "POST", body: body)
            #expect(refused.answer.status == 400 && refused.header("Set-Cookie") == nil)
        }
    }
}
