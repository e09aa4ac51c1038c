import Glibc
import HTTP
import Paywall
import Store

/// The environment variables, read and checked. Every value that is here is possible.
package struct GateSettings: Sendable, Equatable {
    /// Where and with which key a wallet is reached.
    package struct Wallet: Sendable, Hashable {
        /// Base URL of LNbits, without a slash at its end.
        package var url: String
        /// Invoice/read key.
        package var key: Secret
    }

    /// How much is told on standard error.
    package enum LogLevel: String, Sendable, CaseIterable, Comparable {
        /// What stops a sale or the start.
        case error
        /// What an operator should look at.
        case warn
        /// One line per decision.
        case info
        /// Everything but secrets.
        case debug

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

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
    package var wallet: Wallet
    /// `LNBITS_KEY_NAME` or `LNBITS_KEY_FILE_NAME`, and `LNBITS_URL_NAME`, by `NAME` as set.
    package var namedWallets: [String: Wallet]
    /// `LNBITS_CA`: a file of certificates to trust instead of the system's.
    package var lnbitsCA: String?
    /// `L402_RULES`; `nil` to look beside the state directory.
    package var rulesPath: String?
    /// Whether a request says which rules are in force, by itself, by the file it names, or by the
    /// state directory that they are beside.
    package var areRulesOfRequest: Bool
    /// `L402_STATE_DIR`, absolute.
    package var stateDirectory: String
    /// `L402_LISTEN`; `nil` for descriptor 0.
    package var listen: String?
    /// `L402_LISTEN_ANYWHERE`: whether addresses are listened on that other machines reach.
    package var listensAnywhere: Bool
    /// `L402_STOP_TIMEOUT` in seconds.
    package var stopTimeoutSeconds: UInt64
    /// `L402_JOURNAL_DAYS` and `L402_JOURNAL_MB`: how much of the journal is kept.
    package var journalBounds: JournalBounds
    /// `L402_WORKERS`.
    package var workers: Int
    /// `L402_LNBITS_TIMEOUT` in seconds.
    package var lnbitsTimeoutSeconds: UInt64
    /// `L402_BACKEND_TIMEOUT` in seconds.
    package var backendTimeoutSeconds: UInt64
    /// `L402_LOG`.
    package var log: LogLevel
    /// Files that hold secrets, those of keys and of `L402_ENV_FILE`: never goods.
    package var secretFiles: [String]
    /// `L402_PAGE`: the operator's own page for people; `nil` for the one that is built in.
    package var page: String?
    /// What concerns the decision.
    package var policy: Gate.Policy

    /// One for each processor, at least two. Kept connections of the web server hold none, and for
    /// one that waits for a slow wallet or streams goods another one steps in.
    package static let defaultWorkers = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// Seconds that running requests have without `L402_STOP_TIMEOUT`.
    package static let defaultStopTimeoutSeconds: UInt64 = 30

    /// Where the state is without `L402_STATE_DIR`.
    package static let defaultStateDirectory = "/var/lib/l402"

    /// Reads layers of variables, the first that has a value wins: what the web server sends with
    /// a request, the file that it names, the process's environment, the file of its
    /// `L402_ENV_FILE`.
    ///
    /// - Parameters:
    ///   - trust: What requests may set.
    ///   - files: Reads and judges the files that are named.
    /// - Throws: ``SettingsError`` for the first variable that is missing or impossible.
    package init(layers: [SettingsLayer], trust: RequestTrust = .full, files: SettingsFiles)
        throws(SettingsError)
    {
        let source = try VariableSource(layers, trust: trust, files: files)
        let wallets = WalletVariables(source: source, files: files)
        lnbitsCA = try source.absolutePath("L402_LNBITS_CA")
        wallet = try wallets.standard()
        namedWallets = try wallets.named()
        try wallets.checkCA()
        rulesPath = try source.absolutePath("L402_RULES")
        areRulesOfRequest =
            (source.found("L402_RULES") ?? source.found("L402_STATE_DIR"))?.origin
            .isRequest ?? false
        stateDirectory = try source.absolutePath("L402_STATE_DIR") ?? Self.defaultStateDirectory
        listen = try source.listenAddress("L402_LISTEN")
        listensAnywhere = try source.onOff("L402_LISTEN_ANYWHERE") ?? false
        stopTimeoutSeconds =
            try source.seconds("L402_STOP_TIMEOUT", in: 1...86_400)
            ?? Self.defaultStopTimeoutSeconds
        journalBounds = JournalBounds(
            days: UInt64(try source.number("L402_JOURNAL_DAYS", in: 1...36_500) ?? 400),
            megabytes: UInt64(try source.number("L402_JOURNAL_MB", in: 1...1_000_000) ?? 1024)
        )
        workers = try source.number("L402_WORKERS", in: 1...1024) ?? Self.defaultWorkers
        lnbitsTimeoutSeconds = try source.seconds("L402_LNBITS_TIMEOUT", in: 1...120) ?? 10
        backendTimeoutSeconds = try source.seconds("L402_BACKEND_TIMEOUT", in: 1...86_400) ?? 60
        log = try source.choice("L402_LOG") ?? .info
        secretFiles = source.secretFiles()

        policy = Gate.Policy()
        policy.invoiceExpirySeconds =
            try source.seconds("L402_INVOICE_EXPIRY", in: 1...604_800)
            ?? policy.invoiceExpirySeconds
        policy.maxPending = try source.number("L402_MAX_PENDING", in: 1...1000) ?? policy.maxPending
        policy.site = try source.siteName("L402_SITE")
        policy.trustsPreimage = try source.onOff("L402_TRUST_PREIMAGE") ?? policy.trustsPreimage
        policy.isDryRun = try source.onOff("L402_DRY_RUN") ?? policy.isDryRun
        policy.sendsFiles = try source.onOff("L402_SENDFILE") ?? policy.sendsFiles
        policy.metrics = try source.choice("L402_METRICS") ?? policy.metrics
        if let origins = try source.origins("L402_CORS") { policy.cors = CORSPolicy(origins) }
        policy.defaultServe = try source.serveTarget("L402_SERVE")
        policy.reloadGraceSeconds =
            try source.seconds("L402_RELOAD_GRACE", in: 0...3600) ?? policy.reloadGraceSeconds
        policy.language = try source.choice("L402_LANG")
        policy.fiat = try source.currency("L402_FIAT")
        page = try source.absolutePath("L402_PAGE")
    }

    /// What follows `LNBITS_KEY_` in the names of the variables, as written there.
    package var walletNames: Set<String> { Set(namedWallets.keys) }

    /// The wallet of a rule's `wallet=NAME`, by `LNBITS_KEY_NAME` with the name as written or in
    /// upper case; the default one for `nil`.
    package func wallet(named name: String?) -> Wallet? {
        guard let name else { return wallet }
        return namedWallets[name] ?? namedWallets[name.uppercased()]
    }
}
