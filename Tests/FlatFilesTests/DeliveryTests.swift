import Glibc
import L402
import Lightning
import Store
import TestTools
import Testing
import Text

@testable import FlatFiles

/// Further requests of one delivery, and goods that fail: of any ledger, whatever its files.
struct DeliveryTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    func claim(
        _ request: String,
        address: UInt8 = 1,
        grace: UInt64 = 600,
        isRange: Bool = true,
        uses: UInt64 = 3
    ) throws -> PaymentClaim {
        try paymentClaim(
            uses: uses,
            request: request,
            delivery: DeliveryKey(
                address: [UInt8](repeating: address, count: 8),
                graceSeconds: grace,
                mayRepeat: isRange
            )
        )
    }

    @Test func `a last use that was taken just now is told from one of long ago`() throws {
        let now = UInt64(time(nil))
        let claim = try paymentClaim(uses: 1, validUntil: now + 3600, request: "a")
        #expect(try payments.open(claim, now: now) == .taken(usesLeft: 0))
        let other = try paymentClaim(uses: 1, validUntil: now + 3600, request: "b")
        #expect(try payments.take(other, now: now) == .spentJustNow)
        let day = try #require(state.names("payments").first { $0.hasPrefix("20") })
        state.age("payments/\(day)/\(claim.paymentHash.hex)", seconds: 10)
        #expect(try payments.take(other, now: now) == .spent)
        // A clock that was set back tells nothing of when it was.
        state.age("payments/\(day)/\(claim.paymentHash.hex)", seconds: -10)
        #expect(try payments.take(other, now: now) == .spent)
    }

    private func reload(
        _ request: String,
        address: UInt8 = 1,
        seconds: UInt64 = 30,
        grace: UInt64 = 0
    )
        throws -> PaymentClaim
    {
        try paymentClaim(
            uses: 3,
            request: request,
            delivery: DeliveryKey(
                address: [UInt8](repeating: address, count: 8),
                graceSeconds: grace,
                mayRepeat: false,
                reloadSeconds: seconds
            )
        )
    }

    @Test func `a browser loads the same address five times more, and the while is not prolonged`()
        throws
    {
        #expect(try payments.open(try reload("a"), now: noon) == .taken(usesLeft: 2))
        for number in 0..<4 {
            let again = try reload("b\(number)")
            #expect(try payments.look(again, now: noon + 10) == .withinGrace(usesLeft: 2))
            #expect(try payments.take(again, now: noon + 10) == .withinGrace(usesLeft: 2))
        }
        #expect(try payments.take(try reload("c"), now: noon + 29) == .withinGrace(usesLeft: 2))
        #expect(
            try payments.take(try reload("d"), now: noon + 29) == .taken(usesLeft: 1),
            "the sixth"
        )
        #expect(try payments.take(try reload("e", address: 2), now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(try reload("f", address: 2), now: noon + 30) == .spent)
    }

    @Test func `without a cookie, and with the grace switched off, a reload takes a use`() throws {
        #expect(try payments.open(try reload("a"), now: noon) == .taken(usesLeft: 2))
        #expect(try payments.take(try reload("b", seconds: 0), now: noon) == .taken(usesLeft: 1))
    }

    @Test func `where a file's grace and a reload's both apply the longer holds`() throws {
        #expect(try payments.open(try reload("a", grace: 600), now: noon) == .taken(usesLeft: 2))
        for number in 0..<8 {
            #expect(
                try payments.take(try claim("b\(number)"), now: noon) == .withinGrace(usesLeft: 2)
            )
        }
        let again = try reload("c", grace: 600)
        #expect(try payments.take(again, now: noon + 29) == .withinGrace(usesLeft: 2))
        #expect(try payments.take(try claim("d"), now: noon + 500) == .withinGrace(usesLeft: 2))
        #expect(
            try payments.take(try reload("e", grace: 600), now: noon + 30) == .taken(usesLeft: 1)
        )
    }

    @Test func `a whole file is loaded five times more by the cookie, whatever its own grace`()
        throws
    {
        #expect(try payments.open(try reload("a", grace: 600), now: noon) == .taken(usesLeft: 2))
        for number in 0..<5 {
            let again = try reload("b\(number)", grace: 600)
            #expect(try payments.take(again, now: noon + 1) == .withinGrace(usesLeft: 2))
        }
        #expect(
            try payments.take(try reload("c", grace: 600), now: noon + 1) == .taken(usesLeft: 1)
        )
    }

    @Test func `the newest addresses are remembered, and the file keeps its size`() throws {
        _ = try payments.open(try claim("0", address: 0, uses: 100), now: noon)
        let path = paymentPath(try claim("0", uses: 100))
        let size = try state.read(path).count
        for address: UInt8 in 1..<20 {
            let next = try claim("\(address)", address: address, uses: 100)
            #expect(try payments.take(next, now: noon) == .taken(usesLeft: 99 - UInt64(address)))
        }
        for address: UInt8 in 12..<20 {
            let next = try claim("r\(address)", address: address, uses: 100)
            #expect(try payments.take(next, now: noon) == .withinGrace(usesLeft: 80))
        }
        #expect(
            try payments.look(try claim("x", address: 11, uses: 100), now: noon)
                == .taken(usesLeft: 79)
        )
        #expect(try state.read(path).count == size)
        #expect(size < 4096)
    }

    /// One failed delivery of a request of its own.
    private func fail(_ id: Int, _ cause: ReturnCause = .failure, now: UInt64) throws -> TakeOutcome
    {
        let claim = try paymentClaim(uses: 3, request: "\(id)")
        let outcome = try payments.take(claim, now: now)
        if case .taken = outcome { #expect(try payments.giveBack(claim, cause, now: now)) }
        return outcome
    }
}

