// What the state costs, as ratios in one run: sizes small and large are measured in turns, so that
// whatever else the machine does falls on both.
//
//     StateBench DIRECTORY [PAYMENTS [CLIENTS]]
//
// A size of 0 leaves that part out. DIRECTORY is made, filled and left. On a tmpfs it shows the gate's own time; on a disk, what the
// disk takes to be sure.
import FlatFiles
import Glibc
import Lightning
import Paywall

let words = CommandLine.arguments
guard words.count >= 2 else {
    print("usage: StateBench DIRECTORY [PAYMENTS [CLIENTS]]")
    exit(2)
}
let manyPayments = words.count > 2 ? UInt64(words[2]) ?? 1_000_000 : 1_000_000
let manyClients = words.count > 3 ? UInt64(words[3]) ?? 10_000_000 : 10_000_000
let noon: UInt64 = 1_795_262_400

func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// A number well mixed, so that neighbours have nothing in common (SplitMix64).
func mixed(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9e37_79b9_7f4a_7c15
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
}

func claim(_ number: UInt64, uses: UInt64?) -> PaymentClaim? {
    let parts = (0..<4).map { mixed(number &* 4 &+ $0) }
    let bytes = parts.flatMap { part in (0..<8).map { UInt8(truncatingIfNeeded: part >> ($0 * 8)) }
    }
    return PaymentHash(bytes: bytes).map {
        PaymentClaim(
            paymentHash: $0,
            service: "dvm",
            tier: 0,
            uses: uses,
            validUntil: noon + 3600,
            price: Millisatoshis(msat: 21_000),
            requestID: String(number, radix: 16)
        )
    }
}

func client(_ number: UInt64) -> FreeClaim {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
    return FreeClaim(
        rule: [1, 2, 3, 4, 5, 6, 7, 8],
        client: bytes,
        network: Array(bytes[..<4]),
        limit: 1_000,
        period: .day
    )
}

/// What one call costs, in nanoseconds.
struct Cost {
    /// By the clock: the median over rounds of their means.
    let elapsed: Double
    /// Of the program itself, without the kernel: the mean over all rounds.
    let own: Double
}

func ownNanoseconds() -> UInt64 {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return UInt64(usage.ru_utime.tv_sec) * 1_000_000_000 + UInt64(usage.ru_utime.tv_usec) * 1000
}

/// The cost of each work, less that of making the claim it is given; works take turns.
func measure<Claim>(
    rounds: Int,
    calls: UInt64,
    claim: @escaping (UInt64) -> Claim?,
    _ works: [(claims: UInt64, work: (Claim) throws -> Void)]
) throws -> [Cost] {
    let works: [(UInt64) throws -> Void] =
        [{ number in withExtendedLifetime(claim(mixed(number))) {} }]
        + works.map { claims, work in
            { number in if let claim = claim(mixed(number) % claims) { try work(claim) } }
        }
    var times = works.map { _ in [Double]() }
    var own = works.map { _ in UInt64(0) }
    for round in 0..<rounds {
        for (index, work) in works.enumerated() {
            let start = nanoseconds()
            let ownStart = ownNanoseconds()
            for call in 0..<calls { try work(UInt64(round) * calls + call) }
            own[index] += ownNanoseconds() - ownStart
            times[index].append(Double(nanoseconds() - start) / Double(calls))
        }
    }
    let costs = zip(times, own).map { times, own in
        Cost(
            elapsed: times.sorted()[times.count / 2],
            own: Double(own) / Double(calls) / Double(rounds)
        )
    }
    return costs.dropFirst().map {
        Cost(elapsed: $0.elapsed - costs[0].elapsed, own: $0.own - costs[0].own)
    }
}

func fixed(_ value: Double, _ places: Int = 2) -> String {
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    let text = String(Int((value * factor).rounded()))
    let digits = String(repeating: "0", count: max(0, places + 1 - text.count)) + text
    return digits.dropLast(places) + "." + digits.suffix(places)
}

func report(_ what: String, _ small: String, _ large: String, _ costs: [Cost]) {
    print(
        "\(what): \(fixed(costs[0].elapsed / 1000)) µs at \(small),"
            + " \(fixed(costs[1].elapsed / 1000)) µs at \(large),"
            + " ratio \(fixed(costs[1].elapsed / costs[0].elapsed));"
            + " outside the kernel \(fixed(costs[0].own / 1000)) and \(fixed(costs[1].own / 1000)) µs"
    )
}

func blocks(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : 0
}

func residentKilobytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
}

func benchFree() throws {
    let sizes = [UInt64(1000), manyClients]
    var tiers: [FreeTier] = []
    for size in sizes {
        let root = "\(words[1])/free-\(size)"
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

func benchPayments() throws {
    let sizes = [UInt64(1000), manyPayments]
    var ledgers: [Payments] = []
    for size in sizes {
        let ledger = Payments(try StateDirectory(opening: "\(words[1])/payments-\(size)"))
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

func benchUses() throws {
    let manyUses = min(1_000_000, manyPayments)
    let ledger = Payments(try StateDirectory(opening: "\(words[1])/uses"))
    guard let fresh = claim(1, uses: 1_000_000_000), let old = claim(2, uses: 1_000_000_000) else {
        return
    }
    _ = try ledger.open(old, now: noon)
    for _ in 1..<manyUses { _ = try ledger.take(old, now: noon) }
    _ = try ledger.open(fresh, now: noon)
    for _ in 1..<10 { _ = try ledger.take(fresh, now: noon) }
    report(
        "payments, one more use",
        "count 10",
        "\(manyUses)",
        try measure(
            rounds: 21,
            calls: 2000,
            claim: { _ in true },
            [fresh, old].map { claim in (.max, { _ in _ = try ledger.take(claim, now: noon) }) }
        )
    )
}

do {
    mkdir(words[1], 0o700)
    if manyClients > 0 { try benchFree() }
    if manyPayments > 0 {
        try benchPayments()
        try benchUses()
    }
} catch {
    print("\(error)")
    exit(1)
}
