import Lightning
import Wallets

/// Holds what LNbits says of a payment against what was asked: a cache before it, or a node whose
/// ids are other payments' hashes, can bring any row.
enum PaymentCheck {
    /// What the answer says of the payment with this hash; `nil` when the row is of a payment that
    /// we made.
    ///
    /// - Throws: ``WalletError`` of kind `malformed` when it is about another one.
    static func check(
        _ reply: CheckReply,
        _ details: CheckReply.Details,
        isOf hash: PaymentHash
    ) throws(WalletError) -> WalletPayment? {
        let decoded = details.invoice.flatMap { try? Bolt11Invoice(decoding: $0) }
        guard details.payment_hash != nil || decoded != nil else {
            throw WalletError(.malformed, "check: the answer does not say of which payment it is")
        }
        let isTold = details.payment_hash.map { PaymentHash(hex: $0) == hash } ?? true
        let isDecoded = decoded.map { $0.paymentHash == hash } ?? true
        guard isTold, isDecoded else {
            throw WalletError(
                .malformed,
                "check: the answer is of another payment; is there a cache before LNbits?"
            )
        }
        guard details.amount > 0 else { return nil }
        return WalletPayment(
            isPaid: isPaid(reply, details),
            amount: Millisatoshis(msat: UInt64(details.amount)),
            invoice: decoded.flatMap { InvoiceCheck.invoice($0) },
            extra: details.extra
        )
    }

    /// Everything that the answer says of it must say so.
    private static func isPaid(_ reply: CheckReply, _ details: CheckReply.Details) -> Bool {
        reply.paid && details.pending != true && !["pending", "failed"].contains(reply.status)
            && details.status.map { ["success", "complete"].contains($0) } ?? true
    }
}
