import L402
import Lightning

extension DecisionMaker {
    /// A payer needs this long to pay an invoice that is offered again.
    private static let payableSeconds: UInt64 = 15

    /// The 402: an offer, and why the credential that was sent did not do.
    func challenge(
        _ rule: Rule,
        _ offer: Offer,
        refusing error: CredentialError?,
        standing: StandingOffer? = nil,
        freeLeft: FreeOutcome? = nil
    ) -> Decision {
        let code = error?.code ?? "payment_required"
        if policy.isDryRun { return pass(rule, Admission(kind: .dryRun(code))) }
        if request.mode == .auth {
            return verdictOnly(rule, code: code)
        }
        if request.method == "HEAD" {
            var answer = Answer(status: 402, headers: [("Cache-Control", "no-store")])
            if case .sats(let sats) = offer.price {
                answer = answer.adding("L402-Price", String(sats))
            }
            record(.refused, rule: rule, code: code)
            var decision = Decision("refused", answer, rule: rule)
            decision.code = code
            return finish(decision)
        }
        if error != nil { record(.refused, rule: rule, code: code) }
        do throws(OfferError) {
            let made: MadeOffer
            if let again = try standingOffer(standing) {
                made = again
            } else {
                made = try newOffer(rule, offer)
            }
            return offerAnswer(made, rule: rule, offer: offer, refusing: error, freeLeft: freeLeft)
        } catch {
            switch error {
            case .full(let seconds):
                return refuse(
                    rule,
                    429,
                    code: "too_many_pending",
                    "you hold \(policy.maxPending) unpaid invoices; pay one or wait",
                    retryAfterSeconds: seconds
                )
            case .wallet(let error): return unavailable(rule, error)
            case .state(let error): return unavailable(rule, error)
            case .noWallet: return noWallet(rule)
            }
        }
    }

    /// Inside `auth_request` no invoice is made: the second call makes it.
    private func verdictOnly(_ rule: Rule, code: String) -> Decision {
        var decision = Decision("refused", Answer(status: 403), rule: rule)
        decision.code = code
        return decision
    }

    private enum OfferError: Error {
        case full(UInt64)
        case wallet(WalletError)
        case state(StateError)
        case noWallet
    }

    private struct MadeOffer {
        let challenge: Challenge
        let terms: PurchaseTerms
        let invoiceExpiresAt: UInt64
    }

    /// The same invoice again, while it can be paid.
    private func standingOffer(_ standing: StandingOffer?) throws(OfferError) -> MadeOffer? {
        guard let standing, standing.invoice.expiresAt > now + Self.payableSeconds,
            standing.terms.validUntil > now
        else { return nil }
        let token = Token.mint(
            standing.terms,
            identifier: standing.identifier,
            key: try signingKey()
        )
        return MadeOffer(
            challenge: Challenge(
                token: token.text,
                invoice: standing.invoice.bolt11,
                paymentHash: standing.invoice.paymentHash
            ),
            terms: standing.terms,
            invoiceExpiresAt: standing.invoice.expiresAt
        )
    }

    private func newOffer(_ rule: Rule, _ offer: Offer) throws(OfferError) -> MadeOffer {
        guard let wallet = parts.wallet(rule.wallet) else { throw .noWallet }
        let key = try signingKey()
        let sats: UInt64
        switch offer.price {
        case .sats(let whole):
            sats = whole
        case .fiat(let amount):
            do { sats = try wallet.sats(for: amount) } catch { throw .wallet(error) }
        }
        // An invoice that could be paid after its token has expired would take money for nothing.
        let expirySeconds = min(policy.invoiceExpirySeconds, offer.validSeconds)
        let place = try reserve(expiresAt: now + expirySeconds)
        let tag = PurchaseTag(
            terms: PurchaseTerms(
                service: rule.service,
                tier: rule.tier,
                validUntil: now + offer.validSeconds,
                uses: offer.uses,
                priceSats: sats
            ),
            tokenID: parts.random(32),
            place: place
        )
        let invoice: Invoice
        do {
            invoice = try wallet.makeInvoice(
                InvoiceOrder(
                    sats: sats,
                    memo: rule.memo,
                    expirySeconds: expirySeconds,
                    extra: tag.extra(signedWith: key)
                )
            )
        } catch {
            try? parts.pending.release(place)
            throw .wallet(error)
        }
        guard
            let identifier = Identifier(paymentHash: invoice.paymentHash, tokenID: tag.tokenID)
        else { throw .state(StateError("no randomness for a token id")) }
        let token = Token.mint(tag.terms, identifier: identifier, key: key)
        record(
            .challenge,
            rule: rule,
            paymentHash: invoice.paymentHash,
            amount: invoice.amount
        )
        return MadeOffer(
            challenge: Challenge(
                token: token.text,
                invoice: invoice.bolt11,
                paymentHash: invoice.paymentHash
            ),
            terms: tag.terms,
            invoiceExpiresAt: invoice.expiresAt
        )
    }

