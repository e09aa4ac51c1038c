import L402
import Lightning
import Store
import Wallets

/// Whether what a request presents opens its rule: an admission, or the refusal to be told.
struct Redemption {
    let visit: Visit
    let rule: Rule

    private var parts: Gate.Parts { visit.parts }
    private var now: UInt64 { visit.now }

    /// Passes on the strength of a header that was served before. Whatever is not as it was goes
    /// the long way, and gets its refusal there: `Authorization` is what would be tried first.
    func asKnown() -> Admission? {
        guard let header = visit.request.header("HTTP_AUTHORIZATION"),
            let token = visit.memory.known.token(
                header,
                for: rule,
                now: now,
                keys: { try? parts.books.keys.keys() }
            ),
            token.minted.uses == nil || !visit.request.isPrefetch,
            Reach(visit: visit, rule: rule).includes(token.addresses),
            let outcome = try? parts.books.ledger.take(claim(token), now: now)
        else { return nil }
        return try? admission(outcome, claim(token))
    }

    /// Tries what was presented: first what is on record, then what the wallet has to be asked
    /// about. The first that holds is used, so that a paid credential opens in whatever company.
    func redeem(_ presented: PresentedCredentials) -> Verdict {
        var refusals: [Refusal] = []
        var unknown: [Candidate] = []
        for (order, credential) in presented.credentials.enumerated() {
            for candidate in candidates(credential, order, &refusals) {
                do throws(Refusal) {
                    if let admission = try onRecord(candidate) {
                        return .admitted(remembered(admission, candidate, presented))
                    }
                    unknown.append(candidate)
                } catch {
                    refusals.append(error)
                }
            }
        }
        // What is good for something after all is told without asking about the rest.
        let isTold = refusals.contains { $0.precedence == Self.goodForSomething }
        for candidate in unknown where !isTold {
            do throws(Refusal) {
                let admission = try first(candidate)
                return .admitted(remembered(admission, candidate, presented))
            } catch {
                refusals.append(error)
            }
        }
        let told = refusals.min { $0.precedence < $1.precedence }
        return .refused(told ?? Refusal(presented.problem ?? .malformed("it is empty")))
    }

    private static let goodForSomething = Refusal.navigationOnly.precedence

    // MARK: - Candidates

    /// A credential that is worth a look at the books.
    private struct Candidate {
        enum Kind {
            case token(Token, VerifiedToken, [MasterKey], PreimageProof.Judgement, isCookie: Bool)
            case hash(PaymentHash)
        }
        let kind: Kind
        /// Its place in ``PresentedCredentials/credentials``.
        let order: Int

        var isCookie: Bool {
            if case .token(_, _, _, _, let isCookie) = kind { isCookie } else { false }
        }
    }

    /// Why a payment whose uses are counted takes none for this request.
    private enum Restraint {
        /// The browser loads ahead.
        case prefetch
        /// It came in a cookie, and the request is no navigation of a person.
        case navigationOnly
        /// It came in a cookie, from another site's page.
        case crossSite
    }

    private func restraint(_ terms: PurchaseTerms, isCookie: Bool) -> Restraint? {
        guard terms.uses != nil else { return nil }
        if visit.request.isPrefetch { return .prefetch }
        guard isCookie else { return nil }
        if visit.request.audience != .person { return .navigationOnly }
        return visit.request.isCrossSite ? .crossSite : nil
    }

    private func candidates(_ credential: Credential, _ order: Int, _ refusals: inout [Refusal])
        -> [Candidate]
    {
        switch credential {
        case .hash(let hash):
            guard rule.acceptsHash else {
                refusals.append(Refusal(.hashNotAccepted))
                return []
            }
            return [Candidate(kind: .hash(hash), order: order)]
        case .tokens(let tokens, let proof, let isCookie):
            let keys: [MasterKey]
            do {
                keys = try parts.books.keys.keys()
            } catch {
                refusals.append(Refusal(error))
                return []
            }
            return tokens.compactMap { token in
                do throws(CredentialError) {
                    let verified = try token.verified(
                        by: keys,
                        for: rule.service,
                        site: visit.policy.site,
                        tier: rule.tier,
                        isWithin: Reach(visit: visit, rule: rule).includes,
                        now: now
                    )
                    let judgement = proof.judge(verified.paymentHash)
                    return Candidate(
                        kind: .token(token, verified, keys, judgement, isCookie: isCookie),
                        order: order
                    )
                } catch {
                    refusals.append(Refusal(error))
                    return nil
                }
            }
        }
    }

