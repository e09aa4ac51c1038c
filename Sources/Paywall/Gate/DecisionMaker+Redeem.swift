import L402
import Lightning

/// Why a credential did not do, and the invoice that would still make it good.
private struct Refusal: Error {
    enum Reason {
        case credential(CredentialError)
        case wallet(WalletError)
        case state(StateError)
        case noWallet
        case tooManyAttempts
    }
    let reason: Reason
    var stillPayable: StandingOffer?

    init(_ error: CredentialError, stillPayable: StandingOffer? = nil) {
        reason = .credential(error)
        self.stillPayable = stillPayable
    }
    init(_ error: WalletError) { reason = .wallet(error) }
    init(_ error: StateError) { reason = .state(error) }
    init(_ reason: Reason) { self.reason = reason }
}

extension DecisionMaker {
    /// Passes on the strength of a header that was served before. Whatever is not as it was goes
    /// the long way, and gets its refusal there: `Authorization` is what would be tried first.
    func passAsKnown(_ rule: Rule, body: BodyReader) -> Decision? {
        guard let header = request.header("HTTP_AUTHORIZATION"),
            let token = parts.known.token(header, for: rule, now: now, keys: { try? parts.keys() }),
            let admission = try? take(claim(token), rule: rule)
        else { return nil }
        return pass(rule, admission, body: body)
    }

    /// Tries what was presented, in order; the first that holds is used.
    func redeem(
        _ presented: PresentedCredentials,
        rule: Rule,
        offer: Offer,
        body: BodyReader
    ) -> Decision {
        var first: Refusal?
        for (order, credential) in presented.credentials.enumerated() {
            do {
                let admission = try admission(credential, rule: rule)
                if order == 0, presented.hasOneAuthorizationToken {
                    remember(admission, rule: rule)
                }
                return pass(rule, admission, body: body)
            } catch {
                first = first ?? error
            }
        }
        let refusal = first ?? Refusal(presented.problem ?? .malformed("it is empty"))
        switch refusal.reason {
        case .credential(let error):
            return challenge(rule, offer, refusing: error, standing: refusal.stillPayable)
        case .wallet(let error):
            return unavailable(rule, error)
        case .state(let error):
            return unavailable(rule, error)
        case .noWallet:
            return noWallet(rule)
        case .tooManyAttempts:
            return tooManyAttempts(rule)
        }
    }

    /// Keeps what the one token in `Authorization` has just been found to say.
    private func remember(_ admission: Admission, rule: Rule) {
        guard let proof = admission.proof, let header = request.header("HTTP_AUTHORIZATION") else {
            return
        }
        parts.known.keep(proof.token, from: header, for: rule, keys: proof.keys)
    }

    /// What the failed goods of this request took, for the refund call.
    func claimToReturn(_ presented: PresentedCredentials, rule: Rule) -> PaymentClaim? {
        for credential in presented.credentials {
            switch credential {
            case .tokens(let tokens, _):
                guard let keys = try? parts.keys() else { continue }
                for token in tokens {
                    // Expiry is no reason to keep what was not delivered, hence `now: 0`.
                    guard
                        let verified = try? token.verified(
                            by: keys,
                            for: rule.service,
                            tier: rule.tier,
                            now: 0
                        )
                    else { continue }
                    return claim(verified.minted, verified.paymentHash)
                }
            case .hash(let hash):
                // What a request took is on record.
                guard let terms = try? parts.ledger.terms(of: hash), terms.service == rule.service
                else { continue }
                return claim(terms, hash)
            }
        }
        return nil
    }

    private func admission(_ credential: Credential, rule: Rule) throws(Refusal) -> Admission {
        switch credential {
        case .tokens(let tokens, let preimage):
            var first: Refusal?
            for token in tokens {
                do {
                    return try admission(token, preimage: preimage, rule: rule)
                } catch {
                    first = first ?? error
                }
            }
            throw first ?? Refusal(.malformed("there is no token"))
        case .hash(let hash):
            return try admission(hash, rule: rule)
        }
    }

    /// A token: signature, caveats, preimage, then the record of its payment, and only when there
    /// is none the wallet.
    private func admission(_ token: Token, preimage: Preimage?, rule: Rule) throws(Refusal)
        -> Admission
    {
        let keys = try masterKeys()
        let verified: VerifiedToken
        do {
            verified = try token.verified(by: keys, for: rule.service, tier: rule.tier, now: now)
        } catch {
            throw Refusal(error)
        }
        if let preimage, preimage.paymentHash != verified.paymentHash {
            throw Refusal(.preimageMismatch)
        }
        let claim = claim(verified)
        if let known = try take(claim, rule: rule) { return known.proved(by: verified, keys) }

        if policy.trustsPreimage, preimage != nil {
            return try open(claim, rule: rule).proved(by: verified, keys)
        }
        guard let payment = try payment(verified.paymentHash, rule: rule) else {
            throw Refusal(.unknownPayment)
        }
        guard payment.isPaid else {
            throw Refusal(
                .unpaid,
                stillPayable: StandingOffer(
                    payment,
                    terms: verified.minted,
                    identifier: token.identifier
                )
            )
        }
        return try open(claim, payment: payment, keys: keys, rule: rule).proved(by: verified, keys)
    }

