import Lightning
import Text

/// Makes invoices and says of one whether it was paid. Implemented by LNbits.
package protocol InvoiceIssuer: Sendable {
    /// Makes an invoice for exactly the amount ordered. The answer has been decoded and matches
    /// the order's amount and expiry and its own payment hash, else an error is thrown.
    func makeInvoice(_ order: InvoiceOrder) throws(WalletError) -> Invoice

    /// What the wallet knows of a payment; `nil` only for its own word that it knows no such
    /// incoming payment. What somebody else answered in its place is an error.
    func payment(_ hash: PaymentHash, for question: Question) throws(WalletError) -> WalletPayment?

    /// The invoices of this wallet that were paid lately, by one question for all of them; one that
    /// does not use up what LNbits lets be asked when invoices are made.
    func paidLately() throws(WalletError) -> PaidLately

    /// What an amount in another currency is in sats now, rounded up.
    func sats(for price: FiatAmount) throws(WalletError) -> UInt64

    /// What one bitcoin costs in a currency, for people to read: nothing waits long for it.
    func unitsPerBitcoin(of currency: String) throws(WalletError) -> Double
}

/// What a wallet's list of payments says of the last ones. A hint: whether a payment opens anything
/// is asked for by ``InvoiceIssuer/payment(_:for:)``.
package struct PaidLately: Sendable {
    /// Incoming and paid.
    package let paid: [PaymentHash]
    /// Of invoices made after this second (since 1970, by the wallet's clock) the list holds all
    /// that are paid: 0 when it holds all there are, `.max` when that is not known.
    package let since: UInt64

    package init(paid: [PaymentHash], since: UInt64) {
        self.paid = paid
        self.since = since
    }
}

/// What a question about a payment is for: who has paid and comes for the goods goes first.
package enum Question: Hashable, Sendable {
    /// Somebody redeems a payment.
    case redemption
    /// Somebody only wants to know. Last in line, and refused as busy before anybody else.
    case status
}

/// An amount in a currency that the wallet converts.
package struct FiatAmount: Hashable, Sendable, CustomStringConvertible {
    /// Hundredths of the currency's unit (cents).
    package let hundredths: UInt64
    /// ISO 4217 code in upper case, such as `USD`.
    package let currency: String

    package init(hundredths: UInt64, currency: String) {
        self.hundredths = hundredths
        self.currency = currency
    }

    /// Such as `0.25 USD`.
    package var description: String {
        "\(hundredths / 100).\(Digits.padded(hundredths % 100, 2)) \(currency)"
    }
}

/// What an invoice is to be made for.
package struct InvoiceOrder: Sendable {
    /// Whole sats, at least 1.
    package let sats: UInt64
    /// The invoice text, at most 639 bytes of UTF-8.
    package let memo: String
    /// Seconds from now until the invoice can no longer be paid.
    package let expirySeconds: UInt64
    /// Kept by the wallet beside the payment (`extra` of LNbits) and given back by ``InvoiceIssuer/payment(_:for:)``.
    package let extra: [String: String]

    package init(sats: UInt64, memo: String, expirySeconds: UInt64, extra: [String: String]) {
        self.sats = sats
        self.memo = memo
        self.expirySeconds = expirySeconds
        self.extra = extra
    }
}

/// An invoice that the wallet made and that has been checked against its order.
package struct Invoice: Sendable {
    /// The BOLT11 text in lower case.
    package let bolt11: String
    /// Its payment hash.
    package let paymentHash: PaymentHash
    /// When it can no longer be paid, in seconds since 1970.
    package let expiresAt: UInt64
    /// Its amount.
    package let amount: Millisatoshis

    package init(bolt11: String, paymentHash: PaymentHash, expiresAt: UInt64, amount: Millisatoshis)
    {
        self.bolt11 = bolt11
        self.paymentHash = paymentHash
        self.expiresAt = expiresAt
        self.amount = amount
    }
}

/// What the wallet says of one incoming payment.
package struct WalletPayment: Sendable {
    /// Whether the wallet has the money: status 200, `paid == true`, `details` present, of the
    /// hash that was asked about and of this wallet, nothing in them to the contrary, the amount
    /// positive.
    package let isPaid: Bool
    /// The amount of the wallet's own row; an outgoing payment never gets here.
    package let amount: Millisatoshis
    /// The invoice, when the wallet still tells it and it decodes; for offering it again.
    package let invoice: Invoice?
    /// What ``InvoiceOrder/extra`` carried; empty for a payment another program ordered.
    package let extra: [String: String]

    package init(isPaid: Bool, amount: Millisatoshis, invoice: Invoice?, extra: [String: String]) {
        self.isPaid = isPaid
        self.amount = amount
        self.invoice = invoice
        self.extra = extra
    }
}

/// Why the wallet gave no usable answer. Nothing was sold and nothing consumed.
package struct WalletError: Error, Equatable, CustomStringConvertible {
    /// The kinds that the caller or an operator tells apart.
    package enum Kind: String, Sendable, CaseIterable {
        /// No connection, or it broke.
        case unreachable = "wallet_unreachable"
        /// No whole answer within the deadline.
        case timeout = "wallet_timeout"
        /// Too many calls under way, or the breaker is open: it was not asked.
        case busy = "wallet_busy"
        /// It answered 429.
        case rateLimited = "wallet_rate_limited"
        /// It does not know the key (`LNBITS_KEY`).
        case badKey = "wallet_key_refused"
        /// What answered was something else than the wallet: a proxy, a login, a wrong address.
        case notLNbits = "wallet_not_lnbits"
        /// It answered another status than the call allows.
        case refused = "wallet_refused"
        /// Its answer is not what it should be: type, size, JSON shape, invoice.
        case malformed = "wallet_answer_malformed"
    }

    /// Which kind.
    package let kind: Kind
    /// One line for the log: what was asked, what came; without any secret or body of an answer.
    package let reason: String
    /// Seconds after which trying again makes sense.
    package let retryAfterSeconds: UInt64

    package init(_ kind: Kind, _ reason: String, retryAfterSeconds: UInt64 = 5) {
        self.kind = kind
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Whether what answered was not LNbits, or not in its right mind: its answer says nothing of a
    /// payment.
    package var isForeign: Bool { kind == .notLNbits || kind == .malformed }

    /// `kind: reason`.
    package var description: String { "\(kind.rawValue): \(reason)" }
}
