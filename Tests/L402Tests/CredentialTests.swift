import Lightning
import Macaroons
import Testing
import Text

@testable import L402

private func present(_ authorization: String) -> PresentedCredentials {
    var sources = CredentialSources()
    sources.authorization = Array(authorization.utf8)
    return PresentedCredentials(sources)
}

/// The payment hash, whether a preimage came along, and whether it is a bare hash.
private func summary(_ presented: PresentedCredentials) -> String {
    presented.credentials.map { credential in
        switch credential {
        case .tokens(let tokens, .preimage, _): "\(tokens.count) token with preimage"
        case .tokens(let tokens, .none, _): "\(tokens.count) token"
        case .tokens(let tokens, .unreadable, _): "\(tokens.count) token with nonsense"
        case .hash: "hash"
        }
    }.joined(separator: ", ")
}

@Suite struct CredentialTests {
    private static let standard = Samples.token.text
    private static let urlSafe = Base64.encodeURLSafe(Samples.token.macaroon.encoded)
    private static let preimage = Samples.preimageHex
    private static let base64Preimage = Base64.encode([UInt8](repeating: 0xab, count: 32))
    private static let hash = Samples.paymentHash.hex

    @Test(
        "every form that a real client sends is read",
        arguments: [
            ("L402 \(standard):\(preimage)", "1 token with preimage"),
            ("LSAT \(standard):\(preimage)", "1 token with preimage"),
            ("l402 \(standard):\(preimage)", "1 token with preimage"),
            ("L402 L402 \(standard):\(preimage)", "1 token with preimage"),
            ("L402   \(standard):\(preimage)  ", "1 token with preimage"),
            ("L402 \(standard):\(preimage.uppercased())", "1 token with preimage"),
            ("L402 \(urlSafe):\(preimage)", "1 token with preimage"),
            ("L402 \(standard.filter { $0 != "=" }):\(preimage)", "1 token with preimage"),
            ("L402 \(standard),\(standard):\(preimage)", "2 token with preimage"),
            ("L402 \(standard)", "1 token"),
            ("L402 \(standard):", "1 token"),
            ("L402 \(standard):undefined", "1 token"),
            ("L402 \(standard):\(String(repeating: "0", count: 64))", "1 token"),
            ("L402 \(standard):[object Object]", "1 token"),
            ("L402 \(standard):\(base64Preimage)", "1 token with preimage"),
            ("L402 \(standard): \"\(preimage)\"", "1 token with preimage"),
            ("L402 \(standard):abc", "1 token with nonsense"),
            ("L402 \(standard):\(preimage)0", "1 token with nonsense"),
            ("L402 \(hash)", "hash"),
            ("L402 \(hash):", "hash"),
            ("L402 \(hash):\(preimage)", "hash"),
            ("L402 \(hash):anything", "hash"),
            ("L402 \(hash.uppercased())", "hash"),
            ("\(hash)", "hash"),
        ]
    )
    func forms(authorization: String, expected: String) {
        let presented = present(authorization)
        #expect(summary(presented) == expected)
        #expect(presented.problem == nil)
        #expect(!presented.hasForeignAuthorization)
    }

    @Test(
        "what is not L402 is left alone",
        arguments: [
            "Bearer abc", "Basic dXNlcjpwYXNz", "", "L402x abc", "L4020 \(hash)", "Digest a=\"b\"",
        ]
    )
    func foreign(authorization: String) {
        let presented = present(authorization)
        #expect(presented.isEmpty)
        #expect(presented.hasForeignAuthorization)
    }

    @Test(
        "a broken credential is named",
        arguments: [
            ("L402 undefined:\(preimage)", "the token in Authorization is not base64"),
            ("L402", "there is no token in Authorization"),
            ("L402 :\(preimage)", "there is no token in Authorization"),
            ("L402 AAAA:\(preimage)", "macaroon is not version 2"),
        ]
    )
    func broken(authorization: String, expected: String) {
        let presented = present(authorization)
        #expect(presented.credentials.isEmpty)
        #expect(presented.problem == .malformed(expected))
    }

    @Test func `a hash is found in header, body and query, and only once`() {
        var sources = CredentialSources()
        sources.authorization = Array("L402 \(Self.hash)".utf8)
        sources.paymentHashHeader = Array(Self.hash.utf8)
        sources.paymentHashBody = Array(Self.hash.uppercased().utf8)
        sources.paymentHashQuery = Array(String(repeating: "0", count: 64).utf8)
        #expect(summary(PresentedCredentials(sources)) == "hash, hash")
    }

    @Test func `the cookie and the hex header carry tokens`() {
        var sources = CredentialSources()
        sources.cookie = Array("a=b; l402=\(Self.urlSafe); c=d".utf8)
        sources.macaroonHeader = Array(Hex.encode(Samples.token.macaroon.encoded).utf8)
        #expect(summary(PresentedCredentials(sources)) == "1 token, 1 token")
    }

    @Test func `a header beyond the limit is not looked at`() {
        let presented = present("L402 " + String(repeating: "A", count: 20_000))
        #expect(presented.credentials.isEmpty && presented.hasForeignAuthorization)
    }

    @Test func `random bytes never trap`() {
        let alphabet = Array("L402 LSAT:,=AgEa09\t\u{0}".utf8)
        var seed: UInt64 = 7
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int((seed >> 33) % UInt64(alphabet.count))])
            }
            var sources = CredentialSources()
            sources.authorization = bytes
            sources.cookie = Array("l402=".utf8) + bytes
            sources.macaroonHeader = bytes
            sources.paymentHashBody = bytes
            #expect(PresentedCredentials(sources).credentials.count <= PresentedCredentials.maximum)
        }
    }
}

@Suite struct ChallengeTests {
    @Test func `the header lines are what real clients parse`() {
        let challenge = Challenge(
            token: "TOKEN=",
            invoice: "lnbc1x",
            paymentHash: Samples.paymentHash
        )
        let hash = Samples.paymentHash.hex
        #expect(
            challenge.headerValues == [
                "L402 macaroon=\"TOKEN=\", invoice=\"lnbc1x\", payment_hash=\"\(hash)\", version=\"0\", token=\"TOKEN=\"",
                "L402 invoice=\"lnbc1x\", payment_hash=\"\(hash)\"",
            ]
        )
    }
}
