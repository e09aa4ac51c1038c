import HTTP
import L402
import Store
import Wallets

/// An offer as it goes out: a token and the invoice that makes it good.
struct MadeOffer {
    let challenge: Challenge
    let terms: PurchaseTerms
    let tokenID: [UInt8]
    /// Seconds since 1970.
    let invoiceExpiresAt: UInt64
}

/// An offer made earlier whose invoice can still be paid.
struct StandingOffer {
    let invoice: Invoice
    let terms: PurchaseTerms
    let identifier: Identifier

    /// `nil` when the wallet no longer tells the invoice.
    init?(_ invoice: Invoice?, terms: PurchaseTerms, identifier: Identifier) {
        guard let invoice, invoice.paymentHash == identifier.paymentHash else { return nil }
        self.invoice = invoice
        self.terms = terms
        self.identifier = identifier
    }
}

/// Makes the offer for a request that payment would let pass.
struct Minting {
    let visit: Visit
    let rule: Rule
    let offer: Offer
    /// Whether nobody has asked for an invoice: one is made only for who holds few.
    var isUnasked = false

    private var parts: Gate.Parts { visit.parts }
    private var now: UInt64 { visit.now }

    /// A payer needs this long to pay an invoice that is offered again.
    private static let payableSeconds: UInt64 = 15

    /// A /48 of IPv6 holds 65,536 clients, and whoever rents it is one: together they may hold as
    /// many unpaid invoices as this many clients.
    private static let clientsPerSite = 8

    /// The standing offer while it can be paid, else a new one.
    func make(standing: StandingOffer?) throws(Refusal) -> MadeOffer {
        if let again = try offerAgain(standing) { return again }
        return try makeNew()
    }

    /// The offer made earlier, as it was; `nil` when it can no longer be paid.
    func again(_ standing: StandingOffer) throws(Refusal) -> MadeOffer? {
        try offerAgain(standing)
    }

    /// The price in whole sats now.
    func priceSats() throws(Refusal) -> UInt64 {
        switch offer.price {
        case .sats(let whole):
            return whole
        case .fiat(let amount):
            guard let wallet = parts.wallets(rule.wallet).first else { throw .noWallet(rule) }
            do { return try wallet.sats(for: amount) } catch { throw Refusal(error) }
        }
    }

    private func offerAgain(_ standing: StandingOffer?) throws(Refusal) -> MadeOffer? {
        guard let standing, standing.invoice.expiresAt > now + Self.payableSeconds,
            standing.terms.validUntil > now
        else { return nil }
        return MadeOffer(
            standing.terms,
            identifier: standing.identifier,
            invoice: standing.invoice,
            key: try signingKey()
        )
    }

    private func makeNew() throws(Refusal) -> MadeOffer {
        guard let wallet = parts.wallets(rule.wallet).first else { throw .noWallet(rule) }
        let key = try signingKey()
        let sats = try priceSats()
        let address = try address(sats, key)
        let place = try reserve(expiresAt: now + visit.policy.invoiceExpirySeconds)
        let tag = PurchaseTag(
            service: rule.service,
            site: visit.policy.site,
            tier: rule.tier,
            address: address,
            validSeconds: offer.validSeconds,
            uses: offer.uses,
            priceSats: sats,
            tokenID: ClientMark.tokenID(
                random: parts.random(ClientMark.randomBytes),
                client: visit.clientKey,
                key: key
            ),
            place: place
        )
        let invoice: Invoice
        do {
            invoice = try wallet.makeInvoice(
                InvoiceOrder(
                    sats: sats,
                    memo: rule.memo,
                    expirySeconds: visit.policy.invoiceExpirySeconds,
                    extra: tag.extra(signedWith: key)
                )
            )
        } catch {
            try? parts.books.pending.release(place)
            throw Refusal(error)
        }
        guard
            let identifier = Identifier(paymentHash: invoice.paymentHash, tokenID: tag.tokenID)
        else { throw Refusal(StateError("no randomness for a token id")) }
        visit.record(
            .challenge,
            rule: rule,
            paymentHash: invoice.paymentHash,
            amount: invoice.amount
        )
        return MadeOffer(
            tag.terms(endOfInvoice: invoice.expiresAt),
            identifier: identifier,
            invoice: invoice,
            key: key
        )
    }

    /// The one address that is sold, where the rule sells each by itself: as itself while the token
    /// stays short.
    private func address(_ sats: UInt64, _ key: MasterKey) throws(Refusal) -> BoughtAddress? {
        guard rule.per != nil else { return nil }
        guard let sold = visit.soldAddress(rule) else { throw .addressAmbiguous }
        let terms = PurchaseTerms(
            service: rule.service,
            site: visit.policy.site,
            tier: rule.tier,
            address: BoughtAddress(sold.text),
            // As many digits as it will have.
            validUntil: now,
            validSeconds: offer.validSeconds,
            uses: offer.uses,
            priceSats: sats
        )
        let isShort = Token.length(of: terms, key: key) <= Token.comfortableLength
        return isShort ? terms.address : .digested(sold.text)
    }

    /// A place for one more unpaid invoice of the client, and of its /48.
    private func reserve(expiresAt: UInt64) throws(Refusal) -> PendingPlace {
        let limit = visit.policy.maxPending
        let own = try reserve(visit.clientKey, limit, expiresAt)
        guard let site = visit.request.client?.site else { return own }
        do {
            return own.and(try reserve(site, limit * Self.clientsPerSite, expiresAt))
        } catch {
            try? parts.books.pending.release(own)
            throw error
        }
    }

    private func reserve(_ client: [UInt8], _ limit: Int, _ expiresAt: UInt64) throws(Refusal)
        -> PendingPlace
    {
        let outcome: PendingOutcome
        do throws(StateError) {
            outcome = try parts.books.pending.reserve(
                client: client,
                limit: limit,
                below: isUnasked ? (limit + 1) / 2 : limit,
                expiresAt: expiresAt,
                now: now
            )
        } catch {
            throw Refusal(error)
        }
        switch outcome {
        case .reserved(let place):
            return place
        case .full(let seconds):
            throw Refusal(
                429,
                .tooManyPending,
                "you hold \(visit.policy.maxPending) unpaid invoices; pay one or wait",
                retryAfterSeconds: seconds
            )
        }
    }

    private func signingKey() throws(Refusal) -> MasterKey {
        do throws(StateError) {
            guard let key = try parts.books.keys.keys().last else {
                throw StateError("there is no master key")
            }
            return key
        } catch {
            throw Refusal(error)
        }
    }
}

extension MadeOffer {
    fileprivate init(
        _ terms: PurchaseTerms,
        identifier: Identifier,
        invoice: Invoice,
        key: MasterKey
    ) {
        challenge = Challenge(
            token: Token.mint(terms, identifier: identifier, key: key).text,
            invoice: invoice.bolt11,
            paymentHash: invoice.paymentHash
        )
        self.terms = terms
        tokenID = identifier.tokenID
        invoiceExpiresAt = invoice.expiresAt
    }
}
