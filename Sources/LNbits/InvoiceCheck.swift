import FoundationEssentials
import Lightning
import Paywall

/// Compares what LNbits returned with what was ordered: nobody sees an invoice that does not match.
enum InvoiceCheck {
    /// Clocks of two machines may differ by so much.
    private static let clockToleranceSeconds: UInt64 = 300

    /// - Throws: ``WalletError`` of kind `malformed`.
    static func check(_ reply: CreateReply, against order: InvoiceOrder) throws(WalletError)
        -> Invoice
    {
        guard let text = reply.invoice else { throw bad("there is no invoice in the answer") }
        guard let hash = PaymentHash(hex: reply.payment_hash) else {
            throw bad("payment_hash is not 64 hex digits")
        }
        let decoded: Bolt11Invoice
        do throws(Bolt11Error) {
            decoded = try Bolt11Invoice(decoding: text)
        } catch {
            throw bad(error.description)
        }
        guard decoded.paymentHash == hash else { throw bad("the invoice has another payment hash") }
        guard let amount = decoded.amount, amount == Millisatoshis(sats: order.sats) else {
            throw bad("the invoice is not for \(order.sats) sats")
        }
        guard decoded.expirySeconds <= order.expirySeconds else {
            throw bad(
                "the invoice lives \(decoded.expirySeconds) seconds, not \(order.expirySeconds)"
            )
        }
        let now = UInt64(max(0, Date().timeIntervalSince1970))
        guard decoded.expiresAt > now,
            decoded.expiresAt <= now + order.expirySeconds + clockToleranceSeconds
        else { throw bad("the invoice was not made now: do the clocks agree?") }
        return Invoice(
            bolt11: decoded.text,
            paymentHash: hash,
            expiresAt: decoded.expiresAt,
            amount: amount
        )
    }

    /// An invoice made earlier; `nil` when it does not decode or is another one.
    static func read(_ text: String, hash: PaymentHash) -> Invoice? {
        guard let decoded = try? Bolt11Invoice(decoding: text), decoded.paymentHash == hash,
            let amount = decoded.amount
        else { return nil }
        return Invoice(
            bolt11: decoded.text,
            paymentHash: hash,
            expiresAt: decoded.expiresAt,
            amount: amount
        )
    }

    private static func bad(_ reason: String) -> WalletError {
        WalletError(.malformed, "create: \(reason)")
    }
}