    /// A /48 of IPv6 holds 65,536 clients, and whoever rents it is one: together they may hold as
    /// many unpaid invoices as this many clients.
    private static let clientsPerSite = 8

    /// A place for one more unpaid invoice of the client, and of its /48.
    private func reserve(expiresAt: UInt64) throws(OfferError) -> PendingPlace {
        // Without an address all share one client's places: fewer invoices, never more.
        let address = request.client
        let limit = policy.maxPending
        let own = try reserve(address?.client ?? [], limit, expiresAt)
        guard let site = address?.site else { return own }
        do {
            return own.and(try reserve(site, limit * Self.clientsPerSite, expiresAt))
        } catch {
            try? parts.pending.release(own)
            throw error
        }
    }

    private func reserve(_ client: [UInt8], _ limit: Int, _ expiresAt: UInt64) throws(OfferError)
        -> PendingPlace
    {
        let outcome: PendingOutcome
        do throws(StateError) {
            outcome = try parts.pending.reserve(
                client: client,
                limit: limit,
                expiresAt: expiresAt,
                now: now
            )
        } catch {
            throw .state(error)
        }
        switch outcome {
        case .reserved(let place): return place
        case .full(let seconds): throw .full(seconds)
        }
    }

    private func signingKey() throws(OfferError) -> MasterKey {
        do {
            guard let key = try parts.keys().last else {
                throw StateError("there is no master key")
            }
            return key
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(StateError("internal error: \(error)"))
        }
    }

    private func offerAnswer(
        _ made: MadeOffer,
        rule: Rule,
        offer: Offer,
        refusing error: CredentialError?,
        freeLeft: FreeOutcome?
    ) -> Decision {
        let body = ChallengeBody(
            made.challenge,
            terms: made.terms,
            memo: rule.memo,
            invoiceExpiresAt: made.invoiceExpiresAt,
            refusing: error,
            sendsHash: rule.acceptsHash
        )
        var answer: Answer
        if Accept.prefersHTML(request.headerText("HTTP_ACCEPT")) {
            answer = PaymentPage.answer(body)
            answer.headers.append(("Set-Cookie", cookie(made, rule: rule)))
        } else {
            answer = .json(402, body)
        }
        answer.headers.insert(
            contentsOf: made.challenge.headerValues.map { ("WWW-Authenticate", $0) },
            at: 0
        )
        answer.headers.append(("Vary", "Accept"))
        answer.headers.append(("L402-Price", String(made.terms.priceSats)))
        if let allowance = offer.free, let freeLeft {
            answer.headers += allowance.headers(freeLeft)
        }
        var decision = Decision("challenge", answer, rule: rule)
        decision.code = error?.code ?? "payment_required"
        decision.paymentHash = made.challenge.paymentHash
        return finish(decision)
    }

    /// The token for a browser that reloads the page after paying: good for the part of the site
    /// that the rule's pattern begins with, and gone with the token.
    private func cookie(_ made: MadeOffer, rule: Rule) -> String {
        let token = made.challenge.token.replacing("+", with: "-").replacing("/", with: "_")
            .filter { $0 != "=" }
        let seconds = made.terms.validUntil - min(now, made.terms.validUntil)
        return
            "l402=\(token); Path=\(rule.pattern.cookiePath); Max-Age=\(seconds); HttpOnly; SameSite=Lax"
    }
}
