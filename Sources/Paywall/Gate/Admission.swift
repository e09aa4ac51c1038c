import L402
import Store

/// On what ground a request passes.
struct Admission {
    enum Kind {
        /// The rule is free.
        case open
        /// One of the client's free requests.
        case free(FreeClaim, FreeOutcome, FreeAllowance)
        /// A payment.
        case paid(PaymentClaim, Use)
        /// `L402_DRY_RUN`: it would have been refused, for this code.
        case dryRun(String)
    }

    /// What a paid request took.
    enum Use {
        /// One use of those that are counted, or the one this very request took before.
        case counted(left: UInt64)
        /// Nothing is counted: the payment is unlimited.
        case unlimited
        /// Nothing: a delivery that took its use before, or a question that is no delivery.
        case covered
    }

    let kind: Kind
    /// The fields of the request's body that were looked at.
    var body: BodyReader?
    /// The token that did it, where it was one, and the keys it was verified with.
    private(set) var proof: (token: VerifiedToken, keys: [MasterKey])?

    init(_ kind: Kind, body: BodyReader? = nil) {
        self.kind = kind
        self.body = body
    }

    /// The same, with its token.
    func proved(by token: VerifiedToken, _ keys: [MasterKey]) -> Admission {
        var copy = self
        copy.proof = (token, keys)
        return copy
    }

    /// What can be returned when the goods fail.
    func taken(at now: UInt64) -> Taken? {
        switch kind {
        case .free(let claim, _, _): .free(claim, takenAt: now)
        case .paid(let claim, .counted): .payment(claim)
        case .open, .paid, .dryRun: nil
        }
    }
}

/// What a step makes of a request.
enum Verdict {
    case admitted(Admission)
    case refused(Refusal)
}
