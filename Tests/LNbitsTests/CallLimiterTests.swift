import Glibc
import POSIX
import Synchronization
import Testing
import Wallets

@testable import LNbits

@Suite struct CallLimiterTests {
    private var soon: MonotonicTime { .now().adding(milliseconds: 20) }

    @Test func `places are kept for those who come to redeem`() throws {
        let limiter = CallLimiter()
        for _ in 0..<6 { try limiter.enter(.create, deadline: soon) }
        #expect(throws: WalletError.self) { try limiter.enter(.create, deadline: soon) }
        for _ in 0..<2 { try limiter.enter(.check, deadline: soon) }
        #expect(throws: WalletError.self) { try limiter.enter(.check, deadline: soon) }
        limiter.leave(.create, answered: true)
        try limiter.enter(.create, deadline: soon)
    }

    @Test
    func `after four failures nobody is let in, then one probe at a time, and success ends it`()
        throws
    {
        let limiter = CallLimiter()
        for _ in 0..<4 {
            #expect(!limiter.isOpen)
            try limiter.enter(.create, deadline: soon)
            limiter.leave(.create, answered: false)
        }
        #expect(limiter.isOpen)
        let refusal = try #require(throws: WalletError.self) {
            try limiter.enter(.check, deadline: soon)
        }
        #expect(refusal.kind == .busy && refusal.retryAfterSeconds >= 1)
        let end = MonotonicTime.now().adding(milliseconds: 3000)
        while (try? limiter.enter(.create, deadline: soon)) == nil, MonotonicTime.now() < end {
            usleep(10_000)
        }
        #expect(throws: WalletError.self) { try limiter.enter(.check, deadline: soon) }
        limiter.leave(.create, answered: true)
        #expect(!limiter.isOpen)
        try limiter.enter(.check, deadline: soon)
    }

    @Test func `a probe that is stuck does not keep the next one away for long`() throws {
        let limiter = CallLimiter()
        for _ in 0..<4 {
            try limiter.enter(.create, deadline: soon)
            limiter.leave(.create, answered: false)
        }
        let start = MonotonicTime.now()
        func probe() {
            while (try? limiter.enter(.create, deadline: soon)) == nil,
                MonotonicTime.now() < start.adding(milliseconds: 20_000)
            { usleep(10_000) }
        }
        probe()  // never comes back
        probe()
        #expect(MonotonicTime.now() < start.adding(milliseconds: 5000))
        limiter.leave(.create, answered: true)
        #expect(!limiter.isOpen)
    }

    @Test func `who waits is told at once when the breaker opens`() throws {
        let limiter = CallLimiter()
        for _ in 0..<6 { try limiter.enter(.create, deadline: soon) }
        let waiting = Thread {
            let late = MonotonicTime.now().adding(milliseconds: 20_000)
            return (try? limiter.enter(.create, deadline: late)) == nil
        }
        while limiter.waiting == 0 { usleep(1000) }
        let start = MonotonicTime.now()
        for _ in 0..<4 { limiter.leave(.create, answered: false) }
        // One of the four may have let it in before the fourth.
        _ = waiting.result()
        #expect(MonotonicTime.now() < start.adding(milliseconds: 5000))
    }

    @Test func `who only wants to know takes one place, and none that anybody else could need`()
        throws
    {
        let limiter = CallLimiter()
        try limiter.enter(.status, deadline: soon)
        let start = MonotonicTime.now()
        let late = start.adding(milliseconds: 20_000)
        #expect(throws: WalletError.self) { try limiter.enter(.status, deadline: late) }
        limiter.leave(.status, answered: true)
        for _ in 0..<6 { try limiter.enter(.create, deadline: soon) }
        try limiter.enter(.status, deadline: late)
        try limiter.enter(.check, deadline: soon)
        limiter.leave(.status, answered: true)
        #expect(throws: WalletError.self) { try limiter.enter(.status, deadline: late) }
        try limiter.enter(.check, deadline: soon)
        #expect(MonotonicTime.now() < start.adding(milliseconds: 5000), "it is refused at once")
    }

    @Test func `who only wants to know stands behind everybody who waits, and never probes`() throws
    {
        let limiter = CallLimiter()
        for _ in 0..<6 { try limiter.enter(.create, deadline: soon) }
        let waiting = Thread {
            let late = MonotonicTime.now().adding(milliseconds: 20_000)
            return (try? limiter.enter(.create, deadline: late)) != nil
        }
        while limiter.waiting == 0 { usleep(1000) }
        let late = MonotonicTime.now().adding(milliseconds: 20_000)
        #expect(throws: WalletError.self) { try limiter.enter(.status, deadline: late) }
        limiter.leave(.create, answered: true)
        #expect(waiting.result())
        for _ in 0..<4 { limiter.leave(.create, answered: false) }
        usleep(1_100_000)  // the pause is over: the next one probes
        #expect(throws: WalletError.self) { try limiter.enter(.status, deadline: late) }
        try limiter.enter(.check, deadline: soon)
    }

    @Test func `equal questions under way are asked once`() {
        let coalescer = Coalescer<Int, Int>()
        let asked = Mutex(0)
        let late = MonotonicTime.now().adding(milliseconds: 20_000)
        let threads = (0..<8).map { _ in
            Thread {
                coalescer.value(for: 7, deadline: late) {
                    usleep(200_000)
                    return asked.withLock { asked in
                        asked += 1
                        return 42
                    }
                } == 42
            }
        }
        #expect(threads.allSatisfy { $0.result() })
        #expect(asked.withLock { $0 } < 8)
    }
}

/// A thread with a result.
private final class Thread: @unchecked Sendable {
    private let done = Monitor<Bool?>(nil)

    init(_ run: @escaping @Sendable () -> Bool) {
        let box = Unmanaged.passRetained(Box { [done] in done.change { $0 = run() } })
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { raw in
                if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            },
            box.toOpaque()
        )
        pthread_detach(thread)
    }

    func result() -> Bool {
        done.wait(until: .now().adding(milliseconds: 30_000)) { $0 } ?? false
    }

    private final class Box {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
