import HTTP
import Lightning
import Synchronization
import Testing

@testable import Paywall

/// What no payment mends, and what a dry run waives.
@Suite struct EntranceTests {
    private static let rules = """
        * /admin/** deny
        POST /q price=5 require=prompt
        GET,POST /x price=5
        GET /open free
        """

    private func dry() throws -> GateSetup {
        var policy = GateSetup.policy()
        policy.isDryRun = true
        return try GateSetup(Self.rules, policy: policy)
    }

    @Test(
        "a dry run waives payment and nothing else",
        arguments: ["respond", "auth", "challenge", "refund", "settle", "AUTH", "nonsense"]
    )
    func dryRun(mode: String) throws {
        let setup = try dry()
        let headers = ["L402_MODE": mode]
        #expect(try !setup.ask("GET", "/admin/users", headers).isPass)
        #expect(try !setup.ask("GET", "/nothing", headers).isPass)
        // Inside `auth_request` there is no body to look at.
        let isBodySeen = mode.lowercased() != "auth"
        #expect(try setup.ask("POST", "/q", body: "{}", headers).isPass != isBodySeen)
        // Every mode ends, for priced and free, paid or not.
        for (method, path) in [("GET", "/x"), ("POST", "/x"), ("GET", "/open"), ("HEAD", "/x")] {
            _ = try setup.ask(method, path, headers)
        }
        #expect(setup.wallet.state.withLock { $0.made } == 0)
    }

