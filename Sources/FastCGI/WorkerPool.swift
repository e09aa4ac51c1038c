import Glibc
import POSIX
import Synchronization

/// How many threads take requests, and who steps in for one that has to wait for something.
///
/// As few threads as there are processors take requests: each more would only be woken for what
/// another one is about to take. When too few of them are left because the others wait (for a
/// wallet, a disk, a backend, a web server that sends half a request) one that is parked, or a new
/// one, steps in. Who is going to wait says so; a watchdog finds those who did not know.
final class WorkerPool: @unchecked Sendable {
    /// One thread, and whether it is at a request.
    final class Worker: Sendable {
        /// Milliseconds of the clock when its request began; 0 between requests.
        fileprivate let since = Atomic<UInt64>(0)
        /// Changed under the pool's mutex only.
        fileprivate let isWaiting = Atomic<Bool>(false)
        /// The connection of its request; -1 between requests.
        fileprivate let connection = Atomic<Int32>(-1)

        init() {}

        fileprivate var isAtRequest: Bool { since.load(ordering: .sequentiallyConsistent) != 0 }
    }

    /// Requests that may wait at once with somebody stepping in; more share the others.
    private static let maximumWaiting = 512
    /// Threads that are kept for the next time.
    private static let maximumParked = 64
    /// A request that takes longer than this waits for something.
    private static let patienceMilliseconds: UInt64 = 5
    /// The watchdog sleeps when for so many looks there was no request.
    private static let quietLooks = 20

    /// Threads that take requests when nobody waits.
    let size: Int
    /// When fewer than this are left, one steps in.
    private let fewest: Int
    private let lock = ThreadLock()
    private let call = Condition()
    private let ended = Condition()
    private let watch = Condition()
    /// Threads that take requests; changed under the mutex only.
    private let active = Atomic<Int>(0)
    private let isWatching = Atomic<Bool>(false)
    private var workers: [Worker] = []
    private var waiting = 0
    private var parked = 0
    /// Parked threads that have been called and have not left yet.
    private var called = 0
    private var isClosed = false
    /// When ``waitForAll()`` gives up.
    private var deadline: MonotonicTime?

    init(size: Int) {
        self.size = max(1, size)
        fewest = (self.size + 1) / 2
    }

    // MARK: - Threads

    /// A new thread is going to take requests.
    func begin() -> Worker {
        let worker = Worker()
        lock.withLock {
            workers.append(worker)
            change(by: 1)
        }
        return worker
    }

    /// It has ended.
    func end(_ worker: Worker) {
        lock.withLock {
            finishWaiting(worker)
            leave(worker)
        }
    }

    /// Told to stop and with nothing to do, a thread ends and is no longer counted; false when it
    /// has to stay, as the only one that is free while others are at their requests.
    func endUnlessNeeded(_ worker: Worker) -> Bool {
        lock.withLock {
            let others = workers.filter { $0 !== worker && $0.isAtRequest }
            let holding = others.count { !$0.isWaiting.load(ordering: .relaxed) }
            let isOnlyFree = active.load(ordering: .relaxed) - holding <= 1
            guard others.isEmpty || !isOnlyFree else { return false }
            finishWaiting(worker)
            leave(worker)
            return true
        }
    }

    /// Waits until all threads that take requests have ended, and lets those go that are parked.
    /// How many have not, at the deadline if one is set.
    func waitForAll() -> Int {
        lock.withLock {
            while active.load(ordering: .relaxed) + waiting > 0 {
                if let deadline, deadline.millisecondsFromNow() == 0 { break }
                ended.wait(lock, until: deadline)
            }
            let left = active.load(ordering: .relaxed) + waiting
            guard left == 0 else { return left }
            isClosed = true
            call.wakeAll()
            watch.wakeAll()
            while parked > 0 { ended.wait(lock) }
            return 0
        }
    }

    /// Bounds ``waitForAll()``, also while it waits.
    func setDeadline(inMilliseconds count: UInt64) {
        lock.withLock {
            deadline = .now().adding(milliseconds: count)
            ended.wakeAll()
        }
    }

    /// Shuts the connections of all requests, which reads, writes and looks at them then tell. How
    /// many there were.
    func cutConnections() -> Int {
        lock.withLock {
            let connections = workers.map { $0.connection.load(ordering: .relaxed) }
                .filter { $0 >= 0 }
            for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
            return connections.count
        }
    }

