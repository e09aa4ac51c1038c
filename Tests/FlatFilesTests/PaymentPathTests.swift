import L402
import Lightning
import Store
import TestTools
import Testing

@testable import FlatFiles

/// The file of a payment for one path.
struct PaymentPathTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    @Test(
        "the file of one path says which",
        arguments: [
            (nil, ""), (BoughtAddress("/articles/%C3%A9?id=1"), "path /articles/%C3%A9?id=1\n"),
            (
                BoughtAddress("/" + String(repeating: "a", count: 128)),
                "path_sha256 03fb109ceebd8b5ffb36f6ba609246698f4b7b3c022ea11141ac98ffc6807e27\n"
            ),
        ] as [(BoughtAddress?, String)]
    )
    func path(address: BoughtAddress?, line: String) throws {
        let claim = try paymentClaim(uses: nil, validSeconds: 60, site: "blog", address: address)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: nil))
        let text = """
            l402-payment 2 used 0000000001 change 0000000000
            payment_hash \(claim.paymentHash.hex)
            failed 00 since 0000000000
            state active \u{20}
            service dvm
            site blog
            \(line)tier 0
            uses unlimited
            valid_until 1795266000 2026-11-21T13:00:00Z
            valid_seconds 60
            price_msat 21000
            opened 2026-11-21T12:00:00Z
            ends 1795262460 2026-11-21T12:01:00Z
            addresses
            recent

            """
        #expect(try String(decoding: state.read(paymentPath(claim)), as: UTF8.self) == text)
        #expect(try Payments(state.open()).take(claim, now: noon) == .taken(usesLeft: nil))
        #expect(try payments.terms(of: claim.paymentHash) == claim.terms)
        #expect(try payments.record(claim.paymentHash)?.terms.address == address)
    }

    @Test(
        "a line that no release writes makes a file damaged",
        arguments: ["path a", "path ", "path", "path_sha256 /a", "path_sha 1", "path /a\npath /b"]
    )
    func brokenPath(line: String) throws {
        let claim = try paymentClaim(uses: 3, address: BoughtAddress("/a"))
        _ = try payments.open(claim, now: noon)
        let text = String(decoding: try state.read(paymentPath(claim)), as: UTF8.self)
        #expect(PaymentFile(Array(text.utf8)) != nil)
        #expect(PaymentFile(Array(text.replacing("path /a", with: line).utf8)) == nil)
    }
}
