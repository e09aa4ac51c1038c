import HTTP
import Lightning
import Store
import Synchronization
import Testing
import Text
import Wallets

@testable import Paywall

/// Who has paid gets in, and is never asked to pay a second time; nobody pays for somebody else.
@Suite struct RedemptionTests {
    private func paid(_ setup: GateSetup, _ uri: String = "/x", _ more: [String: String] = [:])
        throws -> (token: String, preimage: String, hash: PaymentHash)
    {
        let challenge = try setup.ask("GET", uri, more)
        let hash = try #require(challenge.paymentHash)
        setup.wallet.pay(hash)
        let made = UInt8(setup.wallet.state.withLock { $0.made } & 0xff)
        return (challenge.token, Hex.encode([UInt8](repeating: made, count: 32)), hash)
    }

    private func offers(_ decision: Decision) -> Bool {
        decision.bodyText.contains("lnbc")
            || decision.header("WWW-Authenticate")?.contains("lnbc")
                == true
    }

    @Test func `a right preimage that the wallet does not confirm is undecided`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let bought = try paid(setup)
        setup.wallet.state.withLock { $0.orders[bought.hash]?.isPaid = false }
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token):\(bought.preimage)"]
        let decision = try setup.ask("GET", "/x", proof)
        #expect(decision.answer.status == 503 && decision.code == "payment_undecided")
        #expect(!offers(decision) && decision.header("Retry-After") != nil)
        #expect(decision.paymentHash == bought.hash && decision.detail.contains("unconfirmed"))
        setup.wallet.pay(bought.hash)
        #expect(try setup.ask("GET", "/x", proof).isPass)
    }

    @Test func `a token whose payment no wallet knows is undecided, with or without preimage`()
        throws
    {
        let setup = try GateSetup("GET /x price=5\n", others: [WalletDouble()])
        let bought = try paid(setup)
        setup.wallet.state.withLock { $0.orders = [:] }
        for proof in [":\(bought.preimage)", ""] {
            let decision = try setup.ask(
                "GET",
                "/x",
                ["HTTP_AUTHORIZATION": "L402 \(bought.token)\(proof)"]
            )
            #expect(decision.answer.status == 503 && decision.code == "payment_undecided")
        }
    }

    @Test func `another wallet that is configured is asked`() throws {
        let other = WalletDouble()
        let setup = try GateSetup("GET /x price=5\n", others: [other])
        let bought = try paid(setup)
        let order = try #require(
            setup.wallet.state.withLock { $0.orders.removeValue(forKey: bought.hash) }
        )
        other.state.withLock { $0.orders[bought.hash] = order }
        #expect(try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": "L402 \(bought.token)"]).isPass)
    }

    @Test func `what is not LNbits says nothing of a payment`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let bought = try paid(setup)
        setup.wallet.state.withLock { $0.failure = WalletError(.notLNbits, "a login page") }
        for headers in [
            ["HTTP_AUTHORIZATION": "L402 \(bought.token)"],
            ["HTTP_X_PAYMENT_HASH": bought.hash.hex],
        ] {
            #expect(try setup.ask("GET", "/x", headers).code == "payment_undecided")
        }
    }

    @Test(
        "a preimage in another spelling counts as the token alone",
        arguments: [
            "undefined", "null", "None", String(repeating: "0", count: 64), "", " ", "\"\"",
        ]
    )
    func spelling(text: String) throws {
        let setup = try GateSetup("GET /x price=5 uses=2\n")
        let bought = try paid(setup)
        #expect(
            try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": "L402 \(bought.token):\(text)"])
                .isPass
        )
    }

    @Test func `a preimage in base64 is one`() throws {
        let setup = try GateSetup("GET /x price=5 uses=2\n")
        let bought = try paid(setup)
        let bytes = try #require(Hex.decode(Array(bought.preimage.utf8)))
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token):\(Base64.encode(bytes))"]
        setup.wallet.state.withLock { $0.orders[bought.hash]?.isPaid = false }
        #expect(try setup.ask("GET", "/x", proof).code == "payment_undecided")
        setup.wallet.pay(bought.hash)
        #expect(try setup.ask("GET", "/x", proof).isPass)
    }

    @Test(
        "a wrong preimage of a paid token makes no invoice",
        arguments: ["xyz", String(repeating: "9", count: 64)]
    )
    func wrongPreimage(text: String) throws {
        let setup = try GateSetup("GET /x price=5 uses=2\n")
        let bought = try paid(setup)
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token):\(text)"]
        for _ in 0..<3 {
            let decision = try setup.ask("GET", "/x", proof)
            #expect(decision.answer.status == 402 && !offers(decision))
            #expect(setup.wallet.state.withLock { $0.made } == 1)
        }
        #expect(try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": "L402 \(bought.token)"]).isPass)
        #expect(try !offers(setup.ask("GET", "/x", proof)), "also once it is on record")
    }

    // MARK: - Other people's invoices

    @Test(
        "a bare hash never has its invoice offered again",
        arguments: ["query", "HTTP_X_PAYMENT_HASH", "HTTP_AUTHORIZATION", "body"]
    )
    func bareHash(place: String) throws {
        let setup = try GateSetup("GET,POST /x price=5\n")
        let strangers = try #require(setup.ask("GET", "/x").paymentHash)
        let isBody = place == "body"
        let decision = try setup.ask(
            isBody ? "POST" : "GET",
            place == "query" ? "/x?payment_hash=\(strangers.hex)" : "/x",
            body: isBody ? "{\"payment_hash\":\"\(strangers.hex)\"}" : "",
            place.hasPrefix("HTTP") ? [place: "\(strangers.hex)"] : [:]
        )
        #expect(decision.answer.status == 402 && decision.code == "payment_not_confirmed")
        #expect(decision.header("Retry-After") == "2" && !offers(decision))
        #expect(setup.wallet.state.withLock { $0.made } == 1)
    }

    @Test func `for a browser a bare hash that opens nothing is none`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let strangers = try #require(setup.ask("GET", "/x").paymentHash)
        let decision = try setup.ask(
            "GET",
            "/x?payment_hash=\(strangers.hex)",
            ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"]
        )
        #expect(decision.code == "payment_required" && offers(decision))
        #expect(decision.paymentHash != strangers)
    }

    @Test func `an unpaid token in a cookie is offered again to its own client only`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let page = ["HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate"]
        let first = try setup.ask("GET", "/x", page)
        let cookie = try #require(first.header("Set-Cookie")?.split(separator: ";").first)
        let mine = try setup.ask("GET", "/x", page.merging(["HTTP_COOKIE": String(cookie)]) { $1 })
        #expect(mine.paymentHash == first.paymentHash)
        let victim = [
            "HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_MODE": "navigate",
            "HTTP_COOKIE": String(cookie), "REMOTE_ADDR": "198.51.100.7",
        ]
        let own = try setup.ask("GET", "/x", victim)
        #expect(own.paymentHash != first.paymentHash && offers(own))
        let name = own.header("Set-Cookie")?.split(separator: "=").first
        #expect(name != cookie.split(separator: "=").first, "no cookie takes another one's place")
        setup.wallet.pay(try #require(first.paymentHash))
        #expect(try setup.ask("GET", "/x", victim).isPass, "once paid it opens for who has it")
    }

    @Test func `a cookie is no proof for a method that changes something`() throws {
        let setup = try GateSetup("GET,POST /x price=5 uses=3\n")
        let bought = try paid(setup)
        let cookie = [
            "HTTP_COOKIE": "a=b; l402-00000001=\(bought.token)", "HTTP_ACCEPT": "text/html",
        ]
        #expect(try setup.ask("POST", "/x", cookie).answer.status == 402)
        #expect(try setup.ask("GET", "/x", cookie).isPass)
    }

    @Test func `a paid cookie wins in whatever company`() throws {
        let setup = try GateSetup("GET /x price=5 uses=3\n")
        let unpaid = try (0..<6).map { _ in try setup.ask("GET", "/x").token }
        let bought = try paid(setup)
        let all = (unpaid + [bought.token]).enumerated()
            .map { "l402-0000000\($0.offset)=\($0.element)" }.joined(separator: "; ")
        #expect(
            try setup.ask("GET", "/x", ["HTTP_COOKIE": all, "HTTP_ACCEPT": "text/html"]).isPass
        )
    }

    // MARK: - Sites and caveats

    @Test func `what one site sold opens nothing on another`() throws {
        var policy = GateSetup.policy()
        policy.site = "a"
        let here = try GateSetup("GET /x price=5 uses=3\n", policy: policy)
        let bought = try paid(here)
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token)"]
        for site in ["b", nil] {
            policy.site = site
            let there = try GateSetup("GET /x price=5 uses=3\n", policy: policy, sharing: here)
            #expect(try there.ask("GET", "/x", proof).code == "credential_wrong_site")
            let hash = ["HTTP_X_PAYMENT_HASH": bought.hash.hex]
            #expect(try there.ask("GET", "/x", hash).code == "credential_wrong_site")
            #expect(try here.ask("GET", "/x", proof).isPass)
            #expect(try there.ask("GET", "/x", hash).code == "credential_wrong_site")
        }
    }

    @Test func `a use that is just coming back is waited for`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let bought = try paid(setup)
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token)"]
        #expect(try setup.ask("GET", "/x", proof).isPass)
        setup.store.state.withLock {
            $0.nextOutcomes = [.spentJustNow, .spentJustNow, .taken(usesLeft: 0)]
        }
        #expect(try setup.ask("GET", "/x", proof).isPass)
        setup.store.state.withLock {
            $0.nextOutcomes = [TakeOutcome](repeating: .spentJustNow, count: 9)
        }
        #expect(try setup.ask("GET", "/x", proof).code == "payment_used")
    }

    @Test func `the first redemption frees the places of its address`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        for _ in 0..<5 { _ = try setup.ask("GET", "/x") }
        let bought = try paid(setup)
        #expect(setup.store.state.withLock { $0.places.values.reduce(0, +) } == 6)
        _ = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": "L402 \(bought.token)"])
        #expect(setup.store.state.withLock { $0.places.values.reduce(0, +) } == 0)
    }

    @Test func `who proves something is not refused for what a neighbour asked`() throws {
        let setup = try GateSetup("GET /x price=5\n")
        let bought = try paid(setup)
        for number in 0..<FailedAttempts.perMinute {
            let hash = String(repeating: "0", count: 60) + String(1000 + number)
            _ = try setup.ask("GET", "/x", ["HTTP_X_PAYMENT_HASH": hash])
        }
        let alone = ["HTTP_AUTHORIZATION": "L402 \(bought.token)"]
        #expect(try setup.ask("GET", "/x", alone).answer.status == 429)
        let proof = ["HTTP_AUTHORIZATION": "L402 \(bought.token):\(bought.preimage)"]
        #expect(try setup.ask("GET", "/x", proof).isPass)
    }
}
