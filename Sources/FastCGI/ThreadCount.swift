import Glibc

/// How many threads work, how many of them are at something long, and how many are too many.
final class ThreadCount: @unchecked Sendable {
    /// Requests that may take long at once with a thread of their own; more share the workers.
    private static let maximumLong = 512

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let allEnded = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var running = 0
    private var long = 0
    private var surplus = 0

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(allEnded, nil)
    }

    deinit {
        pthread_cond_destroy(allEnded)
        pthread_mutex_destroy(mutex)
        allEnded.deallocate()
        mutex.deallocate()
    }

    func begin() { locked { running += 1 } }

    func end() {
        locked {
            running -= 1
            if running == 0 { pthread_cond_broadcast(allEnded) }
        }
    }

    func waitForAll() {
        locked { while running > 0 { pthread_cond_wait(allEnded, mutex) } }
    }

    /// Whether one more thread may step in for a worker that is busy for long.
    func beginLong() -> Bool {
        locked {
            guard long < Self.maximumLong else { return false }
            long += 1
            return true
        }
    }

    /// The worker is back: one thread more than needed.
    func endLong() {
        locked {
            long -= 1
            surplus += 1
        }
    }

    /// No thread stepped in, so none will be too many.
    func cancelLong() { locked { surplus -= 1 } }

    /// Whether the calling thread should end.
    func retireIfSurplus() -> Bool {
        locked {
            guard surplus > 0 else { return false }
            surplus -= 1
            return true
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
