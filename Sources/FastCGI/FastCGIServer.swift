import CFastCGI
import Glibc
import POSIX
import Synchronization

/// Takes requests from a socket with a few worker threads, and more while some of them wait.
///
/// libfcgi ties a worker to a kept-alive connection for as long as the web server keeps it, so
/// that more kept connections than workers hang. Here the workers wait together on one epoll that
/// holds the listening socket and every idle kept connection; whoever gets an event handles one
/// request and puts the connection back. An idle connection costs a descriptor and no worker, and
/// for a request that waits for something (``willWait()``) another worker steps in.
///
/// A web server must not send a second request on a connection before the answer to the first is
/// complete (nginx, lighttpd and Apache never do): libfcgi drops what it read ahead.
package final class FastCGIServer: Sendable {
    /// Handles one request; returning ends it.
    package typealias Handler = @Sendable (any Exchange) -> Void

    /// Seconds without a byte from or to the web server after which a connection is given up.
    private static let ioTimeoutSeconds = 30

    /// Told to stop, it ends when for so long nothing has come on kept connections.
    private static let quietMilliseconds: UInt64 = 200

    /// After requests were cut, so long may their workers take to return what they took.
    private static let cutMilliseconds: UInt64 = 3000

    /// What the epoll says; everything else is the address of a connection.
    private enum Event {
        static let stop: UInt64 = 1
        static let firstListener: UInt64 = 2
    }

    /// How serving ended.
    package struct Ending: Sendable, Equatable {
        /// Requests that were cut because they had not ended in time.
        package let cut: Int
        /// Threads that are still at a request: the process must not be torn down under them.
        package let left: Int
    }

    private let listener: Listener
    private let handler: Handler
    private let refused: @Sendable (_ user: Int64) -> Void
    private let epoll: Epoll
    private let stopEvent: WakeEvent
    private let isStopping = Atomic<Bool>(false)
    private static let hasCut = Atomic<Bool>(false)
    /// Whether connections are accepted. Held while one is, so that no descriptor is closed then.
    private let isListening = Mutex(true)
    private let pool: WorkerPool

    /// A server that does nothing yet.
    ///
    /// - Parameter refused: Told of each connection through a unix socket that is not taken, with
    ///   the number of the user it came from, or -1.
    /// - Throws: ``SystemError`` when the system has no more descriptors.
    package init(
        listener: Listener,
        workers: Int,
        refused: @escaping @Sendable (_ user: Int64) -> Void = { _ in },
        handler: @escaping Handler
    ) throws(SystemError) {
        guard FCGX_Init() == 0 else { throw SystemError("libfcgi cannot be initialised") }
        self.listener = listener
        pool = WorkerPool(size: workers)
        self.handler = handler
        self.refused = refused
        guard let epoll = Epoll(), let stopEvent = WakeEvent() else {
            throw SystemError("no epoll: \(SystemReason.last.words)")
        }
        self.epoll = epoll
        self.stopEvent = stopEvent
        epoll.add(stopEvent.descriptor, once: false, data: Event.stop)
        for (descriptor, event) in zip(listener.descriptors, Event.firstListener...) {
            epoll.add(descriptor, once: true, data: event)
        }
    }

    /// Serves until ``stop(afterSeconds:)``; what is running then is finished first.
    ///
    /// - Throws: ``SystemError`` when not one thread can be started.
    package func run() throws(SystemError) -> Ending {
        let started = (0..<pool.size).count { _ in startWorker() }
        guard started > 0 else { throw SystemError("no thread can be started") }
        ProcessMemory.forgetCode()
        // Without it, who says that he waits is still stood in for.
        WorkerThread.detach { [self] in pool.watch { _ = startWorker() } }
        if pool.waitForAll() == 0 { return Ending(cut: 0, left: 0) }
        Self.hasCut.store(true, ordering: .relaxed)
        let cut = pool.cutConnections()
        pool.setDeadline(inMilliseconds: Self.cutMilliseconds)
        return Ending(cut: cut, left: pool.waitForAll())
    }

    /// Whether requests have been cut because the process ends: whose answer breaks off then has not
    /// lost his client, but us.
    package static var isCutting: Bool { hasCut.load(ordering: .relaxed) }

    /// Ends ``run()``; may be called from any thread.
    ///
    /// New connections are refused at once, and a unix socket's path is free for another process.
    /// What runs has `seconds` to end; then its connections are shut, as if the web server had hung
    /// up.
    package func stop(afterSeconds seconds: UInt64) {
        guard !isStopping.exchange(true, ordering: .sequentiallyConsistent) else { return }
        pool.setDeadline(inMilliseconds: seconds &* 1000)
        // Without a path nobody connects any more; who has connected already is answered.
        listener.releasePath()
        for descriptor in listener.descriptors {
            for _ in 0..<Listener.backlog where !takeConnection(from: descriptor) { break }
        }
        isListening.withLock { isListening in
            isListening = false
            for descriptor in listener.descriptors { epoll.remove(descriptor) }
            listener.letGo()
        }
        stopEvent.tell()
    }

    private func startWorker() -> Bool {
        let worker = pool.begin()
        let isStarted = WorkerThread.detach { [self] in work(worker) }
        if !isStarted { pool.end(worker) }
        return isStarted
    }

    /// Says that the calling thread is about to wait for something, so that another one takes
    /// requests until it is done with its own. Of no effect in a thread that is no worker's.
    package static func willWait() {
        guard let desk = WorkerThread.own as? Desk else { return }
        if desk.server.pool.beginWaiting(desk.worker) { _ = desk.server.startWorker() }
    }

    /// Where a thread works; each thread knows its own.
    private final class Desk {
        let server: FastCGIServer
        let worker: WorkerPool.Worker

        init(_ server: FastCGIServer, _ worker: WorkerPool.Worker) {
            self.server = server
            self.worker = worker
        }
    }

    /// One worker: an event, a request, again. Told to stop, it still takes what comes on kept
    /// connections, the last request of each: a web server sends it before it can know, and would
    /// have to refuse a POST that nobody answers. One worker stays for them while others are at
    /// their requests.
    private func work(_ worker: WorkerPool.Worker) {
        let desk = Desk(self, worker)
        WorkerThread.own = desk
        defer { WorkerThread.own = nil }
        let afterListeners = Event.firstListener + UInt64(listener.descriptors.count)
        var quietSince: UInt64?
        while pool.stayIfNeeded(worker) {
            guard let data = epoll.next() else {
                if errno == EINTR { continue }
                return pool.end(worker)
            }
            switch data {
            case Event.stop:
                let now = Clock.coarseMilliseconds()
                let start = quietSince ?? now
                quietSince = start
                let isQuiet = now &- start >= Self.quietMilliseconds
                if isQuiet, pool.endUnlessNeeded(worker) { return }
                Pause.milliseconds(isQuiet ? 5 : 1)
            case Event.firstListener..<afterListeners:
                let descriptor = listener.descriptors[Int(data - Event.firstListener)]
                _ = takeConnection(from: descriptor)
                isListening.withLock { isListening in
                    if isListening { epoll.rearm(descriptor, data: data) }
                }
            case let address:
                guard let connection = Connection(address: address) else { continue }
                serve(connection, worker)
                quietSince = nil
            }
        }
    }

    /// Accepts one connection and waits for its first request; false when there is none to be had.
    private func takeConnection(from listening: Int32) -> Bool {
        let (descriptor, cause) = isListening.withLock { isListening in
            (isListening ? Sockets.accept(listening) : -1, isListening ? errno : EAGAIN)
        }
        guard descriptor >= 0 else {
            // Without descriptors the connection stays in the kernel's queue; asking again at once
            // would only burn the processor.
            if cause == EMFILE || cause == ENFILE { Pause.milliseconds(20) }
            return cause == EINTR || cause == ECONNABORTED
        }
        let user = Sockets.peerUser(descriptor)
        guard listener.welcomes(user: user) else {
            close(descriptor)
            refused(user)
            return true
        }
        Sockets.setTimeout(descriptor, seconds: Self.ioTimeoutSeconds)
        keep(Connection(descriptor), isNew: true)
        return true
    }

    /// Handles one request of a connection, then keeps or frees it.
    private func serve(_ connection: Connection, _ worker: WorkerPool.Worker) {
        pool.beginRequest(worker, on: connection.descriptor)
        defer { pool.endRequest(worker) }
        guard connection.readRequest() else { return connection.free() }
        unsafe handler(FastCGIExchange(connection.request))
        if isStopping.load(ordering: .relaxed) {
            _ = unsafe cfastcgi_end_last(connection.request)
            connection.free()
        } else if connection.finishRequest() {
            keep(connection, isNew: false)
        } else {
            connection.free()
        }
    }

    /// Whoever is free takes its next request, or its first one: many who connect and send nothing
    /// hold no worker.
    private func keep(_ connection: Connection, isNew: Bool) {
        let isKept =
            isNew
            ? epoll.add(connection.descriptor, once: true, data: connection.address)
            : epoll.rearm(connection.descriptor, data: connection.address)
        if !isKept { connection.free() }
    }
}
