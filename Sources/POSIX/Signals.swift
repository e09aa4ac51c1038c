import Glibc

/// Signals as events of one thread, so that no handler interrupts anything.
package enum Signals {
    /// Blocks the signals in this thread and all it starts later, and calls `body` on a thread of
    /// its own for each that comes. Call it before any other thread is started, and before anything
    /// slow: a signal that is blocked waits, one that is not is lost to process 1 of a container.
    ///
    /// - Throws: ``SystemError`` when there is no thread; the signals then do what they always do.
    package static func forward(
        _ numbers: [Int32],
        to body: @escaping @Sendable (Int32) -> Void
    ) throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let waited = set
        let isStarted = WorkerThread.detach {
            var set = waited
            while true {
                var number: Int32 = 0
                if unsafe sigwait(&set, &number) == 0 { body(number) }
            }
        }
        guard !isStarted else { return }
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        throw SystemError("no thread can be started")
    }

    /// Starts a thread that no signal interrupts; false when there is none to be had.
    package static func detachUndisturbed(_ run: @escaping @Sendable () -> Void) -> Bool {
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        return WorkerThread.detach(run)
    }

    /// A web server or a reader of the log that hangs up is seen by the write that fails.
    package static func ignoreHangUps() { signal(SIGPIPE, SIG_IGN) }

    /// As CGI SIGTERM is the web server's word that its client has gone. What the request took is
    /// returned first, which the answer that nobody reads brings about.
    package static func ignoreTerminate() { signal(SIGTERM, SIG_IGN) }
}
