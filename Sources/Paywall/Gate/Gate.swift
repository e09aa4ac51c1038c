import L402
import Lightning

/// The decision over one request: open, admit or challenge.
///
/// ``decide(_:rules:now:)`` is the one function that everything else serves. It is synchronous and
/// has no clock, no files and no sockets of its own; what it needs from outside are the
/// capabilities in ``Parts``.
public struct Gate: Sendable {
    /// What the decision needs from outside.
    public struct Parts: Sendable {
        /// The wallet of a rule's `wallet=` name, `nil` for the default one; `nil` when it is not
        /// configured.
        public var wallet: @Sendable (String?) -> (any InvoiceSource)?
        /// Uses of payments.
        public var ledger: any PaymentLedger
        /// The free tier.
        public var free: any FreeCounter
        /// Unpaid invoices per client.
        public var pending: any PendingInvoices
        /// Questions to the wallet that led nowhere.
        public let attempts = FailedAttempts()
        /// Tokens that need not be verified again.
        public let known = KnownTokens()
        /// What happened.
        public var journal: any Journal
        /// The master keys; the last one signs, all verify.
        public var keys: @Sendable () throws(StateError) -> [MasterKey]
        /// So many bytes of good randomness.
        public var random: @Sendable (Int) -> [UInt8]
        /// What `/.l402/metrics` tells, as Prometheus text; `nil` where nothing is counted.
        public var metrics: @Sendable () -> String?

        /// All parts.
        public init(
            wallet: @escaping @Sendable (String?) -> (any InvoiceSource)?,
            ledger: any PaymentLedger,
            free: any FreeCounter,
            pending: any PendingInvoices,
            journal: any Journal,
            keys: @escaping @Sendable () throws(StateError) -> [MasterKey],
            random: @escaping @Sendable (Int) -> [UInt8],
            metrics: @escaping @Sendable () -> String? = { nil }
        ) {
            self.wallet = wallet
            self.ledger = ledger
            self.free = free
            self.pending = pending
            self.journal = journal
            self.keys = keys
            self.random = random
            self.metrics = metrics
        }
    }

    /// What the operator chose for all rules.
    public struct Policy: Sendable, Equatable {
        /// `L402_INVOICE_EXPIRY` in seconds.
        public var invoiceExpirySeconds: UInt64 = 600
        /// `L402_MAX_PENDING`.
        public var maxPending = 20
        /// The site's identity: `L402_SITE`, or one made from the rules file; `nil` for none.
        public var site: String?
        /// `L402_TRUST_PREIMAGE`.
        public var trustsPreimage = false
        /// `L402_DRY_RUN`.
        public var isDryRun = false
        /// `L402_CORS`.
        public var cors = CORSPolicy("*")
        /// `L402_METRICS`.
        public var metrics = MetricsAccess.local
        /// `L402_SERVE`: the target of rules without `serve=`.
        public var defaultServe: ServeTarget?
        /// Whether the server understands `X-Sendfile` (`L402_SENDFILE`).
        public var sendsFiles = false

        /// The defaults.
        public init() {}
    }

    let parts: Parts
    let policy: Policy

    /// A gate of its parts.
    public init(parts: Parts, policy: Policy) {
        self.parts = parts
        self.policy = policy
    }

    /// Decides one request. Whatever it takes, a use or a free request, is on record when it
    /// returns, and named in ``Decision/taken``.
    public func decide(_ request: Request, rules: Rules, now: UInt64) -> Decision {
        var decision = DecisionMaker(gate: self, request: request, rules: rules, now: now).decide()
        if request.mode == .auth { decision = decision.asBareVerdict() }
        return decision
    }

    /// Returns what a request took, because its goods failed. Says whether anything came back.
    public func giveBack(_ taken: Taken, now: UInt64) -> Bool {
        do {
            switch taken {
            case .payment(let claim):
                guard try parts.ledger.giveBack(claim, now: now) else { return false }
                parts.journal.record(
                    JournalEvent(
                        time: now,
                        kind: .refunded,
                        service: claim.service,
                        tier: claim.tier,
                        paymentHash: claim.paymentHash,
                        amount: claim.price
                    )
                )
            case .free(let claim, let takenAt):
                try parts.free.giveBack(claim, takenAt: takenAt)
            }
            return true
        } catch {
            return false
        }
    }
}

/// Whom `/.l402/metrics` is told.
public enum MetricsAccess: String, Sendable, CaseIterable {
    /// Requests from the machine itself, `127.0.0.0/8` and `::1`.
    case local
    /// Everybody.
    case all
    /// Nobody.
    case off
}

/// What a request took and what can be returned.
public enum Taken: Sendable {
    /// One use of a payment.
    case payment(PaymentClaim)
    /// One free request, at this time.
    case free(FreeClaim, takenAt: UInt64)
}

/// Goods that the gate itself hands over.
public enum Goods: Sendable, Equatable {
    /// The file at a decoded path below a directory. With `sendfile`, the value of `X-Sendfile`,
    /// the web server sends it once it is known to be there.
    case file(path: [UInt8], directory: String, sendfile: String?)
    /// The answer of a backend to a percent-encoded path with its query.
    case backend(base: String, path: [UInt8])
}

/// What is to be done with a request.
public struct Decision: Sendable {
    /// The answer.
    public var answer: Answer
    /// What was taken for it, to be returned when the goods fail.
    public var taken: Taken?
    /// Where the body comes from, when it is not the answer's own.
    public var goods: Goods?
    /// One word for the log: `free`, `paid`, `challenge`, `refused`, `preflight`, …
    public var outcome: String
    /// The stable code of a refusal, or empty.
    public var code = ""
    /// Words for the log only: what the client is not told.
    public var detail = ""
    /// The rule that decided; `nil` when none matched.
    public var rule: Rule?
    /// The payment concerned.
    public var paymentHash: PaymentHash?

    init(_ outcome: String, _ answer: Answer, rule: Rule? = nil) {
        self.outcome = outcome
        self.answer = answer
        self.rule = rule
    }

    /// Whether the request may pass.
    public var isPass: Bool { outcome == "free" || outcome == "paid" || outcome == "dry-run" }

    /// For nginx `auth_request`, which knows 2xx, 401 and 403 only and copies `WWW-Authenticate`
    /// of a 401: the answer itself is made by a second call.
    func asBareVerdict() -> Decision {
        var copy = self
        let kept = answer.headers.filter {
            $0.name != "WWW-Authenticate" && $0.name != "X-Accel-Redirect"
        }
        copy.goods = nil
        copy.answer = Answer(status: isPass ? 204 : 403, headers: isPass ? kept : [])
        return copy
    }
}