    /// A bare hash: the payment must carry this gate's own signed tag for this service.
    private func admission(_ hash: PaymentHash, rule: Rule) throws(Refusal) -> Admission {
        guard rule.acceptsHash else { throw Refusal(.hashNotAccepted) }
        if let terms = try knownTerms(of: hash) {
            try check(terms, fit: rule)
            if let known = try take(claim(terms, hash), rule: rule) { return known }
        }
        let keys = try masterKeys()
        guard let payment = try payment(hash, rule: rule) else { throw Refusal(.unknownPayment) }
        let tag: PurchaseTag
        do {
            tag = try PurchaseTag(extra: payment.extra, keys: keys)
        } catch {
            throw Refusal(error)
        }
        try check(tag.terms, fit: rule)
        guard payment.isPaid else {
            throw Refusal(
                .unpaid,
                stillPayable: Identifier(paymentHash: hash, tokenID: tag.tokenID).flatMap {
                    StandingOffer(payment, terms: tag.terms, identifier: $0)
                }
            )
        }
        let claim = claim(tag.terms, hash)
        if let known = try take(claim, rule: rule) { return known }
        return try open(claim, payment: payment, keys: keys, rule: rule)
    }

    private func check(_ terms: PurchaseTerms, fit rule: Rule) throws(Refusal) {
        guard terms.service == rule.service, terms.tier >= rule.tier else {
            throw Refusal(.wrongService)
        }
        guard now < terms.validUntil else { throw Refusal(.expired) }
    }

    // MARK: - The capabilities, their errors as refusals

    private func knownTerms(of hash: PaymentHash) throws(Refusal) -> PurchaseTerms? {
        do {
            return try parts.ledger.terms(of: hash)
        } catch {
            throw Refusal(error)
        }
    }

    private func masterKeys() throws(Refusal) -> [MasterKey] {
        do {
            return try parts.keys()
        } catch {
            throw Refusal(error)
        }
    }

    private func payment(_ hash: PaymentHash, rule: Rule) throws(Refusal) -> WalletPayment? {
        guard let wallet = parts.wallet(rule.wallet) else { throw Refusal(.noWallet) }
        guard !hasTooManyAttempts else { throw Refusal(.tooManyAttempts) }
        do {
            return try ask(wallet, hash, for: .redemption)
        } catch {
            throw Refusal(error)
        }
    }

    private func claim(_ token: VerifiedToken) -> PaymentClaim {
        claim(token.minted, token.paymentHash, cap: token.uses)
    }

    private func claim(_ terms: PurchaseTerms, _ hash: PaymentHash, cap: UInt64? = nil)
        -> PaymentClaim
    {
        PaymentClaim(
            paymentHash: hash,
            service: terms.service,
            tier: terms.tier,
            uses: terms.uses,
            cap: cap,
            validUntil: terms.validUntil,
            price: Millisatoshis(sats: terms.priceSats) ?? Millisatoshis(msat: .max),
            // Nothing is taken from an unlimited payment, so that nothing is ever returned.
            requestID: terms.uses == nil ? "" : request.requestID
        )
    }

    /// Takes a use of a payment on record; `nil` when there is no record.
    private func take(_ claim: PaymentClaim, rule: Rule) throws(Refusal) -> Admission? {
        let outcome: TakeOutcome
        do throws(StateError) {
            outcome = try parts.ledger.take(claim, now: now)
        } catch {
            throw Refusal(error)
        }
        return try admission(outcome, claim)
    }

    /// Puts a payment that the wallet confirms on record and takes its first use.
    private func open(
        _ claim: PaymentClaim,
        payment: WalletPayment,
        keys: [MasterKey],
        rule: Rule
    ) throws(Refusal) -> Admission {
        guard payment.amount >= claim.price else { throw Refusal(.underpaid) }
        if let tag = try? PurchaseTag(extra: payment.extra, keys: keys), let place = tag.place {
            // A paid invoice frees its place; failing to is no reason to refuse who has paid.
            try? parts.pending.release(place)
        }
        return try open(claim, rule: rule)
    }

    private func open(_ claim: PaymentClaim, rule: Rule) throws(Refusal) -> Admission {
        let outcome: TakeOutcome
        do throws(StateError) {
            outcome = try parts.ledger.open(claim, now: now)
        } catch {
            throw Refusal(error)
        }
        guard let admission = try admission(outcome, claim) else {
            throw Refusal(StateError("a record just made is not there"))
        }
        record(.paid, rule: rule, paymentHash: claim.paymentHash, amount: claim.price)
        return admission
    }

    private func admission(_ outcome: TakeOutcome, _ claim: PaymentClaim) throws(Refusal)
        -> Admission?
    {
        switch outcome {
        case .taken(let usesLeft): Admission(kind: .paid(claim, usesLeft: usesLeft))
        case .spent: throw Refusal(.spent)
        case .revoked: throw Refusal(.revoked)
        case .expired: throw Refusal(.expired)
        case .unknown: nil
        }
    }
}
