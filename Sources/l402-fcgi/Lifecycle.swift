import FastCGI
import Glibc
import POSIX
import Synchronization

/// What signals do: before there is a server, while it serves, and when it is told to end.
final class Lifecycle: Sendable {
    private enum Stage {
        /// Nothing is served yet; the socket is there from some point on.
        case starting(Listener?)
        case serving(FastCGIServer, SiteRegistry, stopSeconds: UInt64, Log)
    }

    private let stage = Mutex(Stage.starting(nil))

    /// Takes SIGTERM, SIGINT and SIGUSR1 as the word to end, and SIGHUP to read the rules again.
    ///
    /// - Throws: ``SiteError`` when there is no thread for it.
    init() throws(SiteError) {
        do throws(SystemError) {
            try Signals.forward([SIGTERM, SIGINT, SIGHUP, SIGUSR1]) { [self] in
                receive($0)
            }
        } catch {
            throw SiteError(lines: [error.description])
        }
    }

    /// Binds the socket. A signal that comes meanwhile waits: the socket would be left behind.
    func binding(_ bind: () throws(SiteError) -> Listener) throws(SiteError) -> Listener {
        try stage.withLock { (stage) throws(SiteError) in
            let listener = try bind()
            stage = .starting(listener)
            return listener
        }
    }

    /// Requests are served from now on.
    func willServe(
        _ server: FastCGIServer,
        _ registry: SiteRegistry,
        stopSeconds: UInt64,
        log: Log
    ) {
        stage.withLock { $0 = .serving(server, registry, stopSeconds: stopSeconds, log) }
    }

    private func receive(_ number: Int32) {
        stage.withLock { stage in
            switch stage {
            case .starting(let listener):
                guard number != SIGHUP else { return }
                // Whatever the start waits for, a wallet that is silent: nothing is lost by it.
                listener?.letGo()
                Log.fatal("signal \(number) during the start: ended")
                LogSink.standardError.drain()
                _exit(0)
            case .serving(let server, let registry, let seconds, let log):
                if number == SIGHUP {
                    for site in registry.all {
                        site.rules.reload()
                        site.page.reload()
                    }
                } else {
                    log.info("signal \(number): finishing what is running")
                    server.stop(afterSeconds: seconds)
                }
            }
        }
    }
}
