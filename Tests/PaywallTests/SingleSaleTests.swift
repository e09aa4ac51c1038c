import HTTP
import L402
import Lightning
import Macaroons
import Synchronization
import Testing
import Text

@testable import Paywall

/// One address is bought, and it opens nothing else.
@Suite struct SingleSaleTests {
    private static let rules = """
        GET /articles/free free
        GET /articles/*/film/** price=100 unlimited valid=30d per=path service=articles
        GET /articles/** price=100 unlimited valid=30d per=path service=articles
        GET /pass price=1000 unlimited valid=30d service=articles
        GET /shop price=100 uses=3 per=url:id service=shop
        GET /docs/* price=5 uses=100 per=path
        """

    private struct Bought {
        let token: String
        let hash: PaymentHash
    }

    private func buy(_ setup: GateSetup, _ uri: String) throws -> Bought {
        let challenge = try setup.ask("GET", uri)
        #expect(challenge.answer.status == 402)
        let hash = try #require(challenge.paymentHash)
        setup.wallet.pay(hash)
        return Bought(token: challenge.token, hash: hash)
    }

    /// Every form in which a payment is presented.
    private func forms(_ bought: Bought) -> [[String: String]] {
        [
            ["HTTP_AUTHORIZATION": "L402 \(bought.token)"],
            ["HTTP_COOKIE": "l402-00000000=\(bought.token)", "HTTP_ACCEPT": "text/html"],
            ["HTTP_MACAROON": Hex.encode(Base64.decode(bought.token.utf8) ?? [])],
            ["HTTP_X_PAYMENT_HASH": bought.hash.hex],
            ["HTTP_AUTHORIZATION": "L402 \(bought.hash.hex)"],
        ]
    }

    /// Every way in which a web server asks whether a request may pass.
    private func isOpen(_ setup: GateSetup, _ uri: String, _ form: [String: String]) throws -> Bool
    {
        let verdicts = [
            try setup.ask("GET", uri, form).isPass,
            try setup.ask("GET", uri, form.merging(["L402_MODE": "auth"]) { $1 }).isPass,
            try setup.ask("GET", uri, isAuthorizer: true, form).isPass,
            try setup.ask("HEAD", uri, form).isPass,
        ]
        #expect(Set(verdicts).count == 1, "\(uri) \(form)")
        return verdicts.contains(true)
    }

