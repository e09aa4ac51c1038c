import FastCGI
import Glibc
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
        switch arguments.dropFirst().first {
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
        do throws(SiteError) {
            return try start()
        } catch {
            for line in error.lines { Log.fatal(line) }
            return 1
        }
    }

    private static func start() throws(SiteError) -> Int32 {
        let registry = SiteRegistry(environment: try environmentLayers())
        let site = try registry.site(overrides: [:])
        let handler = Handler(registry: registry, fallbackLog: site.log)
        guard let listener = try listener(site.settings) else {
            handler.handle(CGIExchange())
            return 0
        }
        try site.checkWallet()
        return try serve(listener, handler: handler, registry: registry, site: site)
    }

    /// The socket to accept from; `nil` to answer one request as plain CGI.
    private static func listener(_ settings: Settings) throws(SiteError) -> Listener? {
        do throws(FastCGIError) {
            if let address = settings.listen { return try Listener(address: address) }
            if let inherited = try Listener.inherited() { return inherited }
        } catch {
            throw SiteError(lines: ["L402_LISTEN: \(error)"])
        }
        if CGIExchange.isCGI { return nil }
        throw SiteError(lines: [
            "L402_LISTEN: is not set, descriptor 0 is no socket and there are no CGI variables; "
                + "give unix:/run/l402/l402.sock or 127.0.0.1:9402"
        ])
    }

    /// The process's environment and, below it, the file of `L402_ENV_FILE`.
    private static func environmentLayers() throws(SiteError) -> [[String: String]] {
        let environment = Environment.all()
        guard let path = environment["L402_ENV_FILE"], !path.isEmpty else { return [environment] }
        guard let bytes = WholeFile.read(path, limit: 1 << 20) else {
            throw SiteError(lines: [
                "L402_ENV_FILE: \"\(path)\" cannot be read: \(String(cString: strerror(errno)))"
            ])
        }
        do throws(SettingsError) {
            return [
                environment,
                try EnvironmentFile.parse(String(decoding: bytes, as: UTF8.self), path: path),
            ]
        } catch {
            throw SiteError(lines: [error.description])
        }
    }
}

/// The version of both programs.
let version = "0.1.0"
