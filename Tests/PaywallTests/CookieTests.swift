import Foundation
import HTTP
import L402
import Lightning
import Synchronization
import Testing

@testable import Paywall

/// The cookie of an offer: its name, where it goes, and how many there are.
@Suite struct CookieTests {
    @Test func `the cookie is named by the token's id and gone with the token`() throws {
        var browser = Browser(try GateSetup("GET /blog/** price=5 unlimited valid=1d\n"))
        let page = try browser.go("/blog/a")
        let cookie = try #require(page.header("Set-Cookie"))
        let token = try #require(Data(base64Encoded: page.token))
        let id = try Token(decoding: Array(token)).identifier.tokenID
        let name = "l402-" + id.prefix(4).map { String(format: "%02x", $0) }.joined()
        #expect(cookie.hasPrefix(name + "="))
        for part in [
            "; Path=/blog/;", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=87000;",
        ] { #expect((cookie + ";").contains(part), "\(part)") }
        browser.more = ["HTTPS": "", "REQUEST_SCHEME": "http"]
        browser = Browser(browser.setup)
        browser.more = ["HTTPS": "", "REQUEST_SCHEME": "http"]
        let plain = try #require(try browser.go("/blog/a").header("Set-Cookie"))
        #expect(!plain.contains("Secure"))
    }

    @Test func `no offer takes another one's place`() throws {
        var browser = Browser(
            try GateSetup("GET /a/** price=5 service=a\nGET /** price=7 service=b uses=3\n")
        )
        let first = try browser.go("/a/x")
        let second = try browser.go("/y")
        #expect(browser.cookies.count == 2)
        browser.setup.wallet.pay(try #require(first.paymentHash))
        #expect(try browser.go("/a/x").isPass)
        browser.setup.wallet.pay(try #require(second.paymentHash))
        #expect(try browser.go("/y").isPass)
    }

    @Test func `a paid cookie wins in whatever order they come`() throws {
        let setup = try GateSetup("GET /x price=5 uses=9\n")
        var cookies: [String] = []
        for _ in 0..<7 {
            var other = Browser(setup)
            try other.go("/x")
            cookies += other.cookies.values
        }
        var browser = Browser(setup)
        setup.wallet.pay(try #require(try browser.go("/x").paymentHash))
        let own = try #require(browser.cookies.values.first)
        for place in 0...7 {
            var order = cookies
            order.insert(own, at: place)
            browser.more = ["HTTP_COOKIE": "a=b; " + order.joined(separator: "; ") + "; c=d"]
            #expect(try browser.go("/x").isPass)
        }
    }

    @Test func `a stranger's unpaid cookie is never offered, and opens once it is paid`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        var stranger = Browser(setup)
        stranger.address = "198.51.100.7"
        let planted = try #require(try stranger.go("/x").paymentHash)
        var reader = Browser(setup)
        reader.more = ["HTTP_COOKIE": try #require(stranger.cookies.values.first)]
        let own = try reader.go("/x")
        #expect(own.state == "invoice" && own.paymentHash != planted)
        #expect(try reader.go("/x?l402=wait").state == "waiting")
        #expect(try reader.post("/x?l402=offer").paymentHash != planted)
        setup.wallet.pay(planted)
        #expect(try reader.go("/x").isPass)
    }

    @Test func `beyond four kilobytes the oldest that open nothing go, and the paid one stays`()
        throws
    {
        let setup = try GateSetup("GET /x price=5 uses=9 valid=7d\nGET /y price=5 valid=7d\n")
        var browser = Browser(setup)
        setup.wallet.pay(try #require(try browser.go("/x").paymentHash))
        #expect(try browser.go("/x").isPass)
        let paid = Set(browser.cookies.keys)
        var now = GateSetup.now
        // Each time from another place, and so late that the last invoice is over.
        for number in 0..<20 {
            now += 700
            browser.address = "192.0.2.\(number + 10)"
            let page = try browser.post("/y?l402=offer", at: now)
            #expect(page.answer.status == 303)
            setup.store.state.withLock { $0.places = [:] }
            let bytes = browser.cookies.values.reduce(0) { $0 + $1.utf8.count + 2 }
            #expect(bytes <= 4096, "\(number)")
        }
        #expect(paid.isSubset(of: browser.cookies.keys))
        #expect(browser.cookies.count > 3)
    }

    @Test(
        "the path of a page's own cookie ends before what others would write in another way",
        arguments: [
            ("/articles/first", "/articles/first"), ("/a/b/", "/a/b/"), ("/a/b%20c/d", "/a/"),
            ("/a/b;c", "/a/"), ("/%61", "/"), ("/a/b%3Bc?x=/y", "/a/"), ("/a//b", "/a//b"),
            ("/a/caf\u{e9}", "/a/"), ("/~x/a-b_c.html", "/~x/a-b_c.html"),
            ("http://h/a/b", "/a/b"),
        ]
    )
    func ownPath(uri: String, path: String) throws {
        #expect(try RequestPath(requestURI: Array(uri.utf8)).ownCookiePath == path)
    }

    @Test func `a cookie is forgotten at every path that it can have`() throws {
        let path = try RequestPath(requestURI: Array("/a/b/c".utf8))
        #expect(path.cookiePaths == ["/", "/a/", "/a/b/", "/a/b/c"])
        let deep = try RequestPath(
            requestURI: Array(String(repeating: "/a", count: 400).utf8)
        )
        #expect(deep.cookiePaths.count <= 16)
    }

    @Test(
        "what is no name of a cookie of ours is forgotten by nobody",
        arguments: ["forget-", "forget-xyz", "forget-1234567", "forget-1234567g", "forget-;Path=/"]
    )
    func forgetting(word: String) throws {
        var browser = Browser(try GateSetup("GET /x price=5\n"))
        let decision = try browser.post("/x?l402=\(word)")
        #expect(decision.header("Set-Cookie") == nil)
    }

    @Test func `cookies that cannot be read are none`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        for cookie in [
            "l402-00000000=", "l402-00000000=AAAA", "l402-00000000", "l402-=%%%", "l402-a=\u{1}",
            String(repeating: "l402-aaaaaaaa=AAAA; ", count: 900),
        ] {
            var browser = Browser(setup)
            browser.more = ["HTTP_COOKIE": cookie]
            let page = try browser.go("/x")
            #expect(page.state == "invoice" && page.code == "payment_required")
            #expect(try browser.fetch("/x?l402=status").bodyText.contains("\"none\""))
            setup.store.state.withLock { $0.places = [:] }
        }
    }
}
