import L402
import Lightning

/// What is on record of one payment.
package struct PaymentRecord: Equatable, Sendable {
    /// Which payment.
    package let paymentHash: PaymentHash
    /// What was sold, as minted.
    package let terms: PurchaseTerms
    /// Uses taken and not returned; for unlimited always 1.
    package let used: UInt64
    /// Until when it is good, seconds since 1970: reckoned from its first redemption.
    package let ends: UInt64
    /// The amount the invoice was made for.
    package let price: Millisatoshis
    /// When it was first redeemed, ISO 8601.
    package let opened: String
    /// Whether the operator revoked it.
    package let isRevoked: Bool

    package init(
        paymentHash: PaymentHash,
        terms: PurchaseTerms,
        used: UInt64,
        ends: UInt64,
        price: Millisatoshis,
        opened: String,
        isRevoked: Bool
    ) {
        self.paymentHash = paymentHash
        self.terms = terms
        self.used = used
        self.ends = ends
        self.price = price
        self.opened = opened
        self.isRevoked = isRevoked
    }
}

/// What the operator may ask of the payments and do to them. No request waits for any of it.
package protocol PaymentRecords: Sendable {
    /// What is known of a payment; `nil` when nothing is on record.
    func record(_ hash: PaymentHash) throws(StateError) -> PaymentRecord?

    /// Makes a payment worthless from now on; `nil` when nothing is on record.
    func revoke(_ hash: PaymentHash) throws(StateError) -> PaymentRecord?

    /// Gives one use back to a payment, as for goods that did not arrive: one of `uses=1` that was
    /// spent is good once more. A payment without a use taken, an unlimited or a revoked one stays
    /// as it is. `nil` when nothing is on record.
    ///
    /// Money does not move: sending it back is the wallet's business, and ``revoke(_:)`` goes with
    /// that.
    func refund(_ hash: PaymentHash) throws(StateError) -> PaymentRecord?

    /// Visits every payment on record, in no order; one that cannot be read is visited as the error
    /// it gives.
    func visitAll(_ body: (Result<PaymentRecord, StateError>) -> Void)
}
