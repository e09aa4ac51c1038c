import HTTP
import Lightning
import Store
import Synchronization
import Testing

@testable import Paywall

/// What a use is, where the web server tells how the answer went out.
@Suite struct SettlementTests {
    private let setup: GateSetup
    private let authorization: String

    init() throws {
        setup = try GateSetup(
            """
            GET,POST /x/** price=21 uses=9 service=x
            GET /y/** price=21 uses=9 service=x
            GET /other/** price=5
            GET /f/** price=5 free=3/day
            """
        )
        let challenge = try setup.ask("GET", "/x/a")
        setup.wallet.pay(try #require(challenge.paymentHash))
        authorization = "L402 \(challenge.token)"
    }

    /// Uses of the payment that are taken after one request and the settling call for it.
    private func usesTaken(
        _ method: String,
        _ uri: String = "/x/a",
        report: [String: String],
        _ more: [String: String] = [:]
    ) throws -> UInt64 {
        let request = [
            "HTTP_AUTHORIZATION": authorization, "REQUEST_ID": "q1", "HTTP_HOST": "shop.test",
            "REQUEST_SCHEME": "http",
        ].merging(more) { $1 }
        let passed = try setup.ask(method, uri, request)
        #expect(passed.isPass)
        let settled = try setup.ask(
            method,
            uri,
            request.merging(["L402_MODE": "settle", "L402_COMPLETE": "OK", "L402_BYTES": "100"]) {
                $1
            }.merging(report) { $1 }
        )
        // For nginx' access log, which shows the status of this answer.
        let status = report["L402_STATUS"].flatMap { Int($0) } ?? 0
        #expect(settled.answer.status == ((200...599).contains(status) ? status : 499))
        #expect(settled.answer.body.isEmpty)
        return setup.store.used.reduce(0, +)
    }

    @Test(
        "a delivery is taken, and what is none is not",
        arguments: [
            ("GET", "200", "200 : 200", "", 1), ("POST", "204", "200 : 204", "", 1),
            ("GET", "206", "200", "", 1), ("GET", "101", "200 : 101", "", 1),
            ("GET", "404", "200 : 404", "", 1), ("POST", "422", "200 : 422", "", 1),
            ("GET", "404", "200", "", 0), ("GET", "416", "200", "", 0),
            ("GET", "429", "200", "", 0),
            ("POST", "405", "200", "", 0), ("GET", "412", "200", "", 0),
            ("GET", "304", "200 : 304", "", 0), ("GET", "304", "200", "", 0),
            ("HEAD", "200", "200 : 200", "", 0), ("HEAD", "404", "200 : 404", "", 0),
            ("GET", "503", "200 : 503", "", 0), ("GET", "503", "200", "", 0),
            ("GET", "500", "200", "", 0),
            // Redirects: to where the same goods are sold, and elsewhere.
            ("GET", "301", "200", "http://shop.test/x/a/", 0),
            ("GET", "307", "200 : 307", "/x/a/", 0), ("GET", "302", "200 : 302", "a/", 0),
            ("GET", "301", "200 : 301", "https://shop.test/x/a", 0),
            ("GET", "302", "200 : 302", "/y/b?z=1", 0), ("GET", "302", "200 : 302", "/other/b", 1),
            ("GET", "302", "200 : 302", "https://cdn.test/x/a/", 1),
            ("GET", "302", "200 : 302", "https://shop.test.evil.test/x/a/", 1),
            ("GET", "302", "200 : 302", "//cdn.test/x/a/", 1),
            ("GET", "302", "200 : 302", "mailto:x@y", 1), ("GET", "302", "200 : 302", "", 1),
            ("HEAD", "302", "200 : 302", "https://cdn.test/signed", 1),
            ("HEAD", "302", "200 : 302", "/x/a/", 0), ("POST", "303", "200 : 303", "/x/a/", 1),
        ] as [(String, String, String, String, UInt64)]
    )
    func table(method: String, status: String, upstream: String, location: String, taken: UInt64)
        throws
    {
        let report = [
            "L402_STATUS": status, "L402_UPSTREAM_STATUS": upstream, "L402_LOCATION": location,
        ]
        #expect(try usesTaken(method, report: report) == taken)
    }

    @Test(
        "a client that left took what had begun",
        arguments: [
            // Nothing has gone out.
            ("GET", "009", "200 : -", "0", "", 0), ("GET", "499", "200 : -", "0", "", 0),
            ("HEAD", "009", "200", "0", "", 0), ("GET", "200", "200 : 200", "0", "", 0),
            // A backend works on it, and may have done what it was asked for.
            ("POST", "009", "200 : -", "0", "", 1), ("POST", "009", "200", "0", "", 0),
            // Bytes are out.
            ("GET", "200", "200 : 200", "4096", "", 1), ("GET", "206", "200", "1", "", 1),
        ] as [(String, String, String, String, String, UInt64)]
    )
    func gone(
        method: String,
        status: String,
        upstream: String,
        bytes: String,
        complete: String,
        taken: UInt64
    ) throws {
        let report = [
            "L402_STATUS": status, "L402_UPSTREAM_STATUS": upstream, "L402_BYTES": bytes,
            "L402_COMPLETE": complete,
        ]
        #expect(try usesTaken(method, report: report) == taken)
    }

    @Test(
        "behind auth_request the gate is not among the servers that were asked",
        arguments: [
            ("POST", "009", "-", 1), ("POST", "009", "", 0), ("GET", "009", "-", 0),
            ("GET", "404", "404", 1), ("GET", "404", "", 0),
        ] as [(String, String, String, UInt64)]
    )
    func authRequest(method: String, status: String, upstream: String, taken: UInt64) throws {
        let report = [
            "L402_STATUS": status, "L402_UPSTREAM_STATUS": upstream, "L402_URI": "/x/a",
            "L402_BYTES": status == "009" ? "0" : "9",
            "L402_COMPLETE": status == "009" ? "" : "OK",
        ]
        #expect(try usesTaken(method, report: report) == taken)
    }

    @Test("a 403 behind auth_request is sold when a backend gave it", arguments: ["", "403"])
    func forbidden(upstream: String) throws {
        let request = ["HTTP_AUTHORIZATION": authorization, "REQUEST_ID": "q1"]
        _ = try setup.ask("GET", "/x/a", request.merging(["L402_MODE": "auth"]) { $1 })
        let report = [
            "L402_MODE": "challenge", "L402_TAKEN": "paid", "L402_UPSTREAM_STATUS": upstream,
        ]
        let refused = try setup.ask("GET", "/x/a", request.merging(report) { $1 })
        #expect(refused.answer.status == 403)
        #expect(setup.store.used.reduce(0, +) == (upstream.isEmpty ? 0 : 1))
    }

    @Test func `a page of the site's own in the place of an error is goods`() throws {
        let report = ["L402_STATUS": "404", "L402_UPSTREAM_STATUS": "", "L402_URI": "/x/404.html"]
        #expect(try usesTaken("GET", report: report) == 1)
    }

    @Test func `the payment that the gate named is the one that is looked at`() throws {
        let hash = try #require(setup.store.state.withLock { $0.events.last?.paymentHash })
        let report = [
            "L402_STATUS": "404", "L402_UPSTREAM_STATUS": "200", "L402_PAYMENT": hash.hex,
        ]
        #expect(try usesTaken("GET", report: report) == 0)
    }

    @Test func `a free request comes back, and once`() throws {
        let request = ["REQUEST_ID": "f1", "L402_TAKEN": "free"]
        #expect(try setup.ask("GET", "/f/a", request).header("L402-Free-Left") == "2")
        let report = request.merging([
            "L402_MODE": "settle", "L402_STATUS": "304", "L402_COMPLETE": "OK", "L402_BYTES": "9",
        ]) { $1 }
        #expect(try setup.ask("GET", "/f/a", report).code == "returned")
        #expect(try setup.ask("GET", "/f/a", report).code == "nothing_to_return")
        #expect(try setup.ask("GET", "/f/a").header("L402-Free-Left") == "2")
    }

    @Test func `of two credentials the one that was used gets its use back`() throws {
        let store = setup.store
        for _ in 0..<9 { _ = try setup.ask("GET", "/x/a", ["HTTP_AUTHORIZATION": authorization]) }
        let second = try setup.ask("GET", "/x/a")
        setup.wallet.pay(try #require(second.paymentHash))
        let both = [
            "HTTP_AUTHORIZATION": authorization, "REQUEST_ID": "b1",
            "HTTP_COOKIE": "l402-00000001=\(second.token)", "HTTP_ACCEPT": "text/html",
        ]
        #expect(try setup.ask("GET", "/x/a", both).header("L402-Uses-Left") == "8")
        #expect(store.used.sorted() == [1, 9])
        let refund = try setup.ask("GET", "/x/a", both.merging(["L402_MODE": "refund"]) { $1 })
        #expect(refund.header("L402-Refunded") == "1")
        #expect(store.used.sorted() == [0, 9])
    }

    @Test func `what a request presents is not looked for in another site or service`() throws {
        #expect(
            try setup.ask(
                "GET",
                "/other/a",
                ["HTTP_AUTHORIZATION": authorization, "REQUEST_ID": "q1", "L402_MODE": "refund"]
            ).header("L402-Refunded") == "0"
        )
    }
}
