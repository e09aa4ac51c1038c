import L402
import Wallets

/// What went wrong in a person's words, and what to do next.
struct PageFault {
    let words: PageWord
    var advice: PageWord?

    /// - Parameter code: Of a refusal.
    init(code: String) {
        switch code {
        case "payment_used": self.init(.spent, .spentAdvice)
        case "credential_expired": self.init(.over, .overAdvice)
        case "payment_revoked": self.init(.revoked, .revokedAdvice)
        case "payment_not_confirmed", Code.paymentUnknown.rawValue:
            self.init(.unpaid, .unpaidAdvice)
        case Code.paymentUndecided.rawValue: self.init(.undecided, .undecidedAdvice)
        case Code.stateUnavailable.rawValue: self.init(.stateDown, .walletDownAdvice)
        case Code.goodsKeepFailing.rawValue: self.init(.failing, .failingAdvice)
        case Code.tooManyPending.rawValue: self.init(.tooManyInvoices, .tooManyInvoicesAdvice)
        case Code.tooManyAttempts.rawValue: self.init(.tooManyQuestions, .walletDownAdvice)
        case Code.notFound.rawValue, Code.noRule.rawValue, Code.fileNotFound.rawValue:
            self.init(.notFound, .notFoundAdvice)
        case Code.denied.rawValue, Code.goodsRefused.rawValue: self.init(.denied, nil)
        case _ where code.hasPrefix("wallet_"): self.init(.walletDown, .walletDownAdvice)
        case _ where code.hasPrefix("credential_"), "preimage_mismatch", "payment_foreign",
            "payment_too_small", "payment_hash_not_accepted":
            self.init(.badProof, .badProofAdvice)
        case _: self.init(.wrong, nil)
        }
    }

    /// The invoice that was shown before.
    static let invoiceOver = PageFault(.expired, nil)

    private init(_ words: PageWord, _ advice: PageWord?) {
        self.words = words
        self.advice = advice
    }
}
