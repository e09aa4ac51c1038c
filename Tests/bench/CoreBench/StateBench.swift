import FlatFiles
import Glibc
import L402
import Lightning
import Store
import Text

/// The state directory at two sizes.
struct StateBench {
    let directory: String
    let manyPayments: UInt64
    let manyClients: UInt64
    private let noon: UInt64 = 1_795_262_400

    func run() throws {
        if manyClients > 0 { try benchFree() }
        if manyPayments > 0 {
            try benchPayments()
            try benchUses()
        }
    }

    /// Another one each time, as web servers name requests.
    private func request() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16)
            + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    private func claim(_ number: UInt64, uses: UInt64?) -> PaymentClaim? {
        let parts = (0..<4).map { mixed(number &* 4 &+ $0) }
        let bytes = parts.flatMap { part in
            (0..<8).map { UInt8(truncatingIfNeeded: part >> ($0 * 8)) }
        }
        return PaymentHash(bytes: bytes).map {
            PaymentClaim(
                paymentHash: $0,
                terms: PurchaseTerms(
                    service: "dvm",
                    tier: 0,
                    validUntil: noon + 3600,
                    uses: uses,
                    priceSats: 21
                ),
                requestID: request()
            )
        }
    }

    private func client(_ number: UInt64) -> FreeClaim {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
        return FreeClaim(
            rule: [1, 2, 3, 4, 5, 6, 7, 8],
            client: bytes,
            network: Array(bytes[..<4]),
            limit: 1_000,
            period: .day,
            requestID: request()
        )
    }

    private func blocks(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    private func residentKilobytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }

    private func benchFree() throws {
        let sizes = [UInt64(1000), manyClients]
        var tiers: [FreeTier] = []
        for size in sizes {
            let root = "\(directory)/free-\(size)"
            let tier = FreeTier(try StateDirectory(opening: root))
            let before = residentKilobytes()
            var slowest: UInt64 = 0
            let start = nanoseconds()
            for number in 0..<size {
                let begin = nanoseconds()
                _ = try tier.take(client(mixed(number)), now: noon)
                slowest = max(slowest, nanoseconds() - begin)
            }
            let each = Double(nanoseconds() - start) / Double(size)
            let file = Double(blocks("\(root)/free/2026-11-21.day")) / Double(size)
            print(
                "free tier, \(size) clients: a newcomer \(fixed(each / 1000)) µs (slowest"
                    + " \(slowest / 1000) µs), \(fixed(file, 1)) bytes of disk each,"
                    + " \(residentKilobytes() - before) kB more memory"
            )
            tiers.append(tier)
        }
        report(
            "free tier, a decision",
            "\(sizes[0]) clients",
            "\(sizes[1])",
            try measure(
                rounds: 21,
                calls: 10_000,
                claim: { client(mixed($0)) },
                zip(sizes, tiers).map { size, tier in (size, { _ = try tier.take($0, now: noon) }) }
            )
        )
    }

    private func benchPayments() throws {
        let sizes = [UInt64(1000), manyPayments]
        var ledgers: [Payments] = []
        for size in sizes {
            let ledger = Payments(try StateDirectory(opening: "\(directory)/payments-\(size)"))
            let before = residentKilobytes()
            let start = nanoseconds()
            for number in 0..<size {
                if let claim = claim(number, uses: 1_000_000_000) {
                    _ = try ledger.open(claim, now: noon)
                }
            }
            let each = Double(nanoseconds() - start) / Double(size)
            print(
                "payments, \(size): a first redemption \(fixed(each / 1000)) µs on average,"
                    + " \(residentKilobytes() - before) kB more memory"
            )
            ledgers.append(ledger)
        }
        report(
            "payments, a first redemption",
            "\(sizes[0])",
            "\(sizes[1])",
            try measure(
                rounds: 21,
                calls: 200,
                claim: { claim($0 | 1 << 40, uses: 1) },
                ledgers.map { ledger in (.max, { _ = try ledger.open($0, now: noon) }) }
            )
        )
        report(
            "payments, one more use",
            "\(sizes[0])",
            "\(sizes[1])",
            try measure(
                rounds: 21,
                calls: 2000,
                claim: { claim($0, uses: 1_000_000_000) },
                zip(sizes, ledgers).map { size, ledger in
                    (size, { _ = try ledger.take($0, now: noon) })
                }
            )
        )

        guard let unlimited = claim(1 << 50, uses: nil) else { return }
        for ledger in ledgers { _ = try ledger.open(unlimited, now: noon) }
        report(
            "payments, an unlimited one",
            "\(sizes[0])",
            "\(sizes[1])",
            try measure(
                rounds: 21,
                calls: 5000,
                claim: { _ in unlimited },
                ledgers.map { ledger in (.max, { _ = try ledger.take($0, now: noon) }) }
            )
        )
    }

    private func benchUses() throws {
        let manyUses = min(1_000_000, manyPayments)
        let ledger = Payments(try StateDirectory(opening: "\(directory)/uses"))
        guard let fresh = claim(1, uses: 1_000_000_000), let old = claim(2, uses: 1_000_000_000)
        else {
            return
        }
        _ = try ledger.open(old, now: noon)
        for _ in 1..<manyUses {
            if let again = claim(2, uses: 1_000_000_000) { _ = try ledger.take(again, now: noon) }
        }
        _ = try ledger.open(fresh, now: noon)
        for _ in 1..<10 {
            if let again = claim(1, uses: 1_000_000_000) { _ = try ledger.take(again, now: noon) }
        }
        report(
            "payments, one more use",
            "count 10",
            "\(manyUses)",
            try measure(
                rounds: 21,
                calls: 2000,
                claim: { claim($0 % 2 + 1, uses: 1_000_000_000) },
                [fresh, old].map { known in
                    (
                        .max,
                        { request in
                            _ = try ledger.take(
                                PaymentClaim(
                                    paymentHash: known.paymentHash,
                                    terms: known.terms,
                                    requestID: request.requestID
                                ),
                                now: noon
                            )
                        }
                    )
                }
            )
        )
    }
}
