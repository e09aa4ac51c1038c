import HTTP
import L402
import Store
import Wallets

/// The decision over one request: open, admit or challenge.
///
/// ``decide(_:rules:now:)`` is the one function that everything else serves. It is synchronous and
/// has no clock, no files and no sockets of its own; what it needs from outside are the
/// capabilities in ``Parts``. Its steps return values: ``Entrance`` says whether a request may pass
/// (``Redemption`` on what proof), ``Minting`` makes an offer, ``Answers`` writes.
package struct Gate: Sendable {
    /// What the decision needs from outside.
    package struct Parts: Sendable {
        /// The wallet of a rule's `wallet=` name, `nil` for the default one, and after it the others
        /// that may know a payment; empty when the first is not configured.
        package var wallets: @Sendable (String?) -> [any InvoiceIssuer]
        /// Uses, free requests, unpaid invoices, events, keys.
        package var books: Books
        /// So many bytes of good randomness.
        package var random: @Sendable (Int) -> [UInt8]
        /// Whether there is a file at this decoded path below this directory, that of `file:`,
        /// `exists=` or `teaser=`: asked before anything is sold.
        package var isThere: @Sendable (_ path: [UInt8], _ directory: String) -> Bool
        /// The text of a rule's `teaser=` directory at this decoded path, to stand above the price;
        /// `nil` where there is none to be shown. Asked for a person's page only.
        package var teaser: @Sendable (_ path: [UInt8], _ directory: String) -> String?
        /// Waits so many milliseconds for what another process is about to do; `false` where too
        /// many requests wait already.
        package var waitABit: @Sendable (UInt64) -> Bool
        /// What processes share about invoices that people look at.
        package var waiting: any WaitingRoom
        /// The page for people, as its file is now.
        package var page: @Sendable () -> PageTemplate
        /// A text as a QR code: which modules are dark, row by row, without the quiet zone; `nil`
        /// where nothing can make one, or the text is too long.
        package var qr: @Sendable (String) -> [[Bool]]?
        /// What `/.l402/metrics` tells, as Prometheus text; `nil` where nothing is counted.
        package var metrics: @Sendable () -> String?

        package init(
            wallets: @escaping @Sendable (String?) -> [any InvoiceIssuer],
            books: Books,
            random: @escaping @Sendable (Int) -> [UInt8],
            isThere: @escaping @Sendable ([UInt8], String) -> Bool = { _, _ in true },
            teaser: @escaping @Sendable ([UInt8], String) -> String? = { _, _ in nil },
            waitABit: @escaping @Sendable (UInt64) -> Bool = { _ in false },
            waiting: any WaitingRoom = NoWaitingRoom(),
            page: @escaping @Sendable () -> PageTemplate = { .standard },
            qr: @escaping @Sendable (String) -> [[Bool]]? = { _ in nil },
            metrics: @escaping @Sendable () -> String? = { nil }
        ) {
            self.wallets = wallets
            self.books = books
            self.random = random
            self.isThere = isThere
            self.teaser = teaser
            self.waitABit = waitABit
            self.waiting = waiting
            self.page = page
            self.qr = qr
            self.metrics = metrics
        }
    }

    /// What the operator chose for all rules.
    package struct Policy: Sendable, Equatable {
        /// `L402_SITE`, or what stands for it: what is sold here opens nothing on another site of
        /// the same state directory. `nil` where there is one site only.
        package var site: String?
        /// `L402_INVOICE_EXPIRY` in seconds.
        package var invoiceExpirySeconds: UInt64 = 600
        /// `L402_MAX_PENDING`.
        package var maxPending = 20
        /// `L402_TRUST_PREIMAGE`.
        package var trustsPreimage = false
        /// `L402_DRY_RUN`.
        package var isDryRun = false
        /// `L402_CORS`.
        package var cors = CORSPolicy("*")
        /// `L402_METRICS`.
        package var metrics = MetricsAccess.local
        /// `L402_SERVE`: the target of rules without `serve=`.
        package var defaultServe: ServeTarget?
        /// Whether the server understands `X-Sendfile` (`L402_SENDFILE`).
        package var sendsFiles = false

        /// `L402_RELOAD_GRACE` in seconds; 0 for none.
        package var reloadGraceSeconds: UInt64 = 30
        /// `L402_LANG`; `nil` for the browser's choice.
        package var language: PageLanguage?
        /// `L402_FIAT`: the currency (ISO 4217) in which a page says about how much it is.
        package var fiat: String?

        /// The defaults.
        package init() {}
    }

    /// What is remembered from one request to the next in this process. It changes no answer for who
    /// has paid.
    struct Memory: Sendable {
        /// Questions to the wallet that led nowhere.
        let attempts = FailedAttempts()
        /// Tokens that need not be verified again.
        let known = KnownTokens()
    }

    /// What is the same for all requests, behind one reference: the steps over a request hand it on by
    /// value, and each field of ``Parts`` would be counted each time.
    final class Core: Sendable {
        let parts: Parts
        let policy: Policy
        let memory = Memory()

        init(_ parts: Parts, _ policy: Policy) {
            self.parts = parts
            self.policy = policy
        }
    }

    private let core: Core
    var parts: Parts { core.parts }
    var policy: Policy { core.policy }

    package init(parts: Parts, policy: Policy) {
        core = Core(parts, policy)
    }

    /// Decides one request. Whatever it takes, a use or a free request, is on record when it
    /// returns, and named in ``Decision/taken``.
    package func decide(_ request: Request, rules: Rules, now: UInt64) -> Decision {
        let visit = Visit(
            request: request,
            rules: rules,
            now: now,
            core: core
        )
        var decision = decide(visit)
        let isPrivate = decision.outcome == .metrics
        if !isPrivate {
            let cors = decision.rule?.cors.map { CORSPolicy($0) } ?? policy.cors
            decision.answer.headers += cors.headers { request.headerText("HTTP_ORIGIN") }
        }
        if request.mode == .auth { decision = decision.asBareVerdict() }
        return decision
    }

    private func decide(_ visit: Visit) -> Decision {
        let request = visit.request
        let own = OwnEndpoints(visit: visit)
        if own.isOwnPath { return own.answer() }
        if let answer = ownWord(visit) { return answer }
        guard let rule = visit.rule(forPath: request.path.bytes) else { return own.unmatched() }
        let answers = Answers(visit: visit, rule: rule)
        switch request.mode {
        case .refund: return Returns(visit: visit, rule: rule, gate: self).refund()
        case .settle: return Returns(visit: visit, rule: rule, gate: self).settle()
        case .challenge where !request.taken.isEmpty:
            // `auth` let it pass: the 403 is of what lies behind, and no question of payment.
            Returns(visit: visit, rule: rule, gate: self).returnUnlessBackendAnswered()
            return answers.refused(
                Refusal(403, .goodsRefused, "the service refuses this request")
            )
        case .respond, .auth, .challenge, .authorizer: break
        }
        if request.method == "OPTIONS", case .priced = rule.access { return own.preflight(rule) }
        var verdict = Entrance(visit: visit, rule: rule).verdict()
        if policy.isDryRun, case .refused(let refusal) = verdict, refusal.isWaivedByDryRun {
            verdict = .admitted(Admission(.dryRun(refusal.code)))
        }
        switch verdict {
        case .admitted(let admission):
            if request.mode == .challenge { return retry(admission, answers) }
            return answers.admitted(covering(admission, visit, rule), rule)
        case .refused(let refusal):
            if refusal.isForWantOfPayment, let missing = missingFile(visit, rule) {
                return answers.refused(missing)
            }
            return answers.refused(refusal)
        }
    }

    /// Between `auth_request`'s refusal and the call for its challenge the credential became good:
    /// nothing can be served from here, so nothing is taken either.
    private func retry(_ admission: Admission, _ answers: Answers) -> Decision {
        if let taken = admission.taken(at: answers.visit.now) {
            _ = giveBack(taken, .nothingDelivered, now: answers.visit.now)
        }
        return answers.refused(
            Refusal(
                503,
                .tryAgain,
                "your payment has just arrived; send it again",
                retryAfterSeconds: 1
            )
        )
    }

    /// The gate's own words at the address of something that is sold: `l402=status` and so on.
    private func ownWord(_ visit: Visit) -> Decision? {
        let request = visit.request
        guard let word = request.ownWord else { return nil }
        switch request.mode {
        case .refund, .settle: return nil
        // `auth` let it pass: the 403 is of what lies behind.
        case .challenge where !request.taken.isEmpty: return nil
        case .respond, .auth, .challenge, .authorizer: break
        }
        // What is sold to people is sold by GET; the button and its like are posted there.
        guard let rule = visit.rule(forPath: request.path.bytes, method: "GET"),
            case .priced(let offer) = rule.access
        else { return nil }
        if word == .offer || word == .wait {
            // Nothing is sold that could not be served.
            let refusal =
                Entrance(visit: visit, rule: rule).refusalForShape(method: "GET")
                ?? missingFile(visit, rule)
            if let refusal { return Answers(visit: visit, rule: rule).refused(refusal) }
        }
        return PersonWords(visit: visit, rule: rule, offer: offer).answer(word)
    }

    /// The answer to `HEAD` is no delivery. Where the gate answers itself, it knows that at once.
    private func covering(_ admission: Admission, _ visit: Visit, _ rule: Rule) -> Admission {
        guard visit.request.method == "HEAD", visit.target(of: rule) == .demo,
            case .paid(let claim, .counted) = admission.kind
        else { return admission }
        _ = giveBack(.payment(claim), .nothingDelivered, now: visit.now)
        return Admission(.paid(claim, .covered), body: admission.body)
    }

    /// Nothing is sold that is not there.
    private func missingFile(_ visit: Visit, _ rule: Rule) -> Refusal? {
        var directories: [String] = []
        // What else is asked of files is refused by whoever hands them over.
        if case .file(let directory) = visit.target(of: rule),
            visit.request.isSafe || visit.request.ownWord != nil
        {
            directories.append(directory)
        }
        if let directory = rule.exists { directories.append(directory) }
        // The texts say what there is only where nothing else does.
        if directories.isEmpty, let directory = rule.teaser { directories.append(directory) }
        let path = visit.request.path.bytes
        if directories.allSatisfy({ parts.isThere(path, $0) }) { return nil }
        return Refusal(404, .fileNotFound, "there is no such file; nothing has been taken")
    }

    /// Returns what a request took. Says whether anything came back.
    package func giveBack(_ taken: Taken, _ cause: ReturnCause, now: UInt64) -> Bool {
        do {
            switch taken {
            case .payment(let claim):
                guard try parts.books.ledger.giveBack(claim, cause, now: now) else { return false }
                parts.books.journal.record(
                    JournalEvent(
                        time: now,
                        kind: .refunded,
                        service: claim.terms.service,
                        tier: claim.terms.tier,
                        paymentHash: claim.paymentHash,
                        amount: claim.price,
                        code: cause == .failure ? "failure" : "nothing_delivered"
                    )
                )
                return true
            case .free(let claim, let takenAt):
                return try parts.books.free.giveBack(claim, cause, takenAt: takenAt)
            }
        } catch {
            return false
        }
    }
}

/// Whom `/.l402/metrics` is told.
package enum MetricsAccess: String, Sendable, CaseIterable {
    /// Requests from the machine itself, `127.0.0.0/8` and `::1`.
    case local
    /// Everybody.
    case all
    /// Nobody.
    case off
}