    @Test func `one article opens itself and what lies below it, and no other, in any form`() throws
    {
        let hashed = Self.rules.replacing("unlimited valid=30d per", with: "uses=1000 hash=on per")
        for rules in [Self.rules, hashed] {
            for isOnRecord in [false, true] {
                let setup = try GateSetup(rules)
                let bought = try buy(setup, "/articles/a")
                if isOnRecord { #expect(try isOpen(setup, "/articles/a", forms(bought)[0])) }
                for (order, form) in forms(bought).enumerated() {
                    for uri in [
                        "/articles/b", "/articles/", "/articles", "/articles/A", "/articles/ab",
                        "/articles/a.html", "/articles/a/../b", "/articles/%62", "/pass", "/shop",
                        "/articles//b", "/docs/a", "/articles/a/film/1", "/articles/a%3F",
                        "/articles/a/%2e%2e/b", "/articles/a%2f..%2fb", "/articles/a%5c..%5cb",
                        "/articles/a/..;/b", "/articles/a\\..\\b", "/articles/a/..%5cb",
                    ] {
                        #expect(try !isOpen(setup, uri, form), "\(uri) \(form)")
                    }
                    // A bare hash is proof where the rule says so.
                    guard order < 3 || rules == hashed else { continue }
                    for uri in [
                        "/articles/a", "/articles/a/", "/articles/a?x=1", "/%61rticles//a",
                        "/articles/a/one.png", "/articles/a/b/c/",
                    ] {
                        #expect(try isOpen(setup, uri, form), "\(uri) \(form)")
                    }
                }
            }
        }
    }

    @Test func `what is refused for its address says so, and is offered what was asked for`() throws
    {
        let setup = try GateSetup(Self.rules)
        let bought = try buy(setup, "/articles/a")
        let refused = try setup.ask("GET", "/articles/b", forms(bought)[0])
        #expect(refused.answer.status == 402 && refused.code == "credential_wrong_path")
        #expect(refused.header("L402-Price") == "100")
        #expect(refused.bodyText.contains("\"path\":\"/articles/b\""))
        #expect(refused.bodyText.contains("\"per\":\"path\""))
        #expect(try !setup.ask("GET", "/pass").bodyText.contains("\"per\""))
    }

    @Test func `who bought the list of all bought the list`() throws {
        for path in ["/articles/", "/docs/"] {
            let setup = try GateSetup(Self.rules)
            let bought = try buy(setup, path)
            for form in forms(bought).prefix(3) {
                #expect(try isOpen(setup, path, form))
                #expect(try !isOpen(setup, path + "a", form))
            }
        }
        let setup = try GateSetup("* /** price=5 uses=1000 per=path\n")
        let bought = try buy(setup, "/")
        #expect(try isOpen(setup, "/", forms(bought)[0]))
        for form in forms(bought) { #expect(try !isOpen(setup, "/a", form)) }
    }

    @Test func `the whole service opens each path, and no path opens the whole`() throws {
        let setup = try GateSetup(Self.rules)
        let pass = try buy(setup, "/pass")
        for form in forms(pass).prefix(3) {
            for uri in ["/articles/a", "/articles/b/", "/articles/a/film/1", "/pass"] {
                #expect(try isOpen(setup, uri, form))
            }
            #expect(try !isOpen(setup, "/shop?id=1", form))
        }
        let same = try GateSetup("GET /pass price=9 service=s per=path\n")
        let part = try buy(same, "/pass")
        let whole = try GateSetup("GET /pass price=9 service=s\n", sharing: same)
        for form in forms(part) { #expect(try !isOpen(whole, "/pass", form)) }
    }

    @Test func `a path narrowed by its holder stays narrow`() throws {
        let setup = try GateSetup(Self.rules)
        func narrowed(_ bought: Bought, _ caveats: String...) throws -> [String: String] {
            let token = try Token(decoding: try #require(Base64.decode(bought.token.utf8)))
            let macaroon = caveats.reduce(token.macaroon) { $0.appending(caveat: Array($1.utf8)) }
            #expect(macaroon.encoded.count > token.macaroon.encoded.count)
            return ["HTTP_AUTHORIZATION": "L402 \(Base64.encode(macaroon.encoded))"]
        }
        let pass = try buy(setup, "/pass")
        let one = try narrowed(pass, "articles_path=/articles/a")
        #expect(try isOpen(setup, "/articles/a", one) && isOpen(setup, "/articles/a/x", one))
        #expect(try !isOpen(setup, "/articles/b", one) && !isOpen(setup, "/pass", one))
        let article = try buy(setup, "/articles/a")
        for caveat in ["articles_path=/articles/b", "articles_path=/articles", "articles_path=/"] {
            let wider = try narrowed(article, caveat)
            for uri in ["/articles/a", "/articles/b"] { #expect(try !isOpen(setup, uri, wider)) }
        }
        let deeper = try narrowed(article, "articles_path=/articles/a/x")
        #expect(try isOpen(setup, "/articles/a/x", deeper) && !isOpen(setup, "/articles/a", deeper))
    }

    @Test func `a long path is bound by its hash`() throws {
        let setup = try GateSetup(Self.rules)
        let long = "/articles/" + String(repeating: "%C3%A9", count: 30)
        let bought = try buy(setup, long)
        #expect(bought.token.utf8.count <= 600)
        for form in forms(bought).prefix(3) {
            #expect(try isOpen(setup, long, form) && isOpen(setup, long + "/x.png", form))
            #expect(try isOpen(setup, long.replacing("%C3", with: "%c3") + "/", form))
            #expect(try !isOpen(setup, long + "x", form) && !isOpen(setup, "/articles/a", form))
        }
        #expect(try setup.ask("GET", long).bodyText.contains("%C3%A9%C3%A9"))
    }

    @Test func `a token of one path fits with others into a cookie header`() throws {
        for name in [nil, "a", "articles", String(repeating: "s", count: 19)] {
            for length in [10, 128, 2000] {
                var policy = GateSetup.policy()
                policy.site = "path-0123456789abcdef"
                let setup = try GateSetup(
                    "GET /articles/* price=10000000 unlimited valid=3650d per=path"
                        + (name.map { " service=\($0)" } ?? ""),
                    policy: policy
                )
                let path = "/articles/" + String(repeating: "x", count: length - 10)
                let bought = try buy(setup, path)
                #expect(bought.token.utf8.count <= 600, "\(name ?? "") \(length)")
                #expect(try isOpen(setup, path, forms(bought)[0]))
            }
        }
    }

    @Test func `an address of a query is that of the names that count`() throws {
        let setup = try GateSetup(Self.rules.replacing("uses=3", with: "uses=100"))
        let bought = try buy(setup, "/shop?id=1&utm=mail")
        for form in forms(bought) {
            for query in ["id=1", "utm=x&id=1", "id=%31", "id=1&l402x=1"] {
                #expect(try isOpen(setup, "/shop?" + query, form), "\(query)")
            }
            for query in ["id=2", "", "id", "id=1&id=2", "id=2&id=1", "id=1;id=2", "ID=2&id=1"] {
                #expect(try !isOpen(setup, "/shop?" + query, form), "\(query)")
            }
        }
        let ambiguous = try setup.ask("GET", "/shop?id=1&id=2")
        #expect(ambiguous.answer.status == 400 && ambiguous.code == "address_ambiguous")
    }

    @Test func `a path that a backend reads as another article is refused for whoever pays`() throws
    {
        let setup = try GateSetup(Self.rules)
        for uri in ["/articles/a/..%5cb", "/articles/a%2f..%2fb", "/articles/a/..;/b"] {
            let decision = try setup.ask("GET", uri)
            #expect(decision.answer.status == 400 && decision.code == "path_ambiguous", "\(uri)")
        }
        #expect(setup.wallet.state.withLock { $0.made } == 0)
    }

    @Test func `an unpaid pass is not offered for an article, an unpaid article again`() throws {
        let setup = try GateSetup(Self.rules)
        let pass = try setup.ask("GET", "/pass")
        let article = try setup.ask(
            "GET",
            "/articles/a",
            ["HTTP_AUTHORIZATION": "L402 \(pass.token)"]
        )
        #expect(article.code == "payment_not_confirmed" && article.header("L402-Price") == "100")
        let again = try setup.ask(
            "GET",
            "/articles/a",
            ["HTTP_AUTHORIZATION": "L402 \(article.token)"]
        )
        #expect(again.paymentHash == article.paymentHash && again.token == article.token)
        #expect(setup.wallet.state.withLock { $0.made } == 2)
    }

    @Test func `a cookie of another article does not hide what became of this one`() throws {
        let setup = try GateSetup("GET /docs/* price=5 uses=1 per=path service=d\n")
        let (one, two) = (try buy(setup, "/docs/1"), try buy(setup, "/docs/2"))
        let cookies = [
            "HTTP_COOKIE": "l402-00000000=\(two.token); l402-00000001=\(one.token)",
            "HTTP_ACCEPT": "text/html",
        ]
        #expect(try setup.ask("GET", "/docs/1", cookies).isPass)
        #expect(try setup.ask("GET", "/docs/1", cookies).code == "payment_used")
        #expect(try setup.ask("GET", "/docs/2", cookies).isPass)
    }

    @Test func `a use of one path comes back, and an unpaid one is not taken twice`() throws {
        let setup = try GateSetup("GET /docs/* price=5 uses=1 per=path service=d serve=demo\n")
        let bought = try buy(setup, "/docs/1")
        let form = forms(bought)[0]
        let named = form.merging(["REQUEST_ID": "one"]) { $1 }
        #expect(try setup.ask("GET", "/docs/1", named).isPass)
        #expect(try setup.ask("GET", "/docs/1", named).isPass)
        #expect(try !setup.ask("GET", "/docs/1", form).isPass)
        let refund = named.merging(["L402_MODE": "refund", "L402_STATUS": "502"]) { $1 }
        #expect(try setup.ask("GET", "/docs/1", refund).code == "refunded")
        #expect(try setup.ask("GET", "/docs/1", form).isPass)
    }

    @Test(
        "what is not there is not sold: 404 before any price",
        arguments: [
            "exists=/there", "teaser=/there", "exists=/there teaser=/texts", "serve=file:/there",
        ]
    )
    func missing(terms: String) throws {
        let setup = try GateSetup(
            "* /articles/* price=100 per=path \(terms)\n",
            isThere: { path, directory in
                directory == "/there" && path.elementsEqual("/articles/a".utf8)
            }
        )
        #expect(try setup.ask("GET", "/articles/a").answer.status == 402)
        for (method, parameters) in [
            ("GET", [:]), ("HEAD", [:]), ("GET", ["HTTP_ACCEPT": "text/html"]),
            ("GET", ["HTTP_AUTHORIZATION": "L402 AAAA"]), ("GET", ["L402_MODE": "challenge"]),
        ] as [(String, [String: String])] {
            let decision = try setup.ask(method, "/articles/b", parameters)
            #expect(decision.answer.status == 404 && decision.code == "file_not_found")
            #expect(decision.header("L402-Price") == nil)
        }
        let isFile = terms.hasPrefix("serve")
        #expect(try setup.ask("POST", "/articles/b").answer.status == (isFile ? 402 : 404))
        #expect(setup.wallet.state.withLock { $0.made } == (isFile ? 2 : 1))
    }

    @Test func `what is for sale path by path is listed as that`() throws {
        let setup = try GateSetup(Self.rules)
        let list = try setup.ask("GET", "/.well-known/l402-services").bodyText
        #expect(list.contains("\"per\":\"url:id\"") && list.contains("\"per\":\"path\""))
    }
}
