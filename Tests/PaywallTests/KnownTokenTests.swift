import HTTP
import Synchronization
import Testing

@testable import Paywall

/// A header that was served once is known; whatever else changes still counts.
@Suite struct KnownTokenTests {
    private let setup: GateSetup
    private let authorization: String

    init() throws {
        setup = try GateSetup(
            """
            GET /x price=21 uses=unlimited valid=30d service=x
            GET /y price=21 uses=unlimited valid=30d service=y
            GET /gold price=21 uses=unlimited valid=30d service=x tier=1
            GET /need price=21 uses=unlimited valid=30d service=x require=prompt
            GET /few price=21 uses=2 service=few
            """
        )
        let challenge = try setup.ask("GET", "/x")
        setup.wallet.pay(try #require(challenge.paymentHash))
        authorization = "L402 \(challenge.token)"
        #expect(try isServed("/x", authorization))
        #expect(try isServed("/x", authorization))
    }

    private func isServed(
        _ uri: String,
        _ authorization: String,
        _ more: [String: String] = [:],
        at now: UInt64 = GateSetup.now
    ) throws -> Bool {
        let parameters = more.merging(["HTTP_AUTHORIZATION": authorization]) { $1 }
        return try setup.ask("GET", uri, at: now, parameters).isPass
    }

    @Test func `it opens nothing else`() throws {
        #expect(try !isServed("/y", authorization))
        #expect(try !isServed("/gold", authorization))
        #expect(
            try setup.ask("GET", "/need", ["HTTP_AUTHORIZATION": authorization]).answer.status
                == 400
        )
    }

    @Test func `every other header is verified`() throws {
        // After the scheme and the macaroon's location, which nobody signs.
        for at in authorization.indices.dropFirst(5 + 10) {
            var changed = authorization
            changed.replaceSubrange(at...at, with: authorization[at] == "A" ? "B" : "A")
            #expect(try !isServed("/x", changed), "\(changed)")
        }
        #expect(try !isServed("/x", ""))
        #expect(try isServed("/x", authorization))
    }

    @Test func `it ends when its time does`() throws {
        #expect(try !isServed("/x", authorization, at: GateSetup.now + 400 * 86_400))
        #expect(try isServed("/x", authorization))
    }

    @Test func `it ends with its key, and lives on beside a new one`() throws {
        let new = try #require(KeysDouble.key(named: "n"))
        setup.keys.state.withLock { $0.append(new) }
        #expect(try isServed("/x", authorization))
        setup.keys.state.withLock { $0 = [new] }
        #expect(try !isServed("/x", authorization))
    }

    @Test func `state that cannot be read serves nothing`() throws {
        setup.store.state.withLock { $0.isBroken = true }
        let decision = try setup.ask("GET", "/x", ["HTTP_AUTHORIZATION": authorization])
        #expect(decision.answer.status == 503 && decision.code == "state_unavailable")
    }

    @Test func `uses are counted all the same`() throws {
        let challenge = try setup.ask("GET", "/few")
        setup.wallet.pay(try #require(challenge.paymentHash))
        let token = "L402 \(challenge.token)"
        let served = try (1...4).map { _ in try isServed("/few", token) }
        #expect(served == [true, true, false, false])
    }

    @Test(
        "what came beside a token is not taken for it",
        arguments: ["Basic YTpi", "Bearer x", "L402", "L402 :"]
    )
    func beside(_ other: String) throws {
        let token = String(authorization.dropFirst(5))
        for _ in 0..<2 {
            _ = try isServed("/x", other, ["HTTP_COOKIE": "l402=\(token)"])
            #expect(try !isServed("/x", other))
        }
    }

    @Test func `a list of tokens is looked at as a whole each time`() throws {
        let token = String(authorization.dropFirst(5))
        #expect(try isServed("/x", "L402 \(token),\(token)"))
        setup.keys.state.withLock { $0 = [] }
        #expect(try !isServed("/x", "L402 \(token),\(token)"))
    }
}
