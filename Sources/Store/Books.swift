/// What a gate keeps books of, whatever keeps them: one value, since they always come together.
///
/// Any number of processes may share what is behind it; every answer holds for all of them.
package struct Books: Sendable {
    /// Uses of payments.
    package let ledger: any PaymentLedger
    /// The free tier.
    package let free: any FreeCounter
    /// Unpaid invoices.
    package let pending: any PendingInvoices
    /// What happened.
    package var journal: any Journal
    /// Master keys.
    package let keys: any KeyRing

    package init(
        ledger: any PaymentLedger,
        free: any FreeCounter,
        pending: any PendingInvoices,
        journal: any Journal,
        keys: any KeyRing
    ) {
        self.ledger = ledger
        self.free = free
        self.pending = pending
        self.journal = journal
        self.keys = keys
    }
}

/// What is done to the books that no request waits for: the operator's questions, and tidying up.
package struct BackOffice: Sendable {
    /// The operator's view of payments.
    package let records: any PaymentRecords
    /// The journal read back.
    package let history: any JournalHistory
    /// What goes when it is over.
    package let housekeeping: any Housekeeping

    package init(
        records: any PaymentRecords,
        history: any JournalHistory,
        housekeeping: any Housekeeping
    ) {
        self.records = records
        self.history = history
        self.housekeeping = housekeeping
    }
}
