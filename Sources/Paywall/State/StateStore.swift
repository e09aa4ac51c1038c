import L402
import Lightning

/// Takes and returns uses of payments. Implemented by flat files, shared by any number of
/// processes; every answer holds for all of them.
package protocol PaymentLedger: Sendable {
    /// Takes one use of a payment that is already on record.
    ///
    /// The use is on disk when this returns `.taken`. An unlimited payment takes nothing. The same
    /// request (``PaymentClaim/requestID``) takes once, however often it asks, in whatever process.
    func take(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome

    /// Puts a payment on record, which the wallet has just confirmed, and takes its first use. Its
    /// time begins now: it ends at ``PurchaseTerms/end(openedAt:)``.
    ///
    /// When another process was faster this is the same as ``take(_:now:)``.
    func open(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome

    /// What ``take(_:now:)`` would say; takes nothing.
    func look(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome

    /// What a payment on record was made for, as minted; `nil` when there is none. For bare hashes:
    /// a token says it itself.
    func terms(of hash: PaymentHash) throws(StateError) -> PurchaseTerms?

    /// Returns the use that the request `claim.requestID` took; `false` when there is none to
    /// return (never taken, already returned).
    func giveBack(_ claim: PaymentClaim, _ cause: ReturnCause, now: UInt64) throws(StateError)
        -> Bool
}

/// A use of a payment, asked for by a request whose credential has been verified.
package struct PaymentClaim: Sendable {
    /// Which payment.
    package let paymentHash: PaymentHash
    /// What the payment was made for, as minted. Attenuation by the client never changes it, so
    /// that every credential for one payment carries the same.
    package let terms: PurchaseTerms
    /// A lower bound that a holder of the token put on it: no use is taken for this request once
    /// so many of the payment's have been; `nil` for none.
    package let cap: UInt64?
    /// The request that takes or returns the use: the web server's word, unique per request
    /// (`$request_id` of nginx), or one of our own where it gives none.
    package let requestID: String
    /// Which delivery the request belongs to, where further requests of one delivery are free.
    package let delivery: DeliveryKey?

    /// A claim; nothing is checked here.
    package init(
        paymentHash: PaymentHash,
        terms: PurchaseTerms,
        cap: UInt64? = nil,
        requestID: String,
        delivery: DeliveryKey? = nil
    ) {
        self.paymentHash = paymentHash
        self.terms = terms
        self.cap = cap
        self.requestID = requestID
        self.delivery = delivery
    }

    /// The amount the invoice was made for.
    package var price: Millisatoshis {
        Millisatoshis(sats: terms.priceSats) ?? Millisatoshis(msat: .max)
    }
}

/// Names a delivery: the goods of one address, within a while after the request that took a use
/// for them.
package struct DeliveryKey: Sendable, Hashable {
    /// 8 bytes: a hash of host, path and query.
    package let address: [UInt8]
    /// For so many seconds after the use was taken further requests of the delivery take nothing.
    package let graceSeconds: UInt64
    /// Whether this request may be one of them: it has a well-formed single `Range`, or a condition.
    package let mayRepeat: Bool
    /// Further requests that one use covers.
    package static let maximumRepeats = 60

    /// A key; nothing is checked here.
    package init(address: [UInt8], graceSeconds: UInt64, mayRepeat: Bool) {
        self.address = address
        self.graceSeconds = graceSeconds
        self.mayRepeat = mayRepeat
    }
}

/// What became of an attempt to use a payment.
package enum TakeOutcome: Equatable, Sendable {
    /// Served; what is left afterwards, `nil` for unlimited.
    case taken(usesLeft: UInt64?)
    /// Served; this very request took its use before, and takes no other.
    case repeated(usesLeft: UInt64?)
    /// Served; belongs to a delivery that took its use before (``DeliveryKey``).
    case withinGrace(usesLeft: UInt64?)
    /// All uses are gone.
    case spent
    /// All uses are gone, and the last was taken so lately (within two seconds) that it may still
    /// come back.
    case spentJustNow
    /// The operator revoked it, or refunded it by hand.
    case revoked
    /// Nothing on record: ask the wallet, then ``PaymentLedger/open(_:now:)``.
    case unknown
    /// Its time is over, or was over before records of that time were dropped.
    case expired
    /// Too many uses were returned within the hour because the goods failed
    /// (``ReturnCause/failure``): it is not let in before that hour is over.
    case failing
}

/// Why a use, or a free request, is returned.
package enum ReturnCause: Sendable, Hashable {
    /// The goods failed, or the client left: a 5xx, silence, a broken connection. At most
    /// ``maximumFailures`` of these within an hour, or the window of a free request.
    case failure
    /// There was nothing to deliver: `304`, `HEAD`, no such file, a limit of the web server.
    case nothingDelivered

    /// Failures in an hour beyond which a payment is let in no more until that hour is over: a
    /// backend is not made to work for nothing without end.
    package static let maximumFailures = 20
}

/// Counts the free tier, exactly, across all processes.
package protocol FreeCounter: Sendable {
    /// Takes one free request when there is one left; the same request (``FreeClaim/requestID``)
    /// takes once, however often it asks, in whatever process. After
    /// ``ReturnCause/maximumFailures`` returns within a window there is none left.
    func take(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome

    /// Returns the free request that `claim.requestID` took at `takenAt`, when its window is still
    /// open; `false` when there is none to return.
    func giveBack(_ claim: FreeClaim, _ cause: ReturnCause, takenAt: UInt64) throws(StateError)
        -> Bool
}

/// A free request, asked for by a client.
package struct FreeClaim: Sendable {
    /// Names the site and the rule whose allowance is drawn on: stable while the rule's methods,
    /// host and path are.
    package let rule: [UInt8]
    /// The client: 4 bytes of IPv4 or the first 8 of IPv6. Kept only as a keyed hash.
    package let client: [UInt8]
    /// The wider network of the client, for when there are too many clients to count each:
    /// 2 bytes of IPv4 or 4 of IPv6.
    package let network: [UInt8]
    /// Requests per window.
    package let limit: UInt32
    /// The window.
    package let period: FreePeriod
    /// The request that takes or returns it; see ``PaymentClaim/requestID``.
    package let requestID: String

    /// A claim; nothing is checked here.
    package init(
        rule: [UInt8],
        client: [UInt8],
        network: [UInt8],
        limit: UInt32,
        period: FreePeriod,
        requestID: String
    ) {
        self.rule = rule
        self.client = client
        self.network = network
        self.limit = limit
        self.period = period
        self.requestID = requestID
    }
}

/// A window of the free tier, in UTC.
package enum FreePeriod: String, Sendable, CaseIterable {
    /// 60 seconds.
    case minute
    /// 3,600 seconds.
    case hour
    /// 86,400 seconds.
    case day

    /// Its length in seconds. UTC as computers count it has no other days.
    package var seconds: UInt64 {
        switch self {
        case .minute: 60
        case .hour: 3600
        case .day: 86_400
        }
    }
}

/// What became of a free request.
package struct FreeOutcome: Equatable, Sendable {
    /// Whether it may pass.
    package let isGranted: Bool
    /// Free requests left in this window afterwards.
    package let left: UInt32
    /// Seconds until the window turns.
    package let resetSeconds: UInt64

    /// An outcome.
    package init(isGranted: Bool, left: UInt32, resetSeconds: UInt64) {
        self.isGranted = isGranted
        self.left = left
        self.resetSeconds = resetSeconds
    }
}

/// Bounds the unpaid invoices one client may hold.
package protocol PendingInvoices: Sendable {
    /// Reserves a place before an invoice is made that will expire at `expiresAt`.
    func reserve(client: [UInt8], limit: Int, expiresAt: UInt64, now: UInt64) throws(StateError)
        -> PendingOutcome

    /// Frees a place: the invoice was paid, or was never made.
    func release(_ place: PendingPlace) throws(StateError)

    /// Frees all places that this client holds: it has paid, and what it threw away on the way is no
    /// reason to lock it out.
    func releaseAll(client: [UInt8], now: UInt64) throws(StateError)
}

/// A place taken by an unpaid invoice, as text that may be kept in the wallet's `extra` and
/// says nothing of the client to anyone without the day's key.
package struct PendingPlace: Hashable, Sendable {
    /// Opaque text of `[0-9a-zA-Z.:-]`, at most 80 bytes; a point stands between places.
    package let text: String

    /// A place as ``PendingInvoices`` wrote it; any other text is a place that does not exist.
    package init(text: String) {
        self.text = text
    }

    /// Both places as one.
    func and(_ other: PendingPlace) -> PendingPlace {
        PendingPlace(text: text + "." + other.text)
    }

    /// The places it was made of.
    package var all: [PendingPlace] {
        text.split(separator: ".").map { PendingPlace(text: String($0)) }
    }
}

/// Whether a client may have one more unpaid invoice.
package enum PendingOutcome: Equatable, Sendable {
    /// It may, and this is its place.
    case reserved(PendingPlace)
    /// It holds `limit` of them; the first expires in so many seconds.
    case full(retryAfterSeconds: UInt64)
}

/// Keeps what happened, for people and reports. Never read to decide; failing loses no money, so
/// it does not throw.
package protocol Journal: Sendable {
    /// Appends one event.
    func record(_ event: JournalEvent)
}

/// One line of the journal.
package struct JournalEvent: Sendable {
    /// What can happen.
    package enum Kind: String, Sendable, CaseIterable {
        /// An invoice was made and offered.
        case challenge
        /// The wallet confirmed a payment, on its first redemption.
        case paid
        /// A paid request passed.
        case used
        /// A use was returned.
        case refunded
        /// A free-tier request passed.
        case free
        /// A request was refused; ``JournalEvent/code`` says why.
        case refused
        /// Somebody may have paid, and the wallet has no word of its own about it.
        case undecided
        /// The operator put a payment on record by hand.
        case settled
    }

    /// Seconds since 1970.
    package let time: UInt64
    /// What happened.
    package let kind: Kind
    /// The rule's service, or empty.
    package let service: String
    /// The rule's tier.
    package let tier: UInt8
    /// The payment, where there is one.
    package let paymentHash: PaymentHash?
    /// Money that moved or was asked for; 0 where there is none.
    package let amount: Millisatoshis
    /// Uses left after the event, where they are counted.
    package let usesLeft: UInt64?
    /// A stable word for the reason of a refusal (the JSON `code`), or empty.
    package let code: String
    /// Request method, in upper case.
    package let method: String
    /// The normalised path; the writer escapes tabs and control bytes.
    package let path: String

    /// An event.
    package init(
        time: UInt64,
        kind: Kind,
        service: String = "",
        tier: UInt8 = 0,
        paymentHash: PaymentHash? = nil,
        amount: Millisatoshis = Millisatoshis(msat: 0),
        usesLeft: UInt64? = nil,
        code: String = "",
        method: String = "",
        path: String = ""
    ) {
        self.time = time
        self.kind = kind
        self.service = service
        self.tier = tier
        self.paymentHash = paymentHash
        self.amount = amount
        self.usesLeft = usesLeft
        self.code = code
        self.method = method
        self.path = path
    }
}

/// State that could not be read or written: nothing was given away.
package struct StateError: Error, Equatable, CustomStringConvertible {
    /// One line for the log: which file, what was wrong, what would be right.
    package let reason: String

    /// An error told in one line.
    package init(_ reason: String) {
        self.reason = reason
    }

    /// The reason.
    package var description: String { reason }
}
