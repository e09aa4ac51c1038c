import L402
import Lightning
import Store
import Text
import Wallets

/// What the cookies of a request, or its hash, are worth at its rule: takes nothing, makes nothing,
/// and has the wallet asked no more often than ``WaitingRoom`` lets it.
struct Waiting {
    let visit: Visit
    let rule: Rule

    enum State {
        /// It would open now.
        case paid
        case pending(Pending)
        /// What there was can no longer be paid, or is used up.
        case over
        /// There is nothing that this rule could be opened with.
        case none
        /// It cannot be found out.
        case unknown(Refusal)
    }

    struct Pending {
        /// The last moment of the newest invoice.
        var expiresAt: UInt64
        /// That invoice, where it was made for this very client and is remembered.
        var standing: StandingOffer?
    }

    private var room: any WaitingRoom { visit.parts.waiting }
    private var books: Books { visit.parts.books }

    private struct Known {
        let cookie: CookieJar.Cookie
        let verified: VerifiedToken
        let outcome: TakeOutcome
        let isForClient: Bool
    }

    // MARK: - Is it paid?

    func cookies() -> State {
        do throws(Refusal) {
            let (known, hasEnded) = try verified()
            if known.contains(where: { $0.outcome.isGood }) { return .paid }
            let waiting = known.filter { $0.outcome == .unknown }
            guard !waiting.isEmpty else {
                return known.isEmpty && !hasEnded ? .none : .over
            }
            let hashes = waiting.map(\.verified.paymentHash)
            if try isPaid(hashes) { return .paid }
            return pending(waiting)
        } catch {
            return .unknown(error)
        }
    }

    func hash(_ hash: PaymentHash) -> State {
        do throws(Refusal) {
            let terms = try reading { () throws(StateError) in try books.ledger.terms(of: hash) }
            if let terms {
                // Whether it still opens is decided where the goods are.
                return terms.validUntil > visit.now ? .paid : .over
            }
            if try isPaid([hash]) { return .paid }
            guard let invoice = room.invoice(hash) else { return .none }
            return invoice.expiresAt > visit.now
                ? .pending(Pending(expiresAt: invoice.expiresAt)) : .over
        } catch {
            return .unknown(error)
        }
    }

    private func pending(_ waiting: [Known]) -> State {
        var best: Pending?
        for known in waiting {
            let invoice = room.invoice(known.verified.paymentHash)
            guard let end = known.verified.minted.invoiceEnd ?? invoice?.expiresAt,
                end > visit.now, end > best?.expiresAt ?? 0
            else { continue }
            best = Pending(expiresAt: end)
            guard known.isForClient, let invoice else { continue }
            best?.standing = StandingOffer(
                Invoice(
                    bolt11: invoice.bolt11,
                    paymentHash: invoice.paymentHash,
                    expiresAt: invoice.expiresAt,
                    amount: invoice.amount
                ),
                terms: known.verified.minted,
                identifier: known.cookie.token.identifier
            )
        }
        return best.map { .pending($0) } ?? .over
    }

    /// Whether the wallet has said of one of these that it is paid, or says so now.
    private func isPaid(_ hashes: [PaymentHash]) throws(Refusal) -> Bool {
        let isKnown = { hashes.contains { self.room.invoice($0)?.isPaid == true } }
        if isKnown() { return true }
        guard let wallet = visit.parts.wallets(rule.wallet).first else { throw .noWallet(rule) }
        let name = rule.wallet ?? ""
        let remembered = hashes.compactMap { room.invoice($0)?.madeAt }
        let madeAt = remembered.count == hashes.count ? remembered.min() : nil
        switch try reading({ () throws(StateError) in try room.turn(name, madeAt: madeAt) }) {
        case .notYet(let isFailing):
            guard isFailing else { return false }
            throw Refusal(WalletError(.unreachable, "the last question got no answer"))
        case .yours(let asksForOne):
            let one = asksForOne ? hashes.last { room.invoice($0) == nil } ?? hashes.last : nil
            do throws(WalletError) {
                if let one {
                    let isPaid = try wallet.payment(one, for: .status)?.isPaid == true
                    room.end(name, paid: isPaid ? [one] : [], since: nil)
                    return isPaid
                }
                let lately = try wallet.paidLately()
                room.end(name, paid: lately.paid, since: lately.since)
                return isKnown() || hashes.contains(where: lately.paid.contains)
            } catch {
                room.end(name, paid: nil, since: nil)
                throw Refusal(error)
            }
        }
    }

