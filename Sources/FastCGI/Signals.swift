import Glibc

/// Signals as events of one thread, so that no handler interrupts anything.
package enum Signals {
    /// Blocks the signals in this thread and all it starts later, and calls `body` on a thread of
    /// its own for each that comes. Call it before any other thread is started, and before anything
    /// slow: a signal that is blocked waits, one that is not is lost to process 1 of a container.
    ///
    /// - Throws: ``FastCGIError`` when there is no thread; the signals then do what they always do.
    package static func forward(
        _ numbers: [Int32],
        to body: @escaping @Sendable (Int32) -> Void
    ) throws(FastCGIError) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let waited = set
        let isStarted = WorkerThread.detach {
            var set = waited
            while true {
                var number: Int32 = 0
                if sigwait(&set, &number) == 0 { body(number) }
            }
        }
        guard !isStarted else { return }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        throw FastCGIError("no thread can be started")
    }

    /// A web server or a reader of the log that hangs up is seen by the write that fails.
    package static func ignoreHangUps() { signal(SIGPIPE, SIG_IGN) }

    /// As CGI SIGTERM is the web server's word that its client has gone. What the request took is
    /// returned first, which the answer that nobody reads brings about.
    package static func ignoreTerminate() { signal(SIGTERM, SIG_IGN) }
}
