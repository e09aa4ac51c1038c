import Lightning

/// What processes share about the invoices that people look at while they pay: so that a thousand
/// pages that wait cost the wallet as much as one.
///
/// Nothing of it is money: it never opens anything, and what is lost of it is asked for again.
package protocol WaitingRoom: Sendable {
    /// Remembers an invoice that a page shows.
    func keep(_ invoice: WaitingInvoice)

    /// What is remembered of an invoice; `nil` when nothing is.
    func invoice(_ hash: PaymentHash) -> WaitingInvoice?

    /// Whether the wallet may be asked now: in all processes together at most twice a second, and
    /// not while a question is under way.
    ///
    /// - Parameters:
    ///   - wallet: Names the wallet, for what is told of it.
    ///   - madeAt: When the oldest invoice was made that is waited for, in seconds since 1970; `nil`
    ///     for one that is not remembered, so that nobody would look through a list for it.
    func turn(_ wallet: String, madeAt: UInt64?) throws(StateError) -> WaitingTurn

    /// Ends a turn with what the wallet said: these are paid. `nil` when it said nothing.
    ///
    /// - Parameter since: Of invoices made after this second there are no others that were paid;
    ///   `nil` when the question was about one alone.
    func end(_ wallet: String, paid: [PaymentHash]?, since: UInt64?)

    /// What one bitcoin costs in a currency; asked for by `ask` at most once a minute in all
    /// processes together. `nil` when nobody knows.
    func rate(of currency: String, now: UInt64, ask: () -> Double?) -> Double?
}

/// An invoice that a page shows.
package struct WaitingInvoice: Sendable, Equatable {
    /// Its payment hash.
    package let paymentHash: PaymentHash
    /// The BOLT11 text in lower case.
    package let bolt11: String
    /// When it can no longer be paid, in seconds since 1970.
    package let expiresAt: UInt64
    /// Its amount.
    package let amount: Millisatoshis
    /// Whether the wallet has said that it is paid: a hint, to be asked for again.
    package var isPaid = false

    /// When it was made, by the clock of who made it, in seconds since 1970.
    package var madeAt: UInt64 { (try? Bolt11Invoice(decoding: bolt11))?.timestamp ?? 0 }

    package init(
        paymentHash: PaymentHash,
        bolt11: String,
        expiresAt: UInt64,
        amount: Millisatoshis,
        isPaid: Bool = false
    ) {
        self.paymentHash = paymentHash
        self.bolt11 = bolt11
        self.expiresAt = expiresAt
        self.amount = amount
        self.isPaid = isPaid
    }
}

/// Whether a page that waits may have the wallet asked.
package enum WaitingTurn: Equatable, Sendable {
    /// It may. With `asksForOne` about its own invoice alone: the list of the last ones may not hold
    /// it. That is every other question at most, so that who asks for what nobody knows does not keep
    /// others from the list.
    case yours(asksForOne: Bool)
    /// Another one has just asked; `isFailing` when the wallet said nothing then.
    case notYet(isFailing: Bool)
}

/// Where nothing is shared: a command, which shows no pages.
package struct NoWaitingRoom: WaitingRoom {
    package init() {}
    package func keep(_ invoice: WaitingInvoice) {}
    package func invoice(_ hash: PaymentHash) -> WaitingInvoice? { nil }
    package func turn(_ wallet: String, madeAt: UInt64?) throws(StateError) -> WaitingTurn {
        .notYet(isFailing: true)
    }
    package func end(_ wallet: String, paid: [PaymentHash]?, since: UInt64?) {}
    package func rate(of currency: String, now: UInt64, ask: () -> Double?) -> Double? { nil }
}
