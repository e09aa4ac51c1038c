import Lightning

/// A wallet that spends, for a buyer.
///
/// What it promises is about money: an invoice is paid at most once, and what became of it can be
/// asked for as long as anybody may want to know.
package protocol PayingWallet: Sendable {
    /// Pays an invoice, and waits for the end of it until the deadline of the wallet's own.
    ///
    /// - Parameter bolt11: An invoice with an amount; the caller has checked amount, network and time.
    /// - Throws: ``WalletError`` only where it is certain that the wallet was not told. Whatever may
    ///   have reached it is ``PayOutcome/inDoubt``.
    func pay(_ bolt11: String) throws(WalletError) -> PayOutcome

    /// What the wallet knows of a payment that it was told to make; `nil` where it has no word of its
    /// own about it, which says nothing of the money.
    func outgoing(_ hash: PaymentHash) throws(WalletError) -> PayOutcome?

    /// What it can spend.
    func balance() throws(WalletError) -> Millisatoshis
}

/// What became of an invoice that a wallet was told to pay.
package enum PayOutcome: Sendable {
    /// Paid; the fee is `nil` where the wallet does not tell it, and the preimage where it shows none,
    /// or one that does not fit the payment hash.
    case paid(preimage: Preimage?, fee: Millisatoshis?)
    /// Certainly not paid, and it never will be.
    case failed(reason: String)
    /// Told, and not known: it may still be paid. Never pay it again; ask ``PayingWallet/outgoing(_:)``.
    case inDoubt
}
