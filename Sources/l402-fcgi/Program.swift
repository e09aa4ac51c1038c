import FastCGI
import Settings

/// The process: settings, one site, and requests until told to stop.
enum Program {
    private static let usage = """
        l402-fcgi: a paywall behind a web server, by FastCGI or CGI. It is configured by environment
        variables and takes no arguments but these:
          --help       this text
          --version    the version
        Required: LNBITS_URL, LNBITS_KEY (or LNBITS_KEY_FILE). Where to listen: L402_LISTEN, or
        descriptor 0. See README.md for all variables, and "l402 check" for the rules file.

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
            print("l402-fcgi \(version)")
            return 0
        case let other?:
            Log.fatal(
                "unknown argument \"\(other)\"; settings are environment variables, see --help"
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
        if try answersAsCGI(environment) {
            // Here the environment is the request's parameters.
            let registry = SiteRegistry(environment: [], isOneShot: true)
            Handler(registry: registry, fallbackLog: Log(level: .info)).handle(CGIExchange())
            Sweeper.sweepAtTimes(registry)
            return 0
        }
        let layers = try [environment] + SiteRegistry.environmentFile(of: environment)
        let registry = SiteRegistry(environment: layers)
        if !isConfigured(environment), let listener = try inheritedListener() {
            // As mod_fcgid starts it: what `SetEnv` says comes with each request.
            let log = Log(level: .info)
            log.info("no settings in the environment: they have to come with the requests")
            let handler = Handler(registry: registry, fallbackLog: log)
            return try serve(
                listener,
                workers: Settings.defaultWorkers,
                handler: handler,
                registry: registry,
                log: log
            )
        }
        let site = try registry.site(overrides: [:])
        let listener = try listener(site.settings)
        try site.checkWallet()
        return try serve(
            listener,
            workers: site.settings.workers,
            handler: Handler(registry: registry, fallbackLog: site.log),
            registry: registry,
            log: site.log
        )
    }

    /// One request, from the environment to standard output.
    private static func answersAsCGI(_ environment: [String: String]) throws(SiteError) -> Bool {
        guard CGIExchange.isCGI, environment["L402_LISTEN", default: ""].isEmpty else {
            return false
        }
        return try inheritedListener() == nil
    }

    private static func isConfigured(_ environment: [String: String]) -> Bool {
        environment.contains { name, value in
            !value.isEmpty && (name.hasPrefix("LNBITS_") || name.hasPrefix("L402_"))
        }
    }

    private static func inheritedListener() throws(SiteError) -> Listener? {
        do throws(FastCGIError) {
            return try Listener.inherited()
        } catch {
            throw SiteError(lines: [error.description])
        }
    }

    /// The socket to accept from.
    private static func listener(_ settings: Settings) throws(SiteError) -> Listener {
        do throws(FastCGIError) {
            if let address = settings.listen { return try Listener(address: address) }
        } catch {
            throw SiteError(lines: ["L402_LISTEN: \(error)"])
        }
        if let inherited = try inheritedListener() { return inherited }
        throw SiteError(lines: [
            "L402_LISTEN: is not set, descriptor 0 is no socket and there are no CGI variables; "
                + "give unix:/run/l402/l402.sock or 127.0.0.1:9402"
        ])
    }
}

/// The version of both programs.
let version = "0.1.0"
