import FastCGI
import POSIX
import Settings

/// The process: settings, one site, and requests until told to stop.
enum Program {
    private static let usage = """
        l402-fcgi: a paywall behind a web server, by FastCGI or CGI. It is configured by environment
        variables and takes no arguments but these:
          --help       this text
          --version    the version
        Required: LNBITS_URL, LNBITS_KEY (or LNBITS_KEY_FILE). Where to listen: L402_LISTEN, or
        descriptor 0. All variables: l402-fcgi(8). The rules file: l402-rules(5), and "l402 check".

        """

    /// Runs to the end; the exit status.
    static func run(arguments: [String]) -> Int32 {
        // As CGI a query such as "?--help" arrives as an argument (RFC 3875 section 4.4).
        switch CGIExchange.isCGI ? nil : arguments.dropFirst().first {
        case nil:
            break
        case "--help", "-h":
            print(usage, terminator: "")
            return 0
        case "--version":
            print("l402-fcgi \(ProgramStart.version)")
            return 0
        case let other?:
            Log.fatal(
                "unknown argument \(SecretText.quoted(other)); settings are environment variables, see --help"
            )
            return 2
        }
        _ = Clock.processStart
        do throws(SiteError) {
            return try start()
        } catch {
            for line in error.lines { Log.fatal(line) }
            return 1
        }
    }

    private static func start() throws(SiteError) -> Int32 {
        let environment = Environment.all()
        if answersAsCGI(environment) {
            Signals.ignoreTerminate()
            // Here the environment is the request's parameters.
            let registry = SiteRegistry(environment: [], trust: .full, isOneShot: true)
            Handler(registry: registry, fallbackLog: Log(level: .info)).handle(CGIExchange())
            Sweeper.sweepAtTimes(registry)
            return 0
        }
        let lifecycle = try Lifecycle()
        let layers = try SiteRegistry.reading { () throws(SettingsError) in
            try EnvironmentLayers.ofProcess()
        }
        let isConfigured = isConfigured(environment)
        if !isConfigured, let listener = try inheritedListener(anywhere: false) {
            // As mod_fcgid starts it: what `SetEnv` says comes with each request.
            let log = Log(level: .info)
            log.info("no settings in the environment: they have to come with the requests")
            return try serve(
                listener,
                workers: GateSettings.defaultWorkers,
                stopSeconds: GateSettings.defaultStopTimeoutSeconds,
                registry: SiteRegistry(environment: layers, trust: trust(listener)),
                lifecycle: lifecycle,
                log: log
            )
        }
        let settings = try SiteRegistry.settings(of: layers)
        let listener = try lifecycle.binding { () throws(SiteError) in
            try Self.listener(settings)
        }
        let registry = SiteRegistry(environment: layers, trust: trust(listener))
        let site = try registry.site(overrides: [:])
        try site.checkWallet()
        return try serve(
            listener,
            workers: settings.workers,
            stopSeconds: settings.stopTimeoutSeconds,
            registry: registry,
            lifecycle: lifecycle,
            log: site.log
        )
    }

    /// What may come with requests, by who can send them.
    private static func trust(_ listener: Listener) -> RequestTrust {
        switch listener.reach {
        case .unixSocket: .full
        case .loopback: .loopback
        case .anywhere: .none
        }
    }

    /// One request, from the environment to standard output.
    private static func answersAsCGI(_ environment: [String: String]) -> Bool {
        guard CGIExchange.isCGI, environment["L402_LISTEN", default: ""].isEmpty else {
            return false
        }
        return !Listener.isInherited
    }

    private static func isConfigured(_ environment: [String: String]) -> Bool {
        environment.contains { name, value in
            !value.isEmpty && (name.hasPrefix("LNBITS_") || name.hasPrefix("L402_"))
        }
    }

    private static func inheritedListener(anywhere: Bool) throws(SiteError) -> Listener? {
        do throws(SystemError) {
            return try Listener.inherited(anywhere: anywhere)
        } catch {
            throw SiteError(lines: [error.description])
        }
    }

    /// The socket to accept from.
    private static func listener(_ settings: GateSettings) throws(SiteError) -> Listener {
        let anywhere = settings.listensAnywhere
        do throws(SystemError) {
            if let address = settings.listen {
                return try Listener(address: address, anywhere: anywhere)
            }
        } catch {
            throw SiteError(lines: ["L402_LISTEN: \(error)"])
        }
        if let inherited = try inheritedListener(anywhere: anywhere) { return inherited }
        throw SiteError(lines: [
            "L402_LISTEN: is not set, descriptor 0 is no socket and there are no CGI variables; "
                + "give unix:/run/l402/l402.sock or 127.0.0.1:9402"
        ])
    }
}
