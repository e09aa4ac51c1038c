import CFastCGI
import Glibc
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
public final class FastCGIServer: Sendable {
    /// Handles one request; returning ends it.
    public typealias Handler = @Sendable (any Exchange) -> Void

    /// Seconds without a byte from or to the web server after which a connection is given up.
    private static let ioTimeoutSeconds = 30

    /// Told to stop, it ends when for so long nothing has come on kept connections.
    private static let quietMilliseconds: UInt64 = 200

    private enum Event {
        static let listener: UInt64 = 0
        static let stop: UInt64 = 1
    }

    private let listener: Listener
    private let handler: Handler
    private let refused: @Sendable (_ user: Int64) -> Void
    private let epoll: Int32
    private let stopEvent: Int32
    private let isStopping = Atomic<Bool>(false)
    private let pool: WorkerPool

    /// A server that does nothing yet.
    ///
    /// - Parameter refused: Told of each connection through a unix socket that is not taken, with
    ///   the number of the user it came from, or -1.
    /// - Throws: ``FastCGIError`` when the system has no more descriptors.
    public init(
        listener: Listener,
        workers: Int,
        refused: @escaping @Sendable (_ user: Int64) -> Void = { _ in },
        handler: @escaping Handler
    ) throws(FastCGIError) {
        guard FCGX_Init() == 0 else { throw FastCGIError("libfcgi cannot be initialised") }
        self.listener = listener
        pool = WorkerPool(size: workers)
        self.handler = handler
        self.refused = refused
        epoll = cfastcgi_epoll()
        stopEvent = cfastcgi_event()
        guard epoll >= 0, stopEvent >= 0 else {
            throw FastCGIError("no epoll: \(String(cString: strerror(errno)))")
        }
        // The stop event is never read: once written it wakes every worker.
        _ = cfastcgi_watch(epoll, stopEvent, 1, 0, Event.stop)
        _ = cfastcgi_watch(epoll, listener.descriptor, 1, 1, Event.listener)
    }

    /// Serves until ``stop()``; what is running then is finished first.
    ///
    /// - Throws: ``FastCGIError`` when not one thread can be started.
    public func run() throws(FastCGIError) {
        let started = (0..<pool.size).count { _ in startWorker() }
        guard started > 0 else { throw FastCGIError("no thread can be started") }
        cfastcgi_forget_code()
        // Without it, who says that he waits is still stood in for.
        WorkerThread.detach { [self] in pool.watch { _ = startWorker() } }
        pool.waitForAll()
        close(listener.descriptor)
        if let path = listener.path { unlink(path) }
    }

    /// Ends ``run()``; may be called from any thread.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
        var one: UInt64 = 1
        _ = write(stopEvent, &one, 8)
    }

    private func startWorker() -> Bool {
        let worker = pool.begin()
        let isStarted = WorkerThread.detach { [self] in work(worker) }
        if !isStarted { pool.end(worker) }
        return isStarted
    }

    /// Says that the calling thread is about to wait for something, so that another one takes
    /// requests until it is done with its own. Of no effect in a thread that is no worker's.
    public static func willWait() {
        guard let current = cfastcgi_worker() else { return }
        let desk = Unmanaged<Desk>.fromOpaque(current).takeUnretainedValue()
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
    /// have to refuse a POST that nobody answers. New connections wait for the next process.
    private func work(_ worker: WorkerPool.Worker) {
        let desk = Desk(self, worker)
        cfastcgi_set_worker(Unmanaged.passUnretained(desk).toOpaque())
        defer { cfastcgi_set_worker(nil) }
        var quietSince: UInt64?
        while pool.stayIfNeeded(worker) {
            var data = Event.stop
            let count = cfastcgi_wait(epoll, &data)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return pool.end(worker) }
            switch data {
            case Event.stop:
                let now = WorkerPool.milliseconds()
                let start = quietSince ?? now
                quietSince = start
                if now &- start >= Self.quietMilliseconds { return pool.end(worker) }
                usleep(1000)
            case Event.listener:
                if isStopping.load(ordering: .relaxed) { continue }
                let descriptor = accept()
                _ = cfastcgi_watch(epoll, listener.descriptor, 0, 1, Event.listener)
                if let descriptor { keep(Connection(descriptor), isNew: true) }
            case let address:
                guard let connection = Connection(address: address) else { continue }
                serve(connection, worker)
                quietSince = nil
            }
        }
    }

    private func accept() -> Int32? {
        let descriptor = cfastcgi_accept(listener.descriptor)
        guard descriptor >= 0 else {
            // Without descriptors the connection stays in the kernel's queue; asking again at once
            // would only burn the processor.
            if errno == EMFILE || errno == ENFILE { usleep(20_000) }
            return nil
        }
        let user = cfastcgi_peer_user(descriptor)
        guard listener.welcomes(user: user) else {
            close(descriptor)
            refused(user)
            return nil
        }
        var timeout = timeval(tv_sec: Self.ioTimeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        return descriptor
    }

    /// Handles one request of a connection, then keeps or frees it.
    private func serve(_ connection: Connection, _ worker: WorkerPool.Worker) {
        pool.beginRequest(worker)
        defer { pool.endRequest(worker) }
        guard connection.readRequest() else { return connection.free() }
        handler(FastCGIExchange(connection.request))
        if isStopping.load(ordering: .relaxed) {
            _ = cfastcgi_end_last(connection.request)
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
        let isKept = cfastcgi_watch(
            epoll,
            connection.descriptor,
            isNew ? 1 : 0,
            1,
            connection.address
        )
        if isKept != 0 { connection.free() }
    }
}

/// One accepted connection and the libfcgi request that reads from it.
private struct Connection {
    let request: UnsafeMutablePointer<FCGX_Request>

    init(_ descriptor: Int32) {
        request = .allocate(capacity: 1)
        // Without a listening socket libfcgi cannot accept by itself when the peer hangs up.
        FCGX_InitRequest(request, -1, 0)
        request.pointee.ipcFd = descriptor
        // Else the first FCGX_Accept_r would close the connection as a finished one.
        request.pointee.keepConnection = 1
    }

    /// A connection that was put into the epoll under its address.
    init?(address: UInt64) {
        guard let pointer = UnsafeMutablePointer<FCGX_Request>(bitPattern: UInt(address)) else {
            return nil
        }
        request = pointer
    }

    var address: UInt64 { UInt64(UInt(bitPattern: request)) }
    var descriptor: Int32 { request.pointee.ipcFd }

    /// Reads the parameters of the next request; false when the peer hung up or sent nonsense.
    /// The corresponding C function is `FCGX_Accept_r`.
    func readRequest() -> Bool {
        let accepted = cfastcgi_begin(request)
        // libfcgi closes with a select() that cannot hold descriptors above 1023, unless told that
        // the connection is none of its business.
        request.pointee.detached = 1
        return accepted == 0
    }

    /// Sends what is left of the answer; whether the connection stays open for another request.
    /// The corresponding C function is `FCGX_Finish_r`.
    func finishRequest() -> Bool {
        cfastcgi_end(request) == 0 && request.pointee.ipcFd >= 0
    }

    func free() {
        if request.pointee.ipcFd >= 0 { close(request.pointee.ipcFd) }
        // What is left of a request that was broken off.
        FCGX_Free(request, 0)
        request.deallocate()
    }
}
