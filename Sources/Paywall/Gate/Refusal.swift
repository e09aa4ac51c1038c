import HTTP
import L402
import Lightning
import Store
import Wallets

/// Why a request does not pass, and what its client can do about it.
///
/// Steps return it; one place makes an answer of it (``Answers``). No step answers by calling
/// another one.
struct Refusal: Error {
    /// What the client is offered instead.
    enum Remedy {
        /// Nothing: the answer says what is wrong.
        case none
        /// The price, as `HEAD` tells it, and no invoice: there may be one already.
        case price
        /// An invoice: the one of `standing` while it can be paid, else a new one.
        case invoice(standing: StandingOffer?)
    }

    var status: Int
    var code: String
    /// Plain words for the client.
    var message: String
    /// Words for the log only.
    var detail = ""
    var retryAfterSeconds: UInt64?
    var remedy = Remedy.none
    /// The payment concerned.
    var paymentHash: PaymentHash?
    /// What is left of the client's free requests, where that was looked at.
    var freeLeft: FreeOutcome?
    /// Uses that a payment has left, and that it bought, where a page says so before it takes one.
    var usesLeft: (left: UInt64, of: UInt64)?
    /// Whether the invoice that the person was shown can no longer be paid: a new one is made by the
    /// button, never by itself.
    var isOver = false
    /// The page that a person sees, where it is not the one for the remedy.
    var page: Response?

    /// Whether payment is all that is wanting.
    var isForWantOfPayment: Bool { status == 402 }

    /// What a dry run waives, and nothing else: where nothing is taken, anything may be loaded ahead.
    var isWaivedByDryRun: Bool { isForWantOfPayment || code == Code.prefetch.rawValue }

    init(_ status: Int, _ code: Code, _ message: String, retryAfterSeconds: UInt64? = nil) {
        self.status = status
        self.code = code.rawValue
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// A credential that does not do.
    init(_ error: CredentialError, _ remedy: Remedy = .invoice(standing: nil)) {
        status = 402
        code = error.code
        message = error.description
        self.remedy = remedy
    }

    /// The wallet gave no answer: nothing is given away, and its words stay here.
    init(_ error: WalletError) {
        status = 503
        code = error.kind.rawValue
        message = "the payment service does not answer right now; nothing has been taken"
        detail = error.reason
        retryAfterSeconds = error.retryAfterSeconds
    }

    /// The state cannot be read or written: nothing is given away.
    init(_ error: StateError) {
        self.init(
            503,
            .stateUnavailable,
            "the service cannot keep its books right now; nothing has been taken",
            retryAfterSeconds: 5
        )
        detail = error.reason
    }

    /// Nothing was presented.
    static let nothingPresented = {
        var refusal = Refusal(402, .paymentRequired, "payment required")
        refusal.remedy = .invoice(standing: nil)
        return refusal
    }()

    /// Somebody may have paid, and nobody who should know says so: never a second invoice.
    ///
    /// - Parameter hash: The payment; `nil` for one that only the client names.
    static func undecided(_ hash: PaymentHash?, _ detail: String) -> Refusal {
        var refusal = Refusal(
            503,
            .paymentUndecided,
            "whether this has been paid cannot be found out right now; do not pay again, send the "
                + "same request a little later",
            retryAfterSeconds: 10
        )
        refusal.detail = detail
        refusal.paymentHash = hash
        return refusal
    }

    /// A browser loads ahead what nobody has asked for yet.
    static let prefetch = {
        Refusal(503, .prefetch, "this is not loaded ahead; nothing has been taken")
    }()

    /// A counted cookie lets in a navigation only: a page of another site can have a browser load
    /// anything with it.
    static let navigationOnly = {
        var refusal = Refusal(
            402,
            .navigationOnly,
            "this payment's cookie opens a page that a person goes to, and nothing else"
        )
        refusal.remedy = .price
        return refusal
    }()

    /// A form or a script of another site.
    static let otherOrigin = {
        Refusal(403, .otherOrigin, "this is answered to a page of this site only")
    }()

    /// A page of another site led here.
    static func crossSite(left: UInt64, of count: UInt64) -> Refusal {
        var refusal = Refusal(
            402,
            .crossSite,
            "another site led here; nothing has been taken, and \(left) of \(count) are left"
        )
        refusal.remedy = .price
        refusal.usesLeft = (left, count)
        return refusal
    }

    static func noWallet(_ rule: Rule) -> Refusal {
        let name = rule.wallet ?? "default"
        var refusal = Refusal(
            503,
            .walletNotConfigured,
            "the payment service does not answer right now; nothing has been taken",
            retryAfterSeconds: 60
        )
        refusal.detail =
            "no key for wallet \"\(name)\" of the rule in line \(rule.line): set LNBITS_KEY_\(name)"
        return refusal
    }

    /// Servers could find more than one address in the query.
    static let addressAmbiguous = Refusal(
        400,
        .addressAmbiguous,
        "this query has a name twice, or in a spelling that servers read in different ways; nothing "
            + "has been taken"
    )

    static func tooManyAttempts(now: UInt64) -> Refusal {
        Refusal(
            429,
            .tooManyAttempts,
            "you have asked about unpaid payments too often; wait a little",
            retryAfterSeconds: 60 - now % 60
        )
    }

    /// How much the operator and the payer should see it before others: who may have paid is told
    /// to wait, whatever else was presented.
    ///
    /// Then what a payment is good for after all, and then an invoice that can still be paid.
    var precedence: Int {
        switch status {
        case 503: return code == Code.paymentUndecided.rawValue ? 0 : 1
        case 429: return 2
        case _: break
        }
        if usesLeft != nil || code == Code.navigationOnly.rawValue { return 3 }
        if standing != nil { return 4 }
        // A browser brings along what it has of other addresses.
        return code == CredentialError.wrongPath.code ? 6 : 5
    }

    private var standing: StandingOffer? {
        if case .invoice(let standing) = remedy { standing } else { nil }
    }

    /// Whether there is an invoice that this client can still pay.
    func hasStanding(at now: UInt64) -> Bool {
        standing.map { $0.invoice.expiresAt > now } ?? false
    }
}
