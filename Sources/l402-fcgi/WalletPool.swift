import FastCGI
import LNbits
import POSIX
import Settings
import Synchronization
import Wallets

/// One client for each wallet, and one server for each LNbits, made when they are first needed.
final class WalletPool: Sendable {
    private struct Made {
        var servers: [String: LNbitsServer] = [:]
        var clients: [GateSettings.Wallet: LNbitsClient] = [:]
    }

    /// A wallet and the variables that name it.
    private struct Named {
        let name: String
        let wallet: GateSettings.Wallet
        let keyName: String
        let urlName: String
    }

    private let settings: GateSettings
    /// The default one first, the others by name; a wallet of two names under the first.
    private let all: [Named]
    private let made = Mutex(Made())
    private let observe: @Sendable (String, String, Double) -> Void

    init(_ settings: GateSettings, observe: @escaping @Sendable (String, String, Double) -> Void) {
        self.settings = settings
        self.observe = observe
        let others = settings.namedWallets.sorted { $0.key < $1.key }.map { name, wallet in
            Named(
                name: name,
                wallet: wallet,
                keyName: "LNBITS_KEY_\(name)",
                urlName: wallet.url == settings.wallet.url ? "LNBITS_URL" : "LNBITS_URL_\(name)"
            )
        }
        let first = Named(
            name: "default",
            wallet: settings.wallet,
            keyName: "LNBITS_KEY",
            urlName: "LNBITS_URL"
        )
        all = [first] + others
    }

    /// Whether LNbits is given a rest, for each wallet that has been used.
    var breakers: [(name: String, isOpen: Bool)] {
        let known = made.withLock { $0.clients }
        return all.compactMap { named in
            known[named.wallet].map { (named.name, $0.isBreakerOpen) }
        }
    }

    /// Seconds since 1970 by the clock of an LNbits that has answered; the default one's first.
    var secondClock: UInt64? {
        let known = made.withLock { $0.clients }
        return all.lazy.compactMap { known[$0.wallet]?.secondClock }.first
    }

    /// The wallet of a rule's `wallet=` name, `nil` for the default one; `nil` when it is not
    /// configured.
    func wallet(named name: String?) -> (any InvoiceIssuer)? {
        settings.wallet(named: name).map(client)
    }

    /// All wallets, for who must not say that nobody knows a payment before each was asked: the
    /// named one, then the others of its LNbits, then the rest.
    func wallets(startingWith name: String?) -> [any InvoiceIssuer] {
        let first = settings.wallet(named: name)
        let rank = { (wallet: GateSettings.Wallet) in
            wallet == first ? 0 : wallet.url == first?.url ? 1 : 2
        }
        let distinct = distinct
        return (0...2).flatMap { place in distinct.filter { rank($0.wallet) == place } }
            .map { client($0.wallet) }
    }

    /// Asks of every wallet who we are, all at the same time.
    ///
    /// - Throws: ``SiteError`` naming each variable that holds an admin key.
    func checkAll(_ log: Log) throws(SiteError) {
        let wallets = distinct
        let clients = wallets.map { client($0.wallet) }
        let states = LNbitsClient.checkAtStart(clients) { WorkerThread.detach($0) }
        var adminKeys: [String] = []
        for (wallet, (client, state)) in zip(wallets, zip(clients, states)) {
            // What stands for the default wallet needs no name.
            let prefix = wallet.keyName == "LNBITS_KEY" ? "" : "\(wallet.keyName): "
            switch state {
            case .ready:
                log.debug("\(prefix)LNbits answers at \(client.shownURL)")
            case .adminKey:
                adminKeys.append(
                    "\(wallet.keyName): this is the wallet's admin key, which can spend; give its invoice/read key"
                )
            case .badKey(let reason):
                log.error(
                    "\(wallet.keyName): LNbits does not know this key (\(reason)); nothing can be sold with it until it does"
                )
            case .unavailable(let error):
                log.error(
                    "\(prefix)LNbits cannot be used: \(error); selling begins when it answers"
                )
            }
        }
        if !adminKeys.isEmpty { throw SiteError(lines: adminKeys) }
    }

    private var distinct: [Named] {
        var seen: Set<GateSettings.Wallet> = []
        return all.filter { seen.insert($0.wallet).inserted }
    }

    private func client(_ wallet: GateSettings.Wallet) -> LNbitsClient {
        let named = all.first { $0.wallet == wallet }
        return made.withLock { made in
            if let known = made.clients[wallet] { return known }
            let server =
                made.servers[wallet.url]
                ?? LNbitsServer(
                    url: wallet.url,
                    urlName: named?.urlName ?? "LNBITS_URL",
                    caFile: settings.lnbitsCA,
                    timeoutSeconds: settings.lnbitsTimeoutSeconds,
                    observe: observe,
                    willWait: { FastCGIServer.willWait() }
                )
            made.servers[wallet.url] = server
            let client = LNbitsClient(
                server,
                key: wallet.key.exposed,
                keyName: named?.keyName ?? "LNBITS_KEY"
            )
            made.clients[wallet] = client
            return client
        }
    }
}
