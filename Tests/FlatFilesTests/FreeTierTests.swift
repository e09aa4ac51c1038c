import Store
import TestTools
import Testing
import Text

@testable import FlatFiles

struct FreeTierTests {
    let state: TemporaryState
    let free: FreeTier

    init() throws {
        state = try TemporaryState()
        free = FreeTier(try state.open())
    }

    @Test func `garbage among the recent requests grants nobody twice`() throws {
        _ = try free.take(freeClaim(1, request: "mine"), now: noon)
        let size = try state.read("free/recent").count
        #expect(size == 16 << 16)
        try state.write("free/recent", [UInt8](repeating: 0x5a, count: size))
        let fresh = FreeTier(try state.open())
        #expect(try fresh.take(freeClaim(1, request: "other"), now: noon).isGranted == false)
        #expect(try !fresh.giveBack(freeClaim(1, request: "mine"), .failure, takenAt: noon))
        for number in 0..<300 {
            _ = try fresh.take(freeClaim(2, limit: 500, request: "\(number)"), now: noon)
        }
        #expect(try state.read("free/recent").count == size)
    }

    @Test func `windows that are over go with their keys`() throws {
        for period in FreePeriod.allCases { _ = try free.take(freeClaim(1, period), now: noon) }
        #expect(
            windows() == [
                "2026-11-21.day", "2026-11-21T12.hour", "2026-11-21T1200.minute",
            ]
        )
        free.sweep(now: noon + 3 * 60, secondClock: noon + 3 * 60)
        #expect(windows() == ["2026-11-21.day", "2026-11-21T12.hour"])
        free.sweep(now: noon + 3 * 86_400, secondClock: noon + 3 * 86_400)
        #expect(windows() == [])
    }

    @Test func `a leap day and the changes of daylight saving are days like any other`() {
        #expect(FreeTier.window(.day, 1_709_164_800) == "2024-02-29.day")
        #expect(FreeTier.window(.day, 1_709_251_200) == "2024-03-01.day")
        // Last Sunday of October 2026, 00:00 to 03:00 UTC.
        let hours = (0..<4).map { FreeTier.window(.hour, 1_792_886_400 + $0 * 3600) }
        #expect(hours == (0..<4).map { "2026-10-25T0\($0).hour" })
    }

    @Test func `clients are not in the file, nor the same in the next one`() throws {
        let claim = FreeClaim(
            rule: [1],
            client: [203, 0, 113, 7],
            network: [203, 0],
            limit: 1,
            period: .day,
            requestID: ""
        )
        _ = try free.take(claim, now: noon)
        _ = try free.take(claim, now: noon + 86_400)
        let first = try state.read("free/2026-11-21.day")
        let second = try state.read("free/2026-11-22.day")
        #expect(first.firstRange(of: [203, 0, 113, 7]) == nil)
        #expect(first.firstRange(of: Array("cb007107".utf8)) == nil)
        #expect(first[4096..<4112] != second[4096..<4112])
    }

    @Test func `beyond the ceiling newcomers share, and nobody counted loses or resets his count`()
        throws
    {
        let free = FreeTier(try state.open(), maximumClients: 128)
        func claim(_ client: UInt64, _ network: UInt8) -> FreeClaim {
            freeClaim(client, limit: 2, network: [network, 0])
        }
        for client: UInt64 in 0..<141 {
            #expect(try free.take(claim(client, 1), now: noon).isGranted)
        }
        // An attacker with very many addresses in one network gets that network's share.
        var granted = 0
        for client: UInt64 in 1000..<3000 where try free.take(claim(client, 2), now: noon).isGranted
        {
            granted += 1
        }
        #expect(granted <= 2)
        #expect(try free.take(claim(5000, 3), now: noon).isGranted)
        #expect(try free.take(claim(0, 1), now: noon).left == 0)
        #expect(try free.take(claim(0, 1), now: noon).isGranted == false)
        #expect(try free.take(claim(140, 1), now: noon).isGranted)
    }

    @Test func `a damaged window denies until it is set aside`() throws {
        _ = try free.take(freeClaim(1), now: noon)
        try state.write("free/2026-11-21.day", "garbage")
        #expect(throws: StateError.self) { try free.take(freeClaim(1), now: noon) }
        #expect(try free.take(freeClaim(1), now: noon + 86_400).isGranted)
    }

    private func windows() -> [String] { state.names("free").filter { $0 != "recent" } }

    private static func reset(_ now: UInt64, _ period: FreePeriod) -> UInt64 {
        period.seconds - now % period.seconds
    }
}

struct PendingPlacesTests {
    let state: TemporaryState
    let pending: PendingPlaces

    init() throws {
        state = try TemporaryState()
        pending = PendingPlaces(try state.open())
    }

    func reserve(
        _ client: UInt8 = 1,
        limit: Int = 2,
        for seconds: UInt64 = 600,
        at now: UInt64 = noon
    )
        throws -> PendingPlace?
    {
        switch try pending.reserve(
            client: [client],
            limit: limit,
            expiresAt: now + seconds,
            now: now
        )
        {
        case .reserved(let place): place
        case .full: nil
        }
    }

    @Test func `places are used again and the file does not grow with time`() throws {
        #expect(try reserve() != nil)
        let size = try state.read("pending/2026-11-21").count
        for step: UInt64 in 1...2000 { #expect(try reserve(for: 10, at: noon + step * 20) != nil) }
        #expect(try state.read("pending/2026-11-21").count == size)
    }

    @Test func `a clock that is wrong drops no day`() throws {
        _ = try reserve()
        for second: UInt64? in [nil, noon] {
            pending.sweep(now: noon + 20 * 86_400, secondClock: second)
        }
        #expect(state.names("pending").count == 1)
    }

    @Test(arguments: [
        "", ":", "2026-11-21:", "2026-11-21:zz", "../format:00", "----------:0", "x:y:z",
    ])
    func `a place that does not exist is no error and changes nothing`(text: String) throws {
        _ = try reserve(limit: 1)
        try pending.release(PendingPlace(text: text))
        #expect(try reserve(limit: 1) == nil)
        #expect(state.names("pending") == ["2026-11-21"])
    }

    @Test func `days whose invoices have expired go`() throws {
        _ = try reserve()
        pending.sweep(now: noon + 86_400, secondClock: noon + 86_400)
        #expect(state.names("pending").count == 1)
        pending.sweep(now: noon + 20 * 86_400, secondClock: noon + 20 * 86_400)
        #expect(state.names("pending").isEmpty)
    }
}