    /// Keeps what the one token in `Authorization` has just been found to say.
    private func remembered(
        _ admission: Admission,
        _ candidate: Candidate,
        _ presented: PresentedCredentials
    ) -> Admission {
        if candidate.order == 0, presented.hasOneAuthorizationToken, let proof = admission.proof,
            let header = visit.request.header("HTTP_AUTHORIZATION")
        {
            visit.memory.known.keep(proof.token, from: header, for: rule, keys: proof.keys)
        }
        return admission
    }

    // MARK: - On record

    /// Admits by the books alone; `nil` when they know nothing of the payment.
    private func onRecord(_ candidate: Candidate) throws(Refusal) -> Admission? {
        switch candidate.kind {
        case .token(_, let verified, let keys, let judgement, _):
            if judgement == .wrong || judgement == .unreadable {
                // The proof is none; the payment is what it is, and nobody is asked to pay again.
                let outcome = try reading { () throws(StateError) in
                    try parts.books.ledger.look(self.claim(verified), now: now)
                }
                if outcome == .unknown { return nil }
                throw Refusal(error(for: judgement), .price)
            }
            let claim = self.claim(verified, isCookie: candidate.isCookie)
            if let restraint = self.restraint(verified.minted, isCookie: candidate.isCookie) {
                return try covered(claim, restraint)
            }
            return try take(claim)?.proved(by: verified, keys)
        case .hash(let hash):
            let known = try reading { () throws(StateError) in
                try parts.books.ledger.terms(of: hash)
            }
            guard let terms = known else { return nil }
            try check(terms)
            if restraint(terms, isCookie: false) != nil { throw Refusal.prefetch }
            return try take(visit.claim(terms, hash, for: rule))
        }
    }

    /// Admits what takes no use; `nil` when there is no record.
    private func covered(_ claim: PaymentClaim, _ restraint: Restraint) throws(Refusal)
        -> Admission?
    {
        if restraint == .prefetch { throw Refusal.prefetch }
        let outcome = try reading { () throws(StateError) in
            try parts.books.ledger.look(claim, now: now)
        }
        switch outcome {
        case .withinGrace:
            let taken = try reading { () throws(StateError) in
                try parts.books.ledger.take(claim, now: now)
            }
            // It ended between the two looks: nothing is taken.
            if case .taken = taken {
                _ = try? parts.books.ledger.giveBack(claim, .nothingDelivered, now: now)
                throw refusal(restraint, claim, left: nil)
            }
            return try admission(taken, claim)
        case .taken(let left), .repeated(let left):
            let before = if case .taken = outcome { (left ?? 0) + 1 } else { left ?? 0 }
            throw refusal(restraint, claim, left: before)
        case .unknown, .spent, .spentJustNow, .revoked, .expired, .failing:
            return try admission(outcome, claim)
        }
    }

    private func refusal(_ restraint: Restraint, _ claim: PaymentClaim, left: UInt64?) -> Refusal {
        var refusal =
            switch restraint {
            case .prefetch: Refusal.prefetch
            case .navigationOnly: Refusal.navigationOnly
            case .crossSite:
                Refusal.crossSite(
                    left: left ?? claim.terms.uses ?? 0,
                    of: claim.terms.uses ?? 0
                )
            }
        refusal.paymentHash = claim.paymentHash
        return refusal
    }

    private func error(for judgement: PreimageProof.Judgement) -> CredentialError {
        judgement == .wrong
            ? .preimageMismatch
            : .malformed("the preimage is neither 64 hex digits nor base64 of 32 bytes")
    }

