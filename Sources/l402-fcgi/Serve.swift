import FastCGI
import FlatFiles
import Glibc
import Paywall
import Settings

extension Program {
    /// Serves requests until SIGTERM or SIGINT; SIGHUP re-reads the rules.
    static func serve(
        _ listener: Listener,
        workers: Int,
        handler: Handler,
        registry: SiteRegistry,
        log: Log
    ) throws(SiteError) -> Int32 {
        raiseDescriptorLimit()
        let server: FastCGIServer
        do throws(FastCGIError) {
            server = try FastCGIServer(
                listener: listener,
                workers: workers,
                refused: { user in
                    log.error(
                        "refused a connection of user \(user): only root, the gate's own user and "
                            + "system users such as a web server's may ask"
                    )
                },
                handler: { handler.handle($0) }
            )
        } catch {
            throw SiteError(lines: [error.description])
        }
        Signals.forward([SIGTERM, SIGINT, SIGHUP, SIGUSR1]) { number in
            if number == SIGHUP {
                for site in registry.all { site.rules.reload() }
            } else {
                log.info("signal \(number): finishing what is running")
                server.stop()
            }
        }
        Sweeper.start(registry)
        for site in registry.all {
            log.info(
                "ready: \(site.rules.current().rules.count) rules from \(site.rules.path), "
                    + "state in \(site.settings.stateDirectory), \(workers) workers"
            )
        }
        do throws(FastCGIError) {
            try server.run()
        } catch {
            throw SiteError(lines: [error.description])
        }
        for site in registry.all { site.journal.flush(now: Clock.now(), isLast: true) }
        log.info("stopped")
        return 0
    }

    /// Every idle kept connection costs a descriptor.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65536)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
