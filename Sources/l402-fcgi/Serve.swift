import FastCGI
import Glibc
import POSIX
import Paywall
import Settings
import Store

extension Program {
    /// Serves requests until SIGTERM or SIGINT; SIGHUP re-reads the rules.
    static func serve(
        _ listener: Listener,
        workers: Int,
        stopSeconds: UInt64,
        registry: SiteRegistry,
        lifecycle: Lifecycle,
        log: Log
    ) throws(SiteError) -> Int32 {
        raiseDescriptorLimit(log)
        let handler = Handler(registry: registry, fallbackLog: log)
        let server: FastCGIServer
        do throws(SystemError) {
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
        lifecycle.willServe(server, registry, stopSeconds: stopSeconds, log: log)
        tellSurroundings(listener, log)
        Sweeper.start(registry)
        for site in registry.all {
            log.info(
                "ready: \(site.rules.current().rules.count) rules from \(site.rules.path), "
                    + "state in \(site.settings.stateDirectory), \(workers) workers, "
                    + "listening on \(listener.place)"
            )
        }
        let ending: FastCGIServer.Ending
        do throws(SystemError) {
            ending = try server.run()
        } catch {
            throw SiteError(lines: [error.description])
        }
        for site in registry.all { site.backOffice.housekeeping.close(now: Clock.now()) }
        if ending.cut > 0 {
            log.warn(
                "\(ending.cut) \(ending.cut == 1 ? "request was" : "requests were") cut: not ended "
                    + "in \(stopSeconds) s (L402_STOP_TIMEOUT)"
            )
        }
        log.info("stopped")
        LogSink.standardError.drain()
        // Threads that nothing could end must not find the process torn down around them.
        if ending.left > 0 { _exit(0) }
        return 0
    }

    /// Says what is wrong around us and would be noticed late.
    private static func tellSurroundings(_ listener: Listener, _ log: Log) {
        for note in listener.notes { log.warn("L402_LISTEN: \(note)") }
        if listener.reach == .anywhere {
            log.warn(
                "L402_LISTEN_ANYWHERE: whoever reaches \(listener.place) is trusted as your web "
                    + "server is: he says who a client is, takes what is free for everybody and sees "
                    + "what paid goods are made of; keep others away from that port"
            )
        }
        var target = [CChar](repeating: 0, count: 64)
        if unsafe readlink("/proc/self/fd/0", &target, target.count) < 0 {
            log.error(
                "/proc is not there, or not whole: serve=file: answers 404, for it cannot be seen "
                    + "where a file really is; mount proc at /proc"
            )
        }
    }

    /// Fewer descriptors than this are soon used up.
    private static let fewestDescriptors: rlim_t = 128

    /// Every idle kept connection costs a descriptor.
    private static func raiseDescriptorLimit(_ log: Log) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65536)
        _ = unsafe setrlimit(resource, &limit)
        guard limit.rlim_cur < fewestDescriptors else { return }
        log.warn(
            "only \(limit.rlim_cur) files and connections may be open (ulimit -n): requests will "
                + "fail when they are used up; allow \(fewestDescriptors) or more"
        )
    }
}
