import Store
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

    @Test(arguments: FreePeriod.allCases)
    func `a client gets exactly his number in each window`(period: FreePeriod) throws {
        let claim = freeClaim(1, limit: 2, period)
        for window: UInt64 in 0..<3 {
            let now = noon + window * period.seconds
            #expect(
                try free.take(claim, now: now)
                    == FreeOutcome(isGranted: true, left: 1, resetSeconds: Self.reset(now, period))
            )
            #expect(try free.take(claim, now: now).left == 0)
            #expect(try free.take(claim, now: now).isGranted == false)
            #expect(try free.take(freeClaim(2, limit: 2, period), now: now).isGranted)
            #expect(try free.take(freeClaim(1, limit: 2, period, rule: [2]), now: now).isGranted)
        }
    }

    @Test func `what is given back can be taken again, once for each request`() throws {
        let mine = freeClaim(1, request: "mine")
        #expect(try !free.giveBack(mine, .nothingDelivered, takenAt: noon))
        #expect(try free.take(mine, now: noon).isGranted)
        #expect(try !free.giveBack(freeClaim(1, request: "other"), .failure, takenAt: noon))
        #expect(try !free.giveBack(mine, .failure, takenAt: noon - 86_400))
        #expect(try free.giveBack(mine, .nothingDelivered, takenAt: noon))
        #expect(try !free.giveBack(mine, .nothingDelivered, takenAt: noon))
        #expect(try free.take(freeClaim(1, request: "next"), now: noon).isGranted)
        #expect(try free.take(freeClaim(1, request: "third"), now: noon).isGranted == false)
        #expect(try !free.giveBack(mine, .nothingDelivered, takenAt: noon))
    }

    @Test func `the same request takes once however often it asks, in any process`() throws {
        let claim = freeClaim(1, limit: 2, request: "mine")
        for tier in [free, FreeTier(try state.open())] {
            for _ in 0..<3 {
                let outcome = try tier.take(claim, now: noon)
                #expect(outcome.isGranted && outcome.left == 1)
            }
        }
        // The same id of another client, rule or window is another request.
        #expect(try free.take(freeClaim(2, limit: 2, request: "mine"), now: noon).left == 1)
        #expect(
            try free.take(freeClaim(1, limit: 2, rule: [9], request: "mine"), now: noon).left == 1
        )
        #expect(try free.take(claim, now: noon + 86_400).left == 1)
        #expect(try free.take(freeClaim(1, limit: 2, request: "next"), now: noon).left == 0)
        #expect(try free.take(claim, now: noon).isGranted)
    }

    @Test func `after 20 returns for failed goods the window is used up, and others do not count`()
        throws
    {
        func turn(_ number: Int, _ cause: ReturnCause, _ client: UInt64 = 1) throws -> Bool {
            let claim = freeClaim(client, request: "\(number)")
            guard try free.take(claim, now: noon).isGranted else { return false }
            return try free.giveBack(claim, cause, takenAt: noon)
        }
        for number in 0..<50 { #expect(try turn(number, .nothingDelivered)) }
        for number in 100..<120 { #expect(try turn(number, .failure)) }
        let next = try free.take(freeClaim(1, request: "next"), now: noon)
        #expect(next.isGranted == false && next.left == 0)
        #expect(try turn(200, .failure, 2))
        #expect(try free.take(freeClaim(1, request: "later"), now: noon + 86_400).isGranted)
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

    @Test(arguments: [nil, noon, noon + 3 * 86_400 + 3601] as [UInt64?])
    func `a clock that is days ahead gives no allowance twice`(second: UInt64?) throws {
        #expect(try free.take(freeClaim(1), now: noon).isGranted)
        free.sweep(now: noon + 3 * 86_400, secondClock: second)
        #expect(try free.take(freeClaim(1), now: noon).isGranted == false)
    }

    @Test func `a clock that steps back finds its counts`() throws {
        let claim = freeClaim(1, .minute)
        #expect(try free.take(claim, now: noon).isGranted)
        #expect(try free.take(claim, now: noon + 120).isGranted)
        free.sweep(now: noon + 120, secondClock: noon + 120)
        #expect(try free.take(claim, now: noon).isGranted == false)
        #expect(try free.take(claim, now: noon + 120).isGranted == false)
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

    @Test func `a client holds so many places and no more`() throws {
        #expect(try reserve(for: 600) != nil)
        #expect(try reserve(for: 300) != nil)
        #expect(
            try pending.reserve(client: [1], limit: 2, expiresAt: noon + 900, now: noon)
                == .full(retryAfterSeconds: 300)
        )
        #expect(try reserve(2) != nil)
    }

    @Test func `a place is free again when its invoice is paid or expired`() throws {
        let first = try #require(try reserve(for: 600))
        #expect(try reserve(for: 600) != nil)
        try pending.release(first)
        #expect(try reserve(for: 100) != nil)
        #expect(try reserve() == nil)
        #expect(try reserve(at: noon + 99) == nil)
        #expect(try reserve(at: noon + 100) != nil)
        #expect(try reserve(at: noon + 100) == nil)
    }

    @Test func `two places are freed as one`() throws {
        let first = try #require(try reserve(1, limit: 1))
        let second = try #require(try reserve(2, limit: 1))
        try pending.release(PendingPlace(text: first.text + "." + second.text))
        #expect(try reserve(1, limit: 1) != nil)
        #expect(try reserve(2, limit: 1) != nil)
    }

    @Test func `a client with many places has them all`() throws {
        let places = try (0..<200).compactMap { _ in try reserve(limit: 200) }
        #expect(Set(places).count == 200)
        #expect(try reserve(limit: 200) == nil)
        #expect(try reserve(2, limit: 200) != nil)
    }

    @Test func `places of yesterday count while they live`() throws {
        let midnight = noon / 86_400 * 86_400 + 86_400
        let first = try #require(try reserve(at: midnight - 10))
        #expect(try reserve(at: midnight - 5) != nil)
        #expect(try reserve(at: midnight + 5) == nil)
        try pending.release(first)
        #expect(try reserve(at: midnight + 5) != nil)
        #expect(try reserve(at: midnight + 5) == nil)
    }

    @Test func `places are used again and the file does not grow with time`() throws {
        #expect(try reserve() != nil)
        let size = try state.read("pending/2026-11-21").count
        for step: UInt64 in 1...2000 { #expect(try reserve(for: 10, at: noon + step * 20) != nil) }
        #expect(try state.read("pending/2026-11-21").count == size)
    }

    @Test func `all places of a client who has paid are free again, and no one else's`() throws {
        let midnight = noon / 86_400 * 86_400 + 86_400
        for _ in 0..<9 { #expect(try reserve(limit: 20, at: midnight - 5) != nil) }
        for _ in 0..<11 { #expect(try reserve(limit: 20, at: midnight + 5) != nil) }
        #expect(try reserve(2, limit: 1, at: midnight + 5) != nil)
        #expect(try reserve(limit: 20, at: midnight + 5) == nil)
        try pending.releaseAll(client: [1], now: midnight + 6)
        for _ in 0..<20 { #expect(try reserve(limit: 20, at: midnight + 6) != nil) }
        #expect(try reserve(limit: 20, at: midnight + 6) == nil)
        #expect(try reserve(2, limit: 1, at: midnight + 6) == nil)
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

    @Test func `a limit of none lets nobody in`() throws {
        #expect(try reserve(limit: 0) == nil)
        #expect(try reserve(limit: -1) == nil)
    }

    @Test func `days whose invoices have expired go`() throws {
        _ = try reserve()
        pending.sweep(now: noon + 86_400, secondClock: noon + 86_400)
        #expect(state.names("pending").count == 1)
        pending.sweep(now: noon + 20 * 86_400, secondClock: noon + 20 * 86_400)
        #expect(state.names("pending").isEmpty)
    }

    @Test func `its text is short and plain`() throws {
        let place = try #require(try reserve())
        #expect(place.text.utf8.count <= 80)
        #expect(
            place.text.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-:.".contains($0))
            }
        )
    }
}
