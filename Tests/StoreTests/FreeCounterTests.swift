import Store
import TestTools
import Testing
import Text

/// The free tier.
struct FreeCounterTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var free: any FreeCounter { tested.books.free }
    private var housekeeping: any Housekeeping { tested.backOffice.housekeeping }

    private static func reset(_ now: UInt64, _ period: FreePeriod) -> UInt64 {
        period.seconds - now % period.seconds
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
        for tier in [free, try tested.again().books.free] {
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

    @Test(arguments: [nil, noon, noon + 3 * 86_400 + 3601] as [UInt64?])
    func `a clock that is days ahead gives no allowance twice`(second: UInt64?) throws {
        #expect(try free.take(freeClaim(1), now: noon).isGranted)
        housekeeping.sweepWindows(now: noon + 3 * 86_400, secondClock: second)
        #expect(try free.take(freeClaim(1), now: noon).isGranted == false)
    }

    @Test func `a clock that steps back finds its counts`() throws {
        let claim = freeClaim(1, .minute)
        #expect(try free.take(claim, now: noon).isGranted)
        #expect(try free.take(claim, now: noon + 120).isGranted)
        housekeeping.sweepWindows(now: noon + 120, secondClock: noon + 120)
        #expect(try free.take(claim, now: noon).isGranted == false)
        #expect(try free.take(claim, now: noon + 120).isGranted == false)
    }
}
