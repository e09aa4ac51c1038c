import FastCGI
import FlatFiles
import Glibc
import Goods
import L402
import LNbits
import Lightning
import Metrics
import Paywall
import Settings
import Synchronization

/// Everything that one set of settings needs, wired: rules, state, wallets, the gate.
final class Site: Sendable {
    let settings: Settings
    let rules: RulesStore
    let gate: Gate
    let log: Log
    let payments: Payments
    let forwarder: Forwarder
    let metrics = Metrics()
    /// Files and directories that are never goods, wherever a rule's `file:` leads.
    let privatePaths: [String]
    private let free: FreeTier
    private let pending: PendingPlaces
    private let wallets: WalletPool

    /// Opens the state and reads the rules.
    ///
    /// - Throws: ``SiteError`` with one line for each thing that is wrong.
    init(_ settings: Settings, patience: RulesFile.Patience) throws(SiteError) {
        self.settings = settings
        let log = Log(level: settings.log)
        self.log = log
        do throws(RulesFileError) {
            rules = try RulesStore(
                path: RulesPath.find(
                    configured: settings.rulesPath,
                    stateDirectory: settings.stateDirectory
                ),
                log: log,
                wallets: settings.walletNames,
                patience: patience
            )
        } catch {
            throw SiteError(lines: error.lines, isTemporary: error.isTemporary)
        }
        privatePaths = [rules.path, settings.stateDirectory] + settings.secretFiles
        forwarder = Forwarder(timeoutSeconds: settings.backendTimeoutSeconds)
        let metrics = self.metrics
        let wallets = WalletPool(settings) { call, result, seconds in
            metrics.observe(.walletSeconds, call, result, seconds: seconds)
        }
        self.wallets = wallets
        do throws(StateError) {
            let directory = try StateDirectory(opening: settings.stateDirectory)
            let keys = try KeyFile(directory)
            payments = Payments(directory)
            let free = FreeTier(directory)
            let pending = PendingPlaces(directory)
            let rules = rules
            self.free = free
            self.pending = pending
            gate = Gate(
                parts: Gate.Parts(
                    wallet: { wallets.wallet(named: $0) },
                    ledger: payments,
                    free: free,
                    pending: pending,
                    journal: CountingJournal(
                        journal: TSVJournal(directory) { log.error("journal: \($0)") },
                        metrics: metrics
                    ),
                    keys: { () throws(StateError) in try keys.keys() },
                    random: Self.random,
                    metrics: {
                        let now = Clock.now()
                        return metrics.text(
                            gauges: wallets.breakers.map {
                                (.breaker, $0.name, $0.isOpen ? 1 : 0)
                            }
                                + free.fill(now: now).map {
                                    (.freeFill, $0.period.rawValue, $0.ratio)
                                } + [
                                    (.pendingFill, "", pending.fill(now: now)),
                                    (.rules, "", Double(rules.current().rules.count)),
                                    (.build, version, 1),
                                    (.start, "", Double(Clock.processStart)),
                                ]
                        )
                    }
                ),
                policy: settings.policy
            )
        } catch {
            throw SiteError(lines: ["L402_STATE_DIR: \(error.reason)"])
        }
    }

    /// Asks the wallet once who we are; says in the log what is wrong.
    ///
    /// - Throws: ``SiteError`` for an admin key: with it whoever reads the configuration can spend.
    func checkWallet() throws(SiteError) {
        switch wallets.defaultClient.checkAtStart() {
        case .ready:
            log.debug("LNbits answers at \(settings.wallet.url)")
        case .adminKey:
            throw SiteError(lines: [
                "LNBITS_KEY: this is the wallet's admin key, which can spend; give its invoice/read key"
            ])
        case .badKey(let reason):
            log.error(
                "LNBITS_KEY: LNbits does not know this key (\(reason)); nothing can be sold until it does"
            )
        case .unavailable(let error):
            log.error("LNbits cannot be used: \(error); selling begins when it answers")
        }
    }

    /// Drops the counters of windows that are over.
    func sweepWindows(now: UInt64) {
        free.sweep(now: now)
        pending.sweep(now: now)
    }

    @Sendable private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// What stops the start, one line each.
struct SiteError: Error {
    let lines: [String]
    /// Whether it will be over in a moment.
    var isTemporary = false
}

/// One client for each wallet, made when it is first needed.
private final class WalletPool: Sendable {
    private let settings: Settings
    private let clients = Mutex<[Settings.Wallet: LNbitsClient]>([:])
    private let observe: @Sendable (String, String, Double) -> Void

    init(_ settings: Settings, observe: @escaping @Sendable (String, String, Double) -> Void) {
        self.settings = settings
        self.observe = observe
    }

    /// Whether LNbits is given a rest, for each wallet that has been used.
    var breakers: [(name: String, isOpen: Bool)] {
        let known = clients.withLock { $0 }
        let names =
            [("default", settings.wallet)] + settings.namedWallets.map { ($0.key, $0.value) }
        return names.compactMap { name, wallet in
            known[wallet].map { (name, $0.isBreakerOpen) }
        }
    }

    var defaultClient: LNbitsClient { client(settings.wallet) }

    func wallet(named name: String?) -> (any InvoiceSource)? {
        settings.wallet(named: name).map(client)
    }

    private func client(_ wallet: Settings.Wallet) -> LNbitsClient {
        clients.withLock { clients in
            if let known = clients[wallet] { return known }
            let made = LNbitsClient(
                url: wallet.url,
                key: wallet.key.exposed,
                caFile: settings.lnbitsCA,
                timeoutSeconds: settings.lnbitsTimeoutSeconds,
                observe: observe,
                willWait: { FastCGIServer.willWait() }
            )
            clients[wallet] = made
            return made
        }
    }
}
