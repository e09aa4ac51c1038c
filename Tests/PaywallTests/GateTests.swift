import HTTP
import Lightning
import Store
import Synchronization
import Testing
import Wallets

@testable import Paywall

@Suite struct GateTests {
    /// Pays for a challenge and gives its Authorization value.
    private func buy(_ setup: GateSetup, _ uri: String = "/x", _ method: String = "GET") throws
        -> String
    {
        let challenge = try setup.ask(method, uri)
        setup.wallet.pay(try #require(challenge.paymentHash))
        return "L402 \(challenge.token)"
    }

    @Test func `no rule is 404, deny is 403, free passes`() throws {
        let setup = try GateSetup("* /admin/** deny\nGET /health free\n")
        #expect(try setup.ask("GET", "/nothing").answer.status == 404)
        #expect(try setup.ask("GET", "//admin/./x").answer.status == 403)
        #expect(try setup.ask("GET", "/health").isPass)
        #expect(try setup.ask("HEAD", "/health").isPass)
        #expect(try setup.ask("POST", "/health").answer.status == 404)
    }

    @Test func `an unpaid request is offered an invoice and takes nothing`() throws {
        let setup = try GateSetup("GET /x price=21 uses=3\n")
        let decision = try setup.ask("GET", "/x")
        #expect(decision.answer.status == 402)
        #expect(decision.answer.headers.filter { $0.name == "WWW-Authenticate" }.count == 2)
        #expect(decision.header("Cache-Control") == "no-store")
        #expect(decision.taken == nil)
        #expect(setup.store.used.isEmpty)
    }

    @Test func `a paid token passes as often as was bought, and the wallet is asked once`() throws {
        let setup = try GateSetup("GET /x price=21 uses=3 serve=@goods\n")
        let authorization = try buy(setup)
        for left in ["2", "1", "0"] {
            let decision = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
            #expect(decision.header("X-Accel-Redirect") == "@goods")
            #expect(decision.header("L402-Uses-Left") == left)
        }
        let spent = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
        #expect(spent.answer.status == 402 && spent.code == "payment_used")
        #expect(setup.wallet.state.withLock { $0.asked } == 1)
    }

    @Test(arguments: [
        ("/l402-files/", "/l402-files/a/%C3%A4.html?b=1"),
        ("/l402-files/pass.html", "/l402-files/pass.html?b=1"),
    ])
    func `an internal location hands over what is at the path, or its one file`(
        target: String,
        uri: String
    ) throws {
        let setup = try GateSetup("GET /a/* free serve=\(target)\n")
        let decision = try setup.ask("GET", "/a/%c3%a4.html?b=1")
        #expect(decision.header("X-Accel-Redirect") == uri)
    }

    @Test func `who pays at the last moment gets all of what is sold`() throws {
        let setup = try GateSetup("GET /x price=1 valid=30s unlimited\n")
        let authorization = try buy(setup)
        func isServed(at seconds: UInt64) throws -> Bool {
            try setup.ask(
                "GET",
                "/x",
                at: GateSetup.now + seconds,
                ["HTTP_AUTHORIZATION": authorization]
            ).isPass
        }
        // The invoice lives 600 seconds: shown 20 seconds later, good for 30, but never beyond 630.
        #expect(try isServed(at: 590))
        #expect(try isServed(at: 619))
        #expect(try !isServed(at: 620))
    }

    @Test func `less money than the price does not open`() throws {
        let setup = try GateSetup("GET /x price=21\n")
        let authorization = try buy(setup)
        setup.wallet.state.withLock { $0.paidAmount = Millisatoshis(msat: 20_999) }
        let decision = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
        #expect(decision.code == "payment_too_small")
        #expect(setup.store.used.isEmpty)
    }

    @Test func `an unpaid credential gets the same invoice while it can be paid`() throws {
        let setup = try GateSetup("GET /x price=21\n")
        let first = try setup.ask("GET", "/x")
        let again = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": "L402 \(first.token)"])
        #expect(again.code == "payment_not_confirmed")
        #expect(again.token == first.token && again.paymentHash == first.paymentHash)
        let late = try setup.ask(
            "GET",
            "/x",
            at: GateSetup.now + 599,
            ["HTTP_AUTHORIZATION": "L402 \(first.token)"]
        )
        #expect(
            late.paymentHash != first.paymentHash,
            "a fresh one when the old one is as good as over"
        )
    }

