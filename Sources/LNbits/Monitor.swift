import Glibc

/// A value that threads wait on: a mutex and a condition variable.
final class Monitor<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waiting must not end early or late when somebody sets the clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` alone; whoever waits looks again afterwards.
    func change<Result>(_ body: (inout Value) -> Result) -> Result {
        let result = changeUnseen(body)
        pthread_cond_broadcast(condition)
        return result
    }

    /// The same for what nobody waits for: waking all who wait costs more than most changes.
    func changeUnseen<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Waits until `body` gives something; `nil` when the deadline comes first.
    func wait<Result>(until deadline: MonotonicTime, _ body: (inout Value) -> Result?) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var limit = deadline.timespec
        while true {
            if let result = body(&value) { return result }
            if pthread_cond_timedwait(condition, mutex, &limit) == ETIMEDOUT { return body(&value) }
        }
    }
}

/// A moment of the clock that nobody sets.
struct MonotonicTime: Comparable {
    let milliseconds: UInt64

    static func now() -> MonotonicTime {
        var now = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return MonotonicTime(
            milliseconds: UInt64(max(0, now.tv_sec)) &* 1000 &+ UInt64(max(0, now.tv_nsec))
                / 1_000_000
        )
    }

    func adding(milliseconds more: UInt64) -> MonotonicTime {
        MonotonicTime(milliseconds: milliseconds &+ more)
    }

    /// 0 when it is past.
    func millisecondsFromNow() -> UInt64 {
        let now = Self.now().milliseconds
        return milliseconds > now ? milliseconds - now : 0
    }

    static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    fileprivate var timespec: Glibc.timespec {
        Glibc.timespec(
            tv_sec: Int(clamping: milliseconds / 1000),
            tv_nsec: Int(milliseconds % 1000) * 1_000_000
        )
    }
}
