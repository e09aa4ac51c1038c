import FastCGI
import FlatFiles
import Glibc
import Goods
import L402
import Lightning
import Metrics
import Paywall
import Settings

/// Everything that one set of settings needs, wired: rules, state, wallets, the gate.
final class Site: Sendable {
    let settings: Settings
    let rules: RulesStore
    let gate: Gate
    let log: Log
    let payments: Payments
    let journal: TSVJournal
    let forwarder: Forwarder
    let metrics = Metrics()
    /// Files and directories that are never goods, wherever a rule's `file:` leads.
    let privatePaths: [String]
    private let free: FreeTier
    private let pending: PendingPlaces
    private let wallets: WalletPool

    /// Opens the state and reads the rules.
    ///
    /// - Parameter isOneShot: Whether this process answers one request only, as plain CGI.
    /// - Throws: ``SiteError`` with one line for each thing that is wrong.
    init(
        _ settings: Settings,
        patience: RulesFile.Patience,
        isOneShot: Bool = false
    ) throws(SiteError) {
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
        var policy = settings.policy
        if settings.areRulesOfRequest, policy.site == nil {
            policy.site = SiteIdentity.ofRules(
                at: SettingsFiles.canonical(rules.path) ?? rules.path
            )
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
            let privatePaths = privatePaths
            let lastUse = Patience()
            let free = FreeTier(directory)
            let pending = PendingPlaces(directory)
            let rules = rules
            let journal = TSVJournal(directory, isOneShot: isOneShot) {
                log.error("journal: \($0)")
            }
            self.journal = journal
            self.free = free
            self.pending = pending
            gate = Gate(
                parts: Gate.Parts(
                    wallets: { name in
                        wallets.wallet(named: name) == nil
                            ? [] : wallets.wallets(startingWith: name)
                    },
                    ledger: payments,
                    free: free,
                    pending: pending,
                    journal: CountingJournal(journal: journal, metrics: metrics),
                    keys: { () throws(StateError) in try keys.keys() },
                    random: Self.random,
                    isThere: { FileGoods.isThere($0, below: $1, except: privatePaths) },
                    waitABit: { lastUse.wait(milliseconds: $0) },
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
                                    (.build, ProgramStart.version, 1),
                                    (.logLinesLost, "", Double(LogSink.standardError.linesLost)),
                                    (.start, "", Double(Clock.processStart)),
                                ]
                        )
                    }
                ),
                policy: policy
            )
        } catch {
            throw SiteError(lines: ["L402_STATE_DIR: \(error.reason)"])
        }
    }

    /// Asks of all wallets once who we are; says in the log what is wrong.
    ///
    /// - Throws: ``SiteError`` for an admin key: with it whoever reads the configuration can spend.
    func checkWallet() throws(SiteError) { try wallets.checkAll(log) }

    /// Drops the counters of windows that are over.
    func sweepWindows(now: UInt64) {
        free.sweep(now: now, secondClock: secondClock)
        pending.sweep(now: now, secondClock: secondClock)
    }

    /// Another clock's word for the time: the wallet's, once it has answered.
    var secondClock: UInt64? { wallets.secondClock }

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