    private func check(_ terms: PurchaseTerms) throws(Refusal) {
        guard terms.service == rule.service, terms.tier >= rule.tier else {
            throw Refusal(.wrongService)
        }
        guard terms.site == visit.policy.site else { throw Refusal(.wrongSite) }
        let addresses = terms.address.map { [$0] } ?? []
        guard Reach(visit: visit, rule: rule).includes(addresses) else {
            throw Refusal(.wrongPath)
        }
        guard now < terms.validUntil else { throw Refusal(.expired) }
    }

    // MARK: - The first redemption

    /// Admits a payment that is not on record, by the wallet's word.
    private func first(_ candidate: Candidate) throws(Refusal) -> Admission {
        switch candidate.kind {
        case .token(let token, let verified, let keys, let judgement, let isCookie):
            let hash = verified.paymentHash
            let restraint = self.restraint(verified.minted, isCookie: isCookie)
            switch restraint {
            case .prefetch: throw Refusal.prefetch
            // It opens nothing here, paid or not: the wallet is not asked.
            case .navigationOnly: throw Refusal.nothingPresented
            case .crossSite, nil: break
            }
            let claim = self.claim(verified, isCookie: isCookie)
            if visit.policy.trustsPreimage, judgement == .right {
                return try open(claim).proved(by: verified, keys)
            }
            let answer = try WalletWord(visit: visit, rule: rule)
                .about(hash, isProved: judgement == .right)
            switch answer {
            case .paid(let payment):
                guard judgement == .right || judgement == .absent else {
                    throw Refusal(error(for: judgement), .price)
                }
                if let restraint { throw refusal(restraint, claim, left: claim.terms.uses) }
                return try open(claim, payment, keys).proved(by: verified, keys)
            case .unknown:
                throw Refusal.undecided(hash, "no wallet that is configured knows this payment")
            case .foreign(let reason):
                throw Refusal.undecided(hash, reason)
            case .unpaid(let payment):
                if judgement == .right {
                    throw Refusal.undecided(
                        hash,
                        "the preimage is right, and LNbits says that it is not paid: unconfirmed"
                    )
                }
                let refused: CredentialError =
                    judgement == .absent ? .unpaid : error(for: judgement)
                // Who asks for one path is not offered the whole service for it.
                let isAsked = (verified.minted.address == nil) == (rule.per == nil)
                let isOurs = isAsked && (!isCookie || isMadeForClient(token.identifier, keys))
                if isCookie, isOurs, visit.request.audience == .person,
                    let end = verified.minted.invoiceEnd, end <= now
                {
                    var refusal = Refusal(refused, .price)
                    refusal.isOver = true
                    throw refusal
                }
                throw Refusal(
                    refused,
                    .invoice(
                        standing: isOurs
                            ? StandingOffer(
                                payment.invoice,
                                terms: verified.minted,
                                identifier: token.identifier
                            ) : nil
                    )
                )
            }
        case .hash(let hash):
            return try first(hash)
        }
    }

    /// A bare hash: the payment must carry this gate's own signed tag for this service. Its invoice
    /// is never offered again: whoever sends a link with his own hash would have others pay it.
    private func first(_ hash: PaymentHash) throws(Refusal) -> Admission {
        if visit.request.isPrefetch { throw Refusal.prefetch }
        let keys: [MasterKey]
        do { keys = try parts.books.keys.keys() } catch { throw Refusal(error) }
        switch try WalletWord(visit: visit, rule: rule).about(hash, isProved: false) {
        case .foreign(let reason):
            // What nobody knows may be a preimage sent in the wrong place: it is not written down.
            throw Refusal.undecided(nil, reason)
        case .unknown:
            throw notConfirmed(nil)
        case .unpaid(let payment):
            if let invoice = payment.invoice, invoice.expiresAt <= now {
                throw Refusal(.expired)
            }
            throw notConfirmed(hash)
        case .paid(let payment):
            let terms: PurchaseTerms
            do throws(CredentialError) {
                terms = try PurchaseTag(extra: payment.extra, keys: keys).terms(payment.invoice)
            } catch {
                throw Refusal(error)
            }
            try check(terms)
            return try open(visit.claim(terms, hash, for: rule), payment, keys)
        }
    }

