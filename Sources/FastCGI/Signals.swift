import Glibc

/// Signals as events of one thread, so that no handler interrupts anything.
public enum Signals {
    /// Blocks the signals in this thread and all it starts later, and calls `body` on a thread of
    /// its own for each that comes. Call it before any other thread is started.
    public static func forward(_ numbers: [Int32], to body: @escaping @Sendable (Int32) -> Void) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A web server that hangs up is seen by the write that fails.
        signal(SIGPIPE, SIG_IGN)
        let waited = set
        WorkerThread.detach {
            var set = waited
            while true {
                var number: Int32 = 0
                if sigwait(&set, &number) == 0 { body(number) }
            }
        }
    }
}