    // MARK: - What was bought

    struct Bought {
        let record: PaymentRecord
        /// Base64 that fits into an address.
        let token: String
        let cookie: String
    }

    /// The purchase that these cookies hold, the one that lasts longest; `nil` for none.
    func bought() throws(Refusal) -> Bought? {
        var best: Bought?
        for known in try verified().known where known.outcome.isGood || known.outcome.isSpent {
            let hash = known.verified.paymentHash
            guard
                let record = try reading({ () throws(StateError) in
                    try books.ledger.record(hash)
                }), record.ends > best?.record.ends ?? 0
            else { continue }
            best = Bought(
                record: record,
                token: known.cookie.token.urlSafeText,
                cookie: known.cookie.name
            )
        }
        return best
    }

    /// The cookie for a token from another device.
    ///
    /// - Throws: ``Refusal`` for one that opens nothing here, or whose payment is not on record.
    func claimed(_ text: [UInt8]) throws(Refusal) -> TokenCookie {
        guard let bytes = Base64.decode(text) else {
            throw Refusal(.malformed("the token is not base64"), .none)
        }
        let keys = try reading { () throws(StateError) in try books.keys.keys() }
        let token: Token
        let verified: VerifiedToken
        do throws(CredentialError) {
            token = try Token(decoding: bytes)
            verified = try verify(token, keys)
        } catch {
            throw Refusal(error, .none)
        }
        let outcome = try look(verified)
        guard outcome.isGood else {
            if outcome.isSpent { throw Refusal(.spent, .none) }
            throw Refusal(402, .paymentUnknown, "this payment is not on record here")
        }
        return TokenCookie(
            token.text,
            id: token.identifier.tokenID,
            end: verified.validUntil
        )
    }

    // MARK: - Steps

    /// The cookies that this rule can be opened with once they are paid, and whether there was one
    /// whose time is over.
    private func verified() throws(Refusal) -> (known: [Known], hasEnded: Bool) {
        let jar = CookieJar(visit.request)
        guard !jar.cookies.isEmpty else { return ([], false) }
        let keys = try reading { () throws(StateError) in try books.keys.keys() }
        var known: [Known] = []
        var hasEnded = false
        for cookie in jar.cookies {
            guard known.count < PresentedCredentials.maximumCookies else { break }
            let verified: VerifiedToken
            do throws(CredentialError) {
                verified = try verify(cookie.token, keys)
            } catch {
                hasEnded = hasEnded || error == .expired
                continue
            }
            known.append(
                Known(
                    cookie: cookie,
                    verified: verified,
                    outcome: try look(verified),
                    isForClient: ClientMark.isOn(
                        cookie.token.identifier.tokenID,
                        client: visit.clientKey,
                        keys: keys
                    )
                )
            )
        }
        return (known, hasEnded)
    }

    private func verify(_ token: Token, _ keys: [MasterKey]) throws(CredentialError)
        -> VerifiedToken
    {
        try token.verified(
            by: keys,
            for: rule.service,
            site: visit.policy.site,
            tier: rule.tier,
            isWithin: Reach(visit: visit, rule: rule).includes,
            now: visit.now
        )
    }

    private func look(_ verified: VerifiedToken) throws(Refusal) -> TakeOutcome {
        let claim = visit.claim(
            verified.minted,
            verified.paymentHash,
            cap: verified.uses,
            for: rule,
            isCookie: true
        )
        return try reading { () throws(StateError) in
            try books.ledger.look(claim, now: visit.now)
        }
    }

    private func reading<Value>(_ body: () throws(StateError) -> Value) throws(Refusal) -> Value {
        do throws(StateError) { return try body() } catch { throw Refusal(error) }
    }
}

extension TakeOutcome {
    /// Whether it would open now.
    var isGood: Bool {
        switch self {
        case .taken, .repeated, .withinGrace: true
        case .spent, .spentJustNow, .revoked, .unknown, .expired, .failing: false
        }
    }

    var isSpent: Bool { self == .spent || self == .spentJustNow }
}
