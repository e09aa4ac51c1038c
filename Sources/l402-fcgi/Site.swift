import FlatFiles
import Glibc
import Goods
import HTTP
import Metrics
import POSIX
import Paywall
import QR
import Settings
import Store
import Synchronization
import Text

/// Everything that one set of settings needs, wired: rules, state, wallets, the gate.
final class Site: Sendable {
    let settings: GateSettings
    let rules: RulesStore
    let page: PageStore
    let gate: Gate
    let log: Log
    /// What is done to the books that no request waits for.
    let backOffice: BackOffice
    let forwarder: Forwarder
    let metrics = Registry()
    /// Files and directories that are never goods, wherever a rule's `file:` leads.
    let privatePaths: [String]
    private let wallets: WalletPool

    /// Opens the state and reads the rules.
    ///
    /// - Parameter isOneShot: Whether this process answers one request only, as plain CGI.
    /// - Throws: ``SiteError`` with one line for each thing that is wrong.
    init(
        _ settings: GateSettings,
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
        let page = try PageStore(path: settings.page, readsNow: !isOneShot, log: log)
        self.page = page
        var policy = settings.policy
        if settings.areRulesOfRequest, policy.site == nil {
            policy.site = SiteIdentity.ofRules(
                at: WholeFile.canonical(rules.path) ?? rules.path
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
            let flat = FlatBooks(
                try StateDirectory(opening: settings.stateDirectory),
                isOneShot: isOneShot
            ) { log.error("journal: \($0)") }
            var books = flat.books
            // Keys that cannot be read stop the start.
            _ = try books.keys.keys()
            books.journal = CountingJournal(journal: books.journal, metrics: metrics)
            backOffice = flat.backOffice
            let housekeeping = backOffice.housekeeping
            let privatePaths = privatePaths
            let lastUse = Patience()
            let complaints = Complaints()
            let rules = rules
            gate = Gate(
                parts: Gate.Parts(
                    wallets: { name in
                        wallets.wallet(named: name) == nil
                            ? [] : wallets.wallets(startingWith: name)
                    },
                    books: books,
                    random: Randomness.bytes,
                    isThere: { FileGoods.isThere($0, below: $1, except: privatePaths) },
                    teaser: { path, directory in
                        switch FileGoods.teaser(path, below: directory, except: privatePaths) {
                        case .text(let text): return text
                        case .none: return nil
                        case .unfit(let reason):
                            let name = String(foreign: RequestPath.encoded(path))
                            let line = "teaser \(directory)\(name): \(reason); the page shows none"
                            if let due = complaints.due(line) { log.warn(due) }
                            return nil
                        }
                    },
                    waitABit: { lastUse.wait(milliseconds: $0) },
                    waiting: flat.waiting,
                    page: { page.current() },
                    qr: { Self.code($0, log: log) },
                    metrics: {
                        let now = Clock.now()
                        return metrics.text(
                            gauges: wallets.breakers.map {
                                (.breaker, $0.name, $0.isOpen ? 1 : 0)
                            }
                                + housekeeping.freeFill(now: now).map {
                                    (.freeFill, $0.period.rawValue, $0.ratio)
                                } + [
                                    (.pendingFill, "", housekeeping.pendingFill(now: now)),
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

    /// Another clock's word for the time: the wallet's, once it has answered.
    var secondClock: UInt64? { wallets.secondClock }

    /// Whether it has been said that there is no libqrencode.
    private static let hasToldOfCodes = Atomic(false)

    private static func code(_ text: String, log: Log) -> [[Bool]]? {
        if !QRCode.isAvailable, !hasToldOfCodes.exchange(true, ordering: .relaxed) {
            log.warn(
                "pages have no QR code: libqrencode.so.4 cannot be loaded; install libqrencode4"
            )
        }
        return QRCode.rows(text)
    }
}

/// What stops the start, one line each.
struct SiteError: Error {
    let lines: [String]
    /// Whether it will be over in a moment.
    var isTemporary = false
}