    @Test func `state that cannot be written gives nothing away`() throws {
        let setup = try GateSetup("GET /x price=21\nGET /f price=1 free=1/day\n* /open free\n")
        let authorization = try buy(setup)
        setup.store.state.withLock { $0.isBroken = true }
        for decision in [
            try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization]),
            try setup.ask("GET", "/x"), try setup.ask("GET", "/f"),
        ] {
            #expect(decision.answer.status == 503 && decision.code == "state_unavailable")
            #expect(!decision.bodyText.contains("no space left"))
            #expect(decision.header("WWW-Authenticate") == nil)
        }
        #expect(try setup.ask("GET", "/open").isPass)
    }

    @Test func `a wallet that does not answer is a 503, and known payments go on`() throws {
        let setup = try GateSetup("GET /x price=21 uses=5\n")
        let known = try buy(setup)
        let unknown = try buy(setup)
        _ = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": known])
        setup.wallet.state.withLock {
            $0.failure = WalletError(.timeout, "secret words of LNbits", retryAfterSeconds: 7)
        }
        #expect(try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": known]).isPass)
        for headers in [["HTTP_AUTHORIZATION": unknown], [:]] {
            let decision = try setup.ask("GET", "/x", headers)
            #expect(decision.answer.status == 503 && decision.code == "wallet_timeout")
            #expect(decision.header("Retry-After") == "7")
            #expect(!decision.bodyText.contains("LNbits"))
        }
        #expect(
            setup.store.state.withLock { $0.places.values.reduce(0, +) } == 0,
            "a place is freed when no invoice was made"
        )
    }

    @Test func `a refused request takes no free one`() throws {
        let setup = try GateSetup("POST /x price=5 free=1/day require=prompt\n")
        #expect(try setup.ask("POST", "/x", body: "{}").answer.status == 400)
        #expect(try setup.ask("OPTIONS", "/x").answer.status == 204)
        #expect(
            try setup.ask("POST", "/x", body: "{\"prompt\":\"a\",\"payment_hash\":\"zz\"}").answer
                .status == 402
        )
        #expect(try setup.ask("POST", "/x", body: "{\"prompt\":\"a\"}").outcome == .free)
        #expect(try setup.ask("POST", "/x", body: "{\"prompt\":\"a\"}").answer.status == 402)
    }

    @Test func `without an address nothing is free`() throws {
        let setup = try GateSetup("GET /x price=5 free=1/day\n")
        #expect(try setup.ask("GET", "/x", ["REMOTE_ADDR": ""]).answer.status == 402)
        #expect(try setup.ask("GET", "/x", ["HTTP_X_FORWARDED_FOR": "192.0.2.9"]).outcome == .free)
        #expect(
            try setup.ask("GET", "/x", ["HTTP_X_FORWARDED_FOR": "192.0.2.8"]).answer.status == 402
        )
    }

    @Test func `auth_request is told 204 or 403 and makes no invoice`() throws {
        let setup = try GateSetup("GET /x price=5 uses=2\n* /admin deny\n")
        let mode = ["L402_MODE": "auth"]
        let unpaid = try setup.ask("GET", "/x", mode)
        #expect(unpaid.answer.status == 403 && unpaid.answer.headers.isEmpty)
        #expect(setup.wallet.state.withLock { $0.made } == 0)
        #expect(try setup.ask("GET", "/admin", mode).answer.status == 403)
        #expect(try setup.ask("GET", "/nothing", mode).answer.status == 403)
        let paid = try setup.ask(
            "GET",
            "/x",
            mode.merging(["HTTP_AUTHORIZATION": try buy(setup)]) { $1 }
        )
        #expect(paid.answer.status == 204 && paid.header("L402-Uses-Left") == "1")
    }

    @Test func `the challenge call never serves and takes nothing`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let headers = ["L402_MODE": "challenge", "HTTP_AUTHORIZATION": try buy(setup)]
        #expect(try setup.ask("GET", "/x", headers).answer.status == 503)
        #expect(setup.store.used == [0])
        #expect(try setup.ask("GET", "/x", ["L402_MODE": "challenge"]).answer.status == 402)
    }

    @Test func `an Authorizer is told by status and Variable headers`() throws {
        let setup = try GateSetup("GET /x price=5 serve=@goods\n")
        let authorization = try buy(setup)
        let decision = try setup.ask(
            "GET",
            "/x",
            isAuthorizer: true,
            ["HTTP_AUTHORIZATION": authorization]
        )
        #expect(decision.answer.status == 200)
        #expect(decision.header("Variable-L402_SERVICE") == "get-x")
        #expect(decision.header("X-Accel-Redirect") == nil)
        #expect(try setup.ask("GET", "/x", isAuthorizer: true).answer.status == 402)
    }

    @Test func `a bare hash is asked of the wallet once, and is refunded while the wallet is down`()
        throws
    {
        let setup = try GateSetup("GET /a price=5 uses=3 serve=@x\nGET /b price=5 serve=@x")
        let offer = try setup.ask("GET", "/a")
        let hash = try #require(offer.paymentHash)
        setup.wallet.pay(hash)
        let proof = ["HTTP_X_PAYMENT_HASH": hash.hex]
        #expect(try setup.ask("GET", "/a", proof).isPass)
        #expect(try setup.ask("GET", "/b", proof).code == "credential_wrong_service")
        setup.wallet.state.withLock { $0.failure = WalletError(.unreachable, "down") }
        let failing = proof.merging(["REQUEST_ID": "r1"]) { $1 }
        #expect(try setup.ask("GET", "/a", failing).header("L402-Uses-Left") == "1")
        let refund = try setup.ask("GET", "/a", failing.merging(["L402_MODE": "refund"]) { $1 })
        #expect(refund.header("L402-Refunded") == "1")
        #expect(try setup.ask("GET", "/a", proof).header("L402-Uses-Left") == "1")
        #expect(try setup.ask("GET", "/a", proof).isPass)
        #expect(try !setup.ask("GET", "/a", proof).isPass)
        #expect(setup.wallet.state.withLock { $0.asked } == 1)
    }

    @Test func `who keeps asking about unpaid payments has to wait, and nobody else`() throws {
        var policy = GateSetup.policy()
        policy.maxPending = 1000
        let setup = try GateSetup("GET /a price=5 uses=9 serve=@x", policy: policy)
        let gate = setup.gate
        func ask(_ hash: String, from client: String = "192.0.2.1", at now: UInt64) throws
            -> Decision
        {
            let parameters = [
                "REQUEST_METHOD": "GET", "REQUEST_URI": "/a", "REMOTE_ADDR": client,
                "HTTP_X_PAYMENT_HASH": hash,
            ]
            let request = try Request(
                isAuthorizer: false,
                parameter: { parameters[$0].map { Array($0.utf8) } },
                readBody: { _ in .unavailable }
            )
            return gate.decide(request, rules: setup.rules, now: now)
        }
        let minute = GateSetup.now / 60 * 60
        let paid = try #require(setup.ask("GET", "/a").paymentHash)
        setup.wallet.pay(paid)
        #expect(try ask(paid.hex, at: minute).isPass)
        for number in 0..<FailedAttempts.perMinute {
            let hash = String(repeating: "0", count: 60) + String(1000 + number)
            #expect(try ask(hash, at: minute).answer.status == 402)
        }
        let asked = setup.wallet.state.withLock { $0.asked }
        let refused = try ask(String(repeating: "1", count: 64), at: minute + 10)
        #expect(refused.answer.status == 429 && refused.code == "too_many_attempts")
        #expect(refused.header("Retry-After") == "50")
        #expect(setup.wallet.state.withLock { $0.asked } == asked)
        #expect(try ask(paid.hex, at: minute).isPass, "what is known needs no question")
        let other = String(repeating: "2", count: 64)
        #expect(try ask(other, from: "198.51.100.7", at: minute).answer.status == 402)
        #expect(try ask(other, at: minute + 60).answer.status == 402)
    }

    @Test func `a refund returns the use and says so`() throws {
        let setup = try GateSetup("GET /x price=5 uses=2 serve=@goods\n")
        let authorization = try buy(setup)
        let request = ["HTTP_AUTHORIZATION": authorization, "REQUEST_ID": "r1"]
        _ = try setup.ask("GET", "/x", request)
        let refund = try setup.ask(
            "GET",
            "/x",
            request.merging(["L402_MODE": "refund", "L402_STATUS": "200 : 503"]) { $1 }
        )
        #expect(refund.answer.status == 503)
        #expect(refund.header("L402-Refunded") == "1")
        #expect(setup.store.used == [0])
    }

    @Test func `a wallet by another name is needed where a rule names it`() throws {
        let setup = try GateSetup("GET /x price=5 wallet=shop\n")
        let decision = try setup.ask("GET", "/x")
        #expect(decision.answer.status == 503 && decision.code == "wallet_not_configured")
        #expect(decision.detail.contains("LNBITS_KEY_shop"))
    }

    @Test func `a fiat price becomes sats through the wallet`() throws {
        let setup = try GateSetup("GET /x price=0.25USD uses=unlimited valid=1d\n")
        #expect(try setup.ask("GET", "/x").header("L402-Price") == "250")
        #expect(try setup.ask("HEAD", "/x").header("L402-Price") == "250")
    }

    @Test func `no value can begin another header field`() throws {
        var answer = Response(status: 200)
        answer.headers = [("X", "a\r\nSet-Cookie: b\u{0}c")]
        let text = String(decoding: answer.serialized(), as: UTF8.self)
        #expect(text == "Status: 200 OK\r\nX: a  Set-Cookie: b c\r\nContent-Length: 0\r\n\r\n")
    }

    @Test(
        "a page is for those who would rather have one",
        arguments: [
            (nil, false), ("*/*", false), ("application/json", false), ("text/html", true),
            ("text/html,application/xhtml+xml,*/*;q=0.8", true), ("text/html;q=0.1,*/*", false),
            ("application/json, text/html", false), ("text/html;q=0", false),
        ] as [(String?, Bool)]
    )
    func accept(header: String?, prefersHTML: Bool) {
        #expect(Accept.prefersHTML(header) == prefersHTML)
    }

    @Test func `the journal tells what was sold, to whom it was free and what was refused`() throws
    {
        let setup = try GateSetup("GET /x price=5 free=1/day\n* /admin deny\n")
        _ = try setup.ask("GET", "/x")
        let authorization = try buy(setup)
        _ = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
        _ = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
        _ = try setup.ask("GET", "/admin")
        let events = setup.store.state.withLock {
            $0.events.map { "\($0.kind.rawValue) \($0.code)" }
        }
        #expect(
            events == [
                "free ", "challenge ", "paid ", "used ", "refused payment_used", "challenge ",
                "refused denied",
            ]
        )
    }

    @Test func `the clients of one IPv6 site together hold as many invoices as eight`() throws {
        var policy = GateSetup.policy()
        policy.maxPending = 2
        let setup = try GateSetup("GET /x price=5\n", policy: policy)
        func status(_ address: String) throws -> Int {
            try setup.ask("GET", "/x", ["REMOTE_ADDR": address]).answer.status
        }
        #expect(try (0..<3).map { _ in try status("2001:db8:1:ffff::1") } == [402, 402, 429])
        for client in 0..<14 { #expect(try status("2001:db8:1:\(client)::1") == 402) }
        #expect(try status("2001:db8:1:20::1") == 429)
        #expect(try status("2001:db8:2:20::1") == 402)
        #expect(try status("192.0.2.9") == 402)
        // What was refused for the site's sake holds no place of the client's.
        let refused: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0x20]
        #expect(setup.store.state.withLock { $0.places[refused] } == 0)
    }

    @Test func `a paid invoice frees both places`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let address = ["REMOTE_ADDR": "2001:db8:1:2::1"]
        let challenge = try setup.ask("GET", "/x", address)
        #expect(setup.store.state.withLock { $0.places.values.reduce(0, +) } == 2)
        setup.wallet.pay(try #require(challenge.paymentHash))
        let paid = address.merging(["HTTP_AUTHORIZATION": "L402 \(challenge.token)"]) { $1 }
        #expect(try setup.ask("GET", "/x", paid).isPass)
        #expect(setup.store.state.withLock { $0.places.values.reduce(0, +) } == 0)
    }
}
