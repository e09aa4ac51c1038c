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

    /// All that is on record of a payment; `nil` when there is nothing.
    func record(_ hash: PaymentHash) throws(StateError) -> PaymentRecord?

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
    /// For so many seconds any further request takes nothing, whatever it asks for: a browser that
    /// shows the cookie the use was taken by reloads, goes back or plays. 0 for all others.
    package let reloadSeconds: UInt64
    /// Further requests that one use covers.
    package static let maximumRepeats: UInt64 = 60
    /// A reload, which is the whole once more, counts as so many of them: five use all of them up.
    private static let reloadWeight: UInt64 = 12

    package init(
        address: [UInt8],
        graceSeconds: UInt64,
        mayRepeat: Bool,
        reloadSeconds: UInt64 = 0
    ) {
        self.address = address
        self.graceSeconds = graceSeconds
        self.mayRepeat = mayRepeat
        self.reloadSeconds = reloadSeconds
    }

    /// As how many of ``maximumRepeats`` a request counts that belongs to a delivery of this age, after
    /// so many others; `nil` when the delivery does not cover it.
    package func weight(age: UInt64, repeats: UInt64) -> UInt64? {
        let weight: UInt64
        if mayRepeat, age < graceSeconds {
            weight = 1
        } else if age < reloadSeconds {
            weight = Self.reloadWeight
        } else {
            return nil
        }
        return repeats <= Self.maximumRepeats - weight ? weight : nil
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