    private func notConfirmed(_ hash: PaymentHash?) -> Refusal {
        var refusal = Refusal(.unpaid, .price)
        refusal.retryAfterSeconds = 2
        refusal.paymentHash = hash
        return refusal
    }

    /// Whether an offer was made for the client that this request comes from.
    private func isMadeForClient(_ identifier: Identifier, _ keys: [MasterKey]) -> Bool {
        ClientMark.isOn(identifier.tokenID, client: visit.clientKey, keys: keys)
    }

    // MARK: - The books

    private func claim(_ token: VerifiedToken, isCookie: Bool = false) -> PaymentClaim {
        visit.claim(
            token.minted,
            token.paymentHash,
            cap: token.uses,
            for: rule,
            isCookie: isCookie
        )
    }

    /// Takes a use of a payment on record; `nil` when there is no record.
    private func take(_ claim: PaymentClaim) throws(Refusal) -> Admission? {
        var outcome = try reading { () throws(StateError) in
            try parts.books.ledger.take(claim, now: now)
        }
        // The last use may be on its way back: a HEAD, a 304 or a failure that the web server is
        // just reporting. Who has paid is not refused for being quick.
        for pause in Self.pauses where outcome == .spentJustNow {
            guard parts.waitABit(pause) else { break }
            outcome = try reading { () throws(StateError) in
                try parts.books.ledger.take(claim, now: now)
            }
        }
        return try admission(outcome, claim)
    }

    /// Milliseconds between looks at a use that may be on its way back.
    private static let pauses: [UInt64] = [20, 40, 80, 160]

    /// Puts a payment that the wallet confirms on record and takes its first use.
    private func open(_ claim: PaymentClaim, _ payment: WalletPayment, _ keys: [MasterKey])
        throws(Refusal) -> Admission
    {
        guard payment.amount >= claim.price else { throw Refusal(.underpaid) }
        if let tag = try? PurchaseTag(extra: payment.extra, keys: keys), let place = tag.place {
            // A paid invoice frees its place; failing to is no reason to refuse who has paid.
            try? parts.books.pending.release(place)
        }
        return try open(claim)
    }

    private func open(_ claim: PaymentClaim) throws(Refusal) -> Admission {
        let outcome = try reading { () throws(StateError) in
            try parts.books.ledger.open(claim, now: now)
        }
        guard let admission = try admission(outcome, claim) else {
            throw Refusal(StateError("a record just made is not there"))
        }
        // Whoever pays has thrown away invoices on the way, as real clients do.
        try? parts.books.pending.releaseAll(client: visit.clientKey, now: now)
        visit.record(.paid, rule: rule, paymentHash: claim.paymentHash, amount: claim.price)
        return admission
    }

    private func admission(_ outcome: TakeOutcome, _ claim: PaymentClaim) throws(Refusal)
        -> Admission?
    {
        switch outcome {
        case .taken(let left), .repeated(let left):
            return Admission(.paid(claim, left.map { .counted(left: $0) } ?? .unlimited))
        case .withinGrace:
            return Admission(.paid(claim, .covered))
        case .spent, .spentJustNow: throw Refusal(.spent)
        case .revoked: throw Refusal(.revoked)
        case .expired: throw Refusal(.expired)
        case .failing:
            var refusal = Refusal(
                503,
                .goodsKeepFailing,
                "the goods have failed too often within the last hour; nothing has been taken, and "
                    + "your payment is good again later",
                retryAfterSeconds: 600
            )
            refusal.paymentHash = claim.paymentHash
            throw refusal
        case .unknown: return nil
        }
    }

    private func reading<Value>(_ body: () throws(StateError) -> Value) throws(Refusal) -> Value {
        do throws(StateError) { return try body() } catch { throw Refusal(error) }
    }
}
