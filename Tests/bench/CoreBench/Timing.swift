import Glibc

// What every part measures with.

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