    @Test func `a dry run passes what is not paid, and says so`() throws {
        let setup = try dry()
        let decision = try setup.ask("GET", "/x")
        #expect(decision.outcome == .dryRun && decision.header("L402-Access") == "dry-run")
        #expect(decision.code == "payment_required")
        #expect(try setup.ask("GET", "/x", ["L402_MODE": "auth"]).answer.status == 204)
        setup.store.state.withLock { $0.isBroken = true }
        #expect(
            try setup.ask("GET", "/x", ["HTTP_X_PAYMENT_HASH": String(repeating: "1", count: 64)])
                .answer.status == 503
        )
    }

    @Test func `a dry run lets a browser load ahead`() throws {
        let decision = try dry().ask("GET", "/x", ["HTTP_SEC_PURPOSE": "prefetch"])
        #expect(decision.outcome == .dryRun && decision.isPass)
    }

    @Test func `after a dry run nginx's own refusal is a refusal`() throws {
        let setup = try dry()
        let headers = ["L402_MODE": "challenge", "L402_TAKEN": "dry-run"]
        #expect(try setup.ask("GET", "/x", headers).answer.status == 403)
    }

    @Test func `a rule without goods sells nothing and takes nothing`() throws {
        let setup = try GateSetup("GET /x price=5\n* /** free\n", policy: Gate.Policy())
        for path in ["/x", "/other"] {
            let decision = try setup.ask("GET", path)
            #expect(decision.answer.status == 500 && decision.code == "no_goods")
            #expect(decision.detail.contains("serve="))
            #expect(try setup.ask("GET", path, ["L402_MODE": "auth"]).answer.status != 500)
            #expect(try setup.ask("GET", path, isAuthorizer: true).answer.status != 500)
        }
        // One for the Authorizer's client.
        #expect(setup.wallet.state.withLock { $0.made } == 1)
    }

    @Test func `what is not there is not sold`() throws {
        let setup = try GateSetup(
            "GET /f/** price=5 serve=file:/srv\n",
            isThere: { path, directory in
                directory == "/srv" && path.elementsEqual("/f/a".utf8)
            }
        )
        #expect(try setup.ask("GET", "/f/a").answer.status == 402)
        for method in ["GET", "HEAD"] {
            let decision = try setup.ask(method, "/f/b")
            #expect(decision.answer.status == 404 && decision.code == "file_not_found")
        }
        #expect(setup.wallet.state.withLock { $0.made } == 1)
    }

    @Test func `HEAD is told the price in the form of a challenge, and gets no invoice`() throws {
        let setup = try GateSetup("GET /x price=21\n")
        for headers in [[:], ["HTTP_AUTHORIZATION": "L402 AAAA"]] as [[String: String]] {
            let decision = try setup.ask("HEAD", "/x", headers)
            #expect(decision.answer.status == 402 && decision.answer.body.isEmpty)
            #expect(decision.header("L402-Price") == "21")
            #expect(
                decision.header("WWW-Authenticate") == "L402 service=\"get-x\", price_sats=\"21\""
            )
        }
        #expect(setup.wallet.state.withLock { $0.made } == 0)
    }

    @Test func `a paid HEAD needs a use and takes none where the gate itself answers`() throws {
        let setup = try GateSetup("GET /x price=21 serve=demo\n")
        let challenge = try setup.ask("GET", "/x")
        setup.wallet.pay(try #require(challenge.paymentHash))
        let proof = ["HTTP_AUTHORIZATION": "L402 \(challenge.token)"]
        let head = try setup.ask("HEAD", "/x", proof)
        #expect(head.answer.status == 200 && head.header("L402-Uses-Left") == nil)
        #expect(setup.store.used == [0])
        #expect(try setup.ask("GET", "/x", proof).answer.status == 200)
        #expect(try setup.ask("HEAD", "/x", proof).answer.status == 402)
    }

    @Test func `a large body is no place for what is needed of it`() throws {
        let setup = try GateSetup("POST /need price=5 require=prompt\nPOST /img price=5\n")
        let large = String(repeating: "A", count: Request.bodyLimitBytes)
        let need = try setup.ask("POST", "/need", body: "{\"image\":\"\(large)\"}")
        #expect(need.answer.status == 413 && need.code == "body_too_large")
        let first = try setup.ask("POST", "/img", body: "{\"image\":\"\(large)\"}")
        #expect(first.answer.status == 402)
        let hash = try #require(first.paymentHash)
        let again = try setup.ask(
            "POST",
            "/img",
            body: "{\"image\":\"\(large)\",\"payment_hash\":\"\(hash.hex)\"}"
        )
        #expect(again.answer.status == 413 && again.bodyText.contains("X-Payment-Hash"))
        setup.wallet.pay(hash)
        let passed = try setup.ask(
            "POST",
            "/img",
            body: "{\"image\":\"\(large)\"}",
            ["HTTP_X_PAYMENT_HASH": hash.hex]
        )
        #expect(passed.isPass)
        #expect(setup.wallet.state.withLock { $0.made } == 1)
    }

    @Test func `a body of another type holds no proof, and a byte order mark is no error`() throws {
        let setup = try GateSetup("POST /x price=5 require=prompt\n")
        let body = "{\"prompt\":\"a\"}"
        let hash = try #require(setup.ask("POST", "/x", body: body).paymentHash)
        setup.wallet.pay(hash)
        let proof = "{\"prompt\":\"a\",\"payment_hash\":\"\(hash.hex)\"}"
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; a=b"]
        {
            let header = ["CONTENT_TYPE": type]
            let refused = try setup.ask("POST", "/x", body: proof, header)
            #expect(refused.answer.status == 402 && refused.code == "payment_required")
            let missing = try setup.ask("POST", "/x", body: "{}", header)
            #expect(missing.answer.status == 400 && missing.bodyText.contains("application/json"))
        }
        for type in [
            "application/json", "application/json; charset=utf-8", "application/x+json", "",
        ] {
            let header = ["CONTENT_TYPE": type]
            let marked = try setup.ask("POST", "/x", body: "\u{feff}\(body)", header)
            #expect(marked.answer.status == 402)
        }
        #expect(try setup.ask("POST", "/x", body: "\u{feff}\(proof)").isPass)
    }

    @Test func `an Authorizer's request cannot say what only the gate says`() throws {
        let setup = try GateSetup("GET /x free\nGET /y price=5\n")
        for field in ["HTTP_L402_ACCESS", "HTTP_L402_TIER"] {
            for path in ["/x", "/y"] {
                let decision = try setup.ask("GET", path, isAuthorizer: true, [field: "paid"])
                #expect(decision.answer.status == 400 && decision.code == "header_refused")
            }
        }
    }

    @Test func `a browser without cookies is shown one offer and a way to the goods`() throws {
        let setup = try GateSetup("GET /x price=5 uses=2\nGET /u price=5 unlimited valid=1d\n")
        let page = ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"]
        let offer = try setup.ask("GET", "/x?a=1&l402=old", page)
        let hash = try #require(offer.paymentHash)
        let way = "/x?a=1&l402=wait&payment_hash=\(hash.hex)"
        #expect(offer.bodyText.contains("url=/x?a=1&amp;l402=wait&amp;payment_hash=\(hash.hex)"))
        let waiting = try setup.ask("GET", way, page)
        #expect(waiting.answer.status == 402 && waiting.bodyText.contains("http-equiv=\"refresh\""))
        #expect(!waiting.bodyText.contains("lnbc"))
        setup.wallet.pay(hash)
        #expect(try setup.ask("GET", way, page).isPass)

        // Where a hash is no proof there is no way, and it is told so.
        #expect(try setup.ask("GET", "/u", page).refresh == "/u?l402=wait")
        let lost = try setup.ask("GET", "/u?l402=wait", page)
        #expect(lost.answer.status == 402 && lost.bodyText.contains("keeps no cookies"))
        #expect(!lost.bodyText.contains("http-equiv=\"refresh\""))
        #expect(setup.wallet.state.withLock { $0.made } == 2)
    }

    @Test func `a browser with the cookie goes on to the clean address`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let page = ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"]
        let offer = try setup.ask("GET", "/x?a=1", page)
        let cookie = String(try #require(offer.header("Set-Cookie")?.split(separator: ";").first))
        let with = page.merging(["HTTP_COOKIE": cookie]) { $1 }
        let same = try setup.ask("GET", "/x?a=1&l402=wait", with)
        #expect(same.paymentHash == offer.paymentHash && same.answer.status == 402)
        setup.wallet.pay(try #require(offer.paymentHash))
        let arrived = try setup.ask("GET", "/x?a=1&l402=wait", with)
        #expect(arrived.answer.status == 303 && arrived.header("Location") == "/x?a=1")
        #expect(setup.store.used.isEmpty)
        #expect(try setup.ask("GET", "/x?a=1", with).isPass)
    }

    @Test func `scripts of other sites may send what they ask for and read what is told`() throws {
        let setup = try GateSetup("GET /x price=5\nGET /l price=5 cors=https://a.test\n")
        let preflight = try setup.ask(
            "OPTIONS",
            "/x",
            ["HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization, x-api-version,bad name"]
        )
        let allowed = try #require(preflight.header("Access-Control-Allow-Headers")).lowercased()
        #expect(allowed.contains("x-api-version") && allowed.contains("idempotency-key"))
        #expect(!allowed.contains("bad name"))
        let exposed = try setup.ask("GET", "/x").header("Access-Control-Expose-Headers") ?? ""
        for name in ["WWW-Authenticate", "L402-Refunded", "L402-Payment-Hash"] {
            #expect(exposed.contains(name))
        }
        let listed = try setup.ask("GET", "/l", ["HTTP_ORIGIN": "https://a.test"])
        #expect(listed.header("Access-Control-Allow-Credentials") == "true")
        let other = try setup.ask("GET", "/l", ["HTTP_ORIGIN": "https://b.test"])
        #expect(other.header("Access-Control-Allow-Origin") == nil)
    }
}