    /// Parks the calling thread while there are enough without it. False when it should end, and is
    /// no longer counted.
    func stayIfNeeded(_ worker: Worker) -> Bool {
        guard active.load(ordering: .relaxed) > size else { return true }
        return lock.withLock {
            finishWaiting(worker)
            guard active.load(ordering: .relaxed) > size else { return true }
            guard parked < Self.maximumParked, !isClosed else {
                leave(worker)
                return false
            }
            change(by: -1)
            parked += 1
            while called == 0, !isClosed { call.wait(lock) }
            parked -= 1
            guard called > 0 else {
                workers.removeAll { $0 === worker }
                ended.wakeAll()
                return false
            }
            called -= 1
            return true
        }
    }

    private func leave(_ worker: Worker) {
        workers.removeAll { $0 === worker }
        change(by: -1)
        ended.wakeAll()
    }

    // MARK: - Requests

    /// The worker has taken a request.
    func beginRequest(_ worker: Worker, on connection: Int32) {
        worker.connection.store(connection, ordering: .relaxed)
        worker.since.store(max(1, Clock.coarseMilliseconds()), ordering: .sequentiallyConsistent)
        guard !isWatching.load(ordering: .sequentiallyConsistent) else { return }
        lock.withLock {
            isWatching.store(true, ordering: .sequentiallyConsistent)
            watch.wakeOne()
        }
    }

    /// It is done with it.
    func endRequest(_ worker: Worker) {
        worker.since.store(0, ordering: .relaxed)
        worker.connection.store(-1, ordering: .relaxed)
        if worker.isWaiting.load(ordering: .relaxed) { lock.withLock { finishWaiting(worker) } }
    }

    /// The worker is going to wait. Whether a new thread is to be started in its place.
    func beginWaiting(_ worker: Worker) -> Bool { lock.withLock { countWaiting(worker) } }

    private func countWaiting(_ worker: Worker) -> Bool {
        guard waiting < Self.maximumWaiting, !worker.isWaiting.load(ordering: .relaxed) else {
            return false
        }
        worker.isWaiting.store(true, ordering: .relaxed)
        waiting += 1
        change(by: -1)
        guard active.load(ordering: .relaxed) < fewest else { return false }
        guard parked > called else { return true }
        called += 1
        change(by: 1)
        call.wakeOne()
        return false
    }

    private func finishWaiting(_ worker: Worker) {
        guard worker.isWaiting.load(ordering: .relaxed) else { return }
        worker.isWaiting.store(false, ordering: .relaxed)
        waiting -= 1
        change(by: 1)
    }

    private func change(by number: Int) {
        active.store(active.load(ordering: .relaxed) + number, ordering: .relaxed)
    }

    // MARK: - The watchdog

    /// Counts as waiting who has been at a request for too long, until the pool is closed.
    ///
    /// - Parameter startWorker: Starts a thread in the place of one.
    func watch(startWorker: () -> Void) {
        var quiet = 0
        while true {
            Pause.milliseconds(Self.patienceMilliseconds)
            let now = Clock.coarseMilliseconds()
            let missing = lock.withLock { () -> Int? in
                if isClosed { return nil }
                var missing = 0
                quiet += 1
                for worker in workers {
                    let since = worker.since.load(ordering: .sequentiallyConsistent)
                    guard since != 0 else { continue }
                    if !worker.isWaiting.load(ordering: .relaxed) { quiet = 0 }
                    guard now > since + Self.patienceMilliseconds else { continue }
                    if countWaiting(worker) { missing += 1 }
                }
                if missing == 0, quiet > Self.quietLooks { sleepUntilRequest() }
                return isClosed ? nil : missing
            }
            guard let missing else { return }
            for _ in 0..<missing { startWorker() }
        }
    }

    /// Nothing to watch: the next request wakes the watchdog.
    private func sleepUntilRequest() {
        isWatching.store(false, ordering: .sequentiallyConsistent)
        let isBusy = workers.contains {
            $0.isAtRequest && !$0.isWaiting.load(ordering: .relaxed)
        }
        if isBusy { isWatching.store(true, ordering: .sequentiallyConsistent) }
        while !isWatching.load(ordering: .sequentiallyConsistent), !isClosed { watch.wait(lock) }
    }
}
