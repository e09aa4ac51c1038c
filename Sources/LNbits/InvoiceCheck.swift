import FoundationEssentials
import Lightning
import Wallets

/// Compares what LNbits returned with what was ordered: nobody sees an invoice that does not match.
///
/// How long it lives is the wallet's to say: many behind LNbits take no notice of what is ordered
/// and give every invoice an hour, or a day.
enum InvoiceCheck {
    /// A payer needs so long; what was ordered shorter may be shorter.
    private static let shortestSeconds: UInt64 = 60
    /// Nobody keeps a place or a promise for longer.
    private static let longestSeconds: UInt64 = 7 * 86_400
    /// Clocks of two machines may differ by so much.
    private static let clockToleranceSeconds: UInt64 = 300
    /// What the making took, and clocks that are right differ by.
    private static let makingSeconds: UInt64 = 5

    /// - Parameter now: Seconds since 1970 by our clock.
    /// - Throws: ``WalletError`` of kind `malformed`.
    static func check(
        _ reply: CreateReply,
        against order: InvoiceOrder,
        now: UInt64 = UInt64(max(0, Date().timeIntervalSince1970))
    ) throws(WalletError) -> Invoice {
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
        guard let amount = decoded.amount, amount == Millisatoshis(sats: order.sats),
            let invoice = invoice(decoded)
        else { throw bad("the invoice is not for \(order.sats) sats") }
        try checkLife(decoded, order: order, now: now)
        return invoice
    }

    /// By the invoice's own clock, then by ours.
    private static func checkLife(_ invoice: Bolt11Invoice, order: InvoiceOrder, now: UInt64)
        throws(WalletError)
    {
        let shortest = min(shortestSeconds, order.expirySeconds)
        guard (shortest...longestSeconds).contains(invoice.expirySeconds) else {
            throw bad(
                "the wallet gives its invoice \(invoice.expirySeconds) seconds; it is taken from "
                    + "\(shortest) seconds to 7 days (ordered were \(order.expirySeconds))"
            )
        }
        let (later, earlier) = (max(invoice.timestamp, now), min(invoice.timestamp, now))
        guard later - earlier <= clockToleranceSeconds else {
            throw bad(
                "the invoice was made \(later - earlier) seconds \(invoice.timestamp > now ? "ahead of" : "before") "
                    + "our clock: do the clocks agree?"
            )
        }
        let left = invoice.expiresAt - min(now, invoice.expiresAt)
        guard left >= max(1, shortest - min(makingSeconds, shortest)),
            left <= longestSeconds + makingSeconds
        else {
            throw bad(
                "the invoice has \(left) seconds left by our clock; it is taken from \(shortest) "
                    + "seconds to 7 days: do the clocks agree?"
            )
        }
    }

    /// An invoice that has been decoded; `nil` when it leaves the amount to the payer.
    static func invoice(_ decoded: Bolt11Invoice) -> Invoice? {
        decoded.amount.map {
            Invoice(
                bolt11: decoded.text,
                paymentHash: decoded.paymentHash,
                expiresAt: decoded.expiresAt,
                amount: $0
            )
        }
    }

    private static func bad(_ reason: String) -> WalletError {
        WalletError(.malformed, "create: \(reason)")
    }
}