/// The text of a payment's file.
struct PaymentFileTests {
    let state: TemporaryState
    let payments: Payments

    init() throws {
        state = try TemporaryState()
        payments = Payments(try state.open())
    }

    private func older(_ uses: String, used: Int, recent: [String]) throws -> String {
        """
        l402-payment 1 used \(Digits.padded(UInt64(used), 10))
        payment_hash \(try paymentHash(7).hex)
        service dvm
        tier 0
        uses \(uses)
        valid_until \(noon + 3600) \(CalendarText.time(noon + 3600))
        price_msat 21000
        opened 2026-11-21T11:00:00Z
        state active \u{20}
        recent

        """ + recent.map { $0 + "\n" }.joined()
    }

    private let free = String(repeating: "-", count: 16)

    @Test func `a file of an older release is read, taken from and returned to as it stands`()
        throws
    {
        let claim = try paymentClaim(uses: 3, request: "a")
        let text = try older("3", used: 1, recent: ["0123456789abcdef", free, free])
        mkdir(state.path + "/payments/2026-11-21", 0o700)
        try state.write(paymentPath(claim), text)
        #expect(try payments.open(claim, now: noon) == .taken(usesLeft: 1))
        #expect(try payments.take(claim, now: noon) == .repeated(usesLeft: 1))
        let other = try paymentClaim(uses: 3, request: "b")
        #expect(try payments.take(other, now: noon) == .taken(usesLeft: 0))
        #expect(try payments.take(try paymentClaim(uses: 3, request: "c"), now: noon) == .spent)
        #expect(try payments.giveBack(claim, .failure, now: noon))
        #expect(try payments.giveBack(claim, .failure, now: noon) == false)
        #expect(
            try payments.take(try paymentClaim(uses: 3, request: "c"), now: noon)
                == .taken(usesLeft: 0)
        )
        #expect(try state.read(paymentPath(claim)).count == text.utf8.count)
        #expect(try payments.terms(of: claim.paymentHash) == claim.terms)
        #expect(throws: StateError.self) {
            try payments.take(try paymentClaim(uses: 3, validSeconds: 3600), now: noon)
        }
        #expect(throws: StateError.self) {
            try payments.take(try paymentClaim(uses: 3, site: "blog"), now: noon)
        }
    }

    @Test func `a pass of an older release goes on`() throws {
        let claim = try paymentClaim(uses: nil)
        mkdir(state.path + "/payments/2026-11-21", 0o700)
        try state.write(paymentPath(claim), try older("unlimited", used: 1, recent: []))
        for _ in 0..<3 { #expect(try payments.take(claim, now: noon) == .taken(usesLeft: nil)) }
        #expect(try payments.revoke(claim.paymentHash)?.isRevoked == true)
        #expect(try payments.take(claim, now: noon) == .revoked)
    }

    @Test func `everything that a purchase has fits in a page`() throws {
        let claim = try paymentClaim(
            uses: .max,
            validSeconds: 999_999_999,
            service: String(repeating: "s", count: 128),
            site: String(repeating: "t", count: 64),
            address: BoughtAddress("/" + String(repeating: "p", count: 127)),
            priceSats: 2_100_000_000_000_000
        )
        // Room is left for 16 more lines of as many bytes as the longest.
        let file = try #require(PaymentFile.opening(claim, now: noon))
        #expect(file.text.count + 16 * 42 < 4096)
    }

    @Test func `of a write cut off between sectors nothing is served uncounted`() throws {
        let claims = try (0..<3).map { try paymentClaim(uses: 64, request: "\($0)") }
        _ = try payments.open(claims[0], now: noon)
        let path = paymentPath(claims[0])
        let old = try state.read(path)
        _ = try payments.take(claims[1], now: noon)
        let new = try state.read(path)
        // The first sector as it was, the rest as it became.
        try state.write(path, Array(old[..<512] + new[512...]))
        #expect(try payments.look(claims[1], now: noon) == .taken(usesLeft: 62))
        #expect(try payments.take(claims[1], now: noon) == .taken(usesLeft: 62))
        // The other way round the use is counted.
        try state.write(path, Array(new[..<512] + old[512...]))
        #expect(try payments.record(claims[0].paymentHash)?.used == 2)
    }

    @Test func `names that the file could not tell apart are not put on record`() throws {
        for site in ["-", "", "a\nb"] {
            let claim = try paymentClaim(site: site)
            #expect(throws: StateError.self) { try payments.open(claim, now: noon) }
            #expect(!state.exists(paymentPath(claim)))
        }
    }
}
