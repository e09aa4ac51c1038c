import Lightning

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
