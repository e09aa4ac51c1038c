import Glibc
import Paywall

/// The environment variables, read and checked. Every value that is here is possible.
public struct Settings: Sendable, Equatable {
    /// Where and with which key a wallet is reached.
    public struct Wallet: Sendable, Hashable {
        /// Base URL of LNbits, without a slash at its end.
        public var url: String
        /// Invoice/read key.
        public var key: Secret
    }

    /// How much is told on standard error.
    public enum LogLevel: String, Sendable, CaseIterable, Comparable {
        /// What stops a sale or the start.
        case error
        /// What an operator should look at.
        case warn
        /// One line per decision.
        case info
        /// Everything but secrets.
        case debug

        /// From `error`, the least, to `debug`.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .error: 0
            case .warn: 1
            case .info: 2
            case .debug: 3
            }
        }
    }

    /// `LNBITS_URL` and `LNBITS_KEY`.
    public var wallet: Wallet
    /// `LNBITS_KEY_NAME` and `LNBITS_URL_NAME`, by `NAME` as set.
    public var namedWallets: [String: Wallet]
    /// `LNBITS_CA`: a file of certificates to trust instead of the system's.
    public var lnbitsCA: String?
    /// `L402_RULES`; `nil` to look beside the state directory.
    public var rulesPath: String?
    /// `L402_STATE_DIR`, absolute.
    public var stateDirectory: String
    /// `L402_LISTEN`; `nil` for descriptor 0.
    public var listen: String?
    /// `L402_WORKERS`.
    public var workers: Int
    /// `L402_LNBITS_TIMEOUT` in seconds.
    public var lnbitsTimeoutSeconds: UInt64
    /// `L402_BACKEND_TIMEOUT` in seconds.
    public var backendTimeoutSeconds: UInt64
    /// `L402_LOG`.
    public var log: LogLevel
    /// Files that hold secrets, `LNBITS_KEY_FILE` and `L402_ENV_FILE`: never goods.
    public var secretFiles: [String]
    /// What concerns the decision.
    public var policy: Gate.Policy

    /// One for each processor, at least two. Kept connections of the web server hold none, and for
    /// one that waits for a slow wallet or streams goods another one steps in.
    public static let defaultWorkers = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// Where the state is without `L402_STATE_DIR`.
    public static let defaultStateDirectory = "/var/lib/l402"

    /// Reads layers of variables, the first that has a value wins: what the web server sends with
    /// a request, the process's environment, the file of `L402_ENV_FILE`.
    ///
    /// - Parameter readFile: Reads the file of `LNBITS_KEY_FILE`; `nil` when it cannot be read.
    /// - Throws: ``SettingsError`` for the first variable that is missing or impossible.
    public init(layers: [[String: String]], readFile: (String) -> String?) throws(SettingsError) {
        let source = VariableSource(layers)
        let url = try source.required("LNBITS_URL", "the base URL of LNbits").checkedURL(
            "LNBITS_URL"
        )
        let key = try Self.key(source, readFile)
        wallet = Wallet(url: url, key: key)
        namedWallets = try Self.namedWallets(source, defaultURL: url)
        lnbitsCA = try source.absolutePath("L402_LNBITS_CA")
        rulesPath = try source.absolutePath("L402_RULES")
        stateDirectory = try source.absolutePath("L402_STATE_DIR") ?? Self.defaultStateDirectory
        listen = try source.listenAddress("L402_LISTEN")
        workers = try source.number("L402_WORKERS", in: 1...1024) ?? Self.defaultWorkers
        lnbitsTimeoutSeconds = try source.seconds("L402_LNBITS_TIMEOUT", in: 1...120) ?? 10
        backendTimeoutSeconds = try source.seconds("L402_BACKEND_TIMEOUT", in: 1...86_400) ?? 60
        log = try source.choice("L402_LOG") ?? .info
        secretFiles =
            ["LNBITS_KEY_FILE", "L402_ENV_FILE"].compactMap(source.string)

        policy = Gate.Policy()
        policy.invoiceExpirySeconds =
            try source.seconds("L402_INVOICE_EXPIRY", in: 1...604_800) ?? 600
        policy.maxPending = try source.number("L402_MAX_PENDING", in: 1...1000) ?? 10
        policy.trustsPreimage = try source.onOff("L402_TRUST_PREIMAGE") ?? false
        policy.isDryRun = try source.onOff("L402_DRY_RUN") ?? false
        policy.sendsFiles = try source.onOff("L402_SENDFILE") ?? false
        policy.metrics = try source.choice("L402_METRICS") ?? .local
        policy.cors = CORSPolicy(try source.origins("L402_CORS") ?? "*")
        policy.defaultServe = try source.serveTarget("L402_SERVE")
    }

    private static func key(_ source: VariableSource, _ readFile: (String) -> String?)
        throws(SettingsError) -> Secret
    {
        if let key = source.secret("LNBITS_KEY") { return try key.checkedKey("LNBITS_KEY") }
        guard let path = try source.absolutePath("LNBITS_KEY_FILE") else {
            throw SettingsError(
                "LNBITS_KEY",
                "is not set; give the invoice/read key of the receiving wallet, or LNBITS_KEY_FILE"
            )
        }
        guard let text = readFile(path) else {
            throw SettingsError(
                "LNBITS_KEY_FILE",
                "\"\(path)\" cannot be read; give a file that holds the key alone"
            )
        }
        let line = text.split { $0.isNewline }.first.map(String.init) ?? ""
        return try Secret(line).checkedKey("LNBITS_KEY_FILE")
    }

    private static func namedWallets(_ source: VariableSource, defaultURL: String)
        throws(SettingsError) -> [String: Wallet]
    {
        let prefix = "LNBITS_KEY_"
        var wallets: [String: Wallet] = [:]
        for variable in source.names(beginning: prefix) where variable != "LNBITS_KEY_FILE" {
            let name = String(variable.dropFirst(prefix.count))
            guard let key = source.exactly(variable) else { continue }
            let url = try source.exactly("LNBITS_URL_" + name)?.checkedURL("LNBITS_URL_" + name)
            wallets[name] = Wallet(
                url: url ?? defaultURL,
                key: try Secret(key).checkedKey(variable)
            )
        }
        return wallets
    }

    /// What follows `LNBITS_KEY_` in the names of the variables, as written there.
    public var walletNames: Set<String> { Set(namedWallets.keys) }

    /// The wallet of a rule's `wallet=NAME`, by `LNBITS_KEY_NAME` with the name as written or in
    /// upper case; the default one for `nil`.
    public func wallet(named name: String?) -> Wallet? {
        guard let name else { return wallet }
        return namedWallets[name] ?? namedWallets[name.uppercased()]
    }
}

extension String {
    /// An `http` or `https` URL with a host and nothing that LNbits' paths could not follow.
    fileprivate func checkedURL(_ variable: String) throws(SettingsError) -> String {
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { lowercased().hasPrefix($0) }),
            utf8.count > scheme.utf8.count,
            !utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }),
            !contains("?"), !contains("#"), !dropFirst(scheme.count).hasPrefix("/")
        else {
            throw SettingsError(
                variable,
                "\"\(self)\" is not a base URL such as https://lnbits.example.org or http://127.0.0.1:5000"
            )
        }
        var url = self[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        return String(url)
    }
}

extension Secret {
    /// A key of printable ASCII without blanks; its value is never told.
    fileprivate func checkedKey(_ variable: String) throws(SettingsError) -> Secret {
        let bytes = exposed.utf8
        guard (8...256).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw SettingsError(
                variable,
                "its value (\(bytes.count) bytes) is no LNbits key; give the invoice/read key, 32 hex digits"
            )
        }
        return self
    }
}
