import Glibc

/// A condition of a pthread mutex, whose waits are measured by a clock that only grows.
final class Condition {
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Waits until woken, at the longest so many milliseconds; without end for `nil`.
    func wait(
        _ mutex: UnsafeMutablePointer<pthread_mutex_t>,
        milliseconds: UInt64? = nil
    ) {
        guard let milliseconds else {
            pthread_cond_wait(condition, mutex)
            return
        }
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        // A day is as good as for ever here, and cannot overflow.
        let part = Int(min(milliseconds, 86_400_000))
        end.tv_sec += part / 1000
        end.tv_nsec += part % 1000 * 1_000_000
        if end.tv_nsec >= 1_000_000_000 {
            end.tv_sec += 1
            end.tv_nsec -= 1_000_000_000
        }
        pthread_cond_timedwait(condition, mutex, &end)
    }

    func wakeOne() { pthread_cond_signal(condition) }

    func wakeAll() { pthread_cond_broadcast(condition) }
}
