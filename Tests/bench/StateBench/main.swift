// What the state costs, as ratios in one run: sizes small and large are measured in turns, so that
// whatever else the machine does falls on both.
//
//     StateBench DIRECTORY [PAYMENTS [CLIENTS]]
//
// DIRECTORY is made, filled and left. On a tmpfs it shows the gate's own time; on a disk, what the
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

/// The median over rounds of the mean time of each work, in nanoseconds; works take turns.
func measure(
    rounds: Int,
    calls: UInt64,
    _ works: [(UInt64) throws -> Void]
) throws -> [Double] {
    var times = works.map { _ in [Double]() }
    for round in 0..<rounds {
        for (index, work) in works.enumerated() {
            let start = nanoseconds()
            for call in 0..<calls { try work(UInt64(round) * calls + call) }
            times[index].append(Double(nanoseconds() - start) / Double(calls))
        }
    }
    return times.map { $0.sorted()[$0.count / 2] }
}

func fixed(_ value: Double, _ places: Int = 2) -> String {
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    let text = String(Int((value * factor).rounded()))
    let digits = String(repeating: "0", count: max(0, places + 1 - text.count)) + text
    return digits.dropLast(places) + "." + digits.suffix(places)
}

func report(_ what: String, _ small: String, _ large: String, _ times: [Double]) {
    print(
        "\(what): \(fixed(times[0] / 1000)) µs at \(small), \(fixed(times[1] / 1000)) µs at \(large),"
            + " ratio \(fixed(times[1] / times[0]))"
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
    let takes = zip(sizes, tiers).map { size, tier in
        { (call: UInt64) throws in
            _ = try tier.take(client(mixed(mixed(call) % size)), now: noon)
        }
    }
    report(
        "free tier, a decision",
        "\(sizes[0]) clients",
        "\(sizes[1])",
        try measure(rounds: 21, calls: 10_000, takes)
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
    let opens = zip(sizes, ledgers).map { size, ledger in
        { (call: UInt64) throws in
            if let claim = claim(1 << 40 + call, uses: 1) { _ = try ledger.open(claim, now: noon) }
        }
    }
    report(
        "payments, a first redemption",
        "\(sizes[0])",
        "\(sizes[1])",
        try measure(rounds: 11, calls: 200, opens)
    )
    let takes = zip(sizes, ledgers).map { size, ledger in
        { (call: UInt64) throws in
            if let claim = claim(mixed(call) % size, uses: 1_000_000_000) {
                _ = try ledger.take(claim, now: noon)
            }
        }
    }
    report(
        "payments, one more use",
        "\(sizes[0])",
        "\(sizes[1])",
        try measure(rounds: 21, calls: 2000, takes)
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
            ledgers.map { ledger in
                { (_: UInt64) throws in
                    _ = try ledger.take(unlimited, now: noon)
                }
            }
        )
    )
}

func benchUses() throws {
    let ledger = Payments(try StateDirectory(opening: "\(words[1])/uses"))
    guard let fresh = claim(1, uses: 1_000_000_000), let old = claim(2, uses: 1_000_000_000) else {
        return
    }
    _ = try ledger.open(old, now: noon)
    for _ in 1..<1_000_000 { _ = try ledger.take(old, now: noon) }
    _ = try ledger.open(fresh, now: noon)
    for _ in 1..<10 { _ = try ledger.take(fresh, now: noon) }
    report(
        "payments, one more use",
        "count 10",
        "1000000",
        try measure(
            rounds: 21,
            calls: 2000,
            [fresh, old].map { claim in
                { (_: UInt64) throws in _ = try ledger.take(claim, now: noon) }
            }
        )
    )
}

do {
    mkdir(words[1], 0o700)
    try benchFree()
    try benchPayments()
    try benchUses()
} catch {
    print("\(error)")
    exit(1)
}
