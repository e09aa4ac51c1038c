import Glibc

/// A mutex that conditions can be waited for with.
@safe package final class ThreadLock: @unchecked Sendable {
    fileprivate let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    package init() { unsafe pthread_mutex_init(mutex, nil) }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` while no other thread does with this lock.
    package func withLock<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }
}

/// What threads that hold a lock wait for; measured by a clock that only grows, so that waiting does
/// not end early or late when somebody sets the clock.
@safe package final class Condition: @unchecked Sendable {
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe condition.deallocate()
    }

    /// Gives the lock up, waits until woken or until the moment has come, and takes the lock again;
    /// without end for `nil`. False when the moment came first.
    @discardableResult
    package func wait(_ lock: ThreadLock, until end: MonotonicTime? = nil) -> Bool {
        guard let end else {
            unsafe pthread_cond_wait(condition, lock.mutex)
            return true
        }
        var limit = timespec(
            tv_sec: Int(clamping: end.milliseconds / 1000),
            tv_nsec: Int(end.milliseconds % 1000) * 1_000_000
        )
        return unsafe pthread_cond_timedwait(condition, lock.mutex, &limit) != ETIMEDOUT
    }

    package func wakeOne() { unsafe pthread_cond_signal(condition) }

    package func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}
