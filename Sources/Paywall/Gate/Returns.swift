import HTTP
import L402
import Lightning
import Store

/// The web server's word about goods that it has served: what a request took and did not get goes
/// back.
struct Returns {
    let visit: Visit
    let rule: Rule
    let gate: Gate

    private var request: Request { visit.request }

    /// The goods failed (`L402_MODE=refund`): returns what this very request took, and says so.
    func refund() -> Decision {
        let isBack = giveBack(.failure)
        let words =
            isBack
            ? "the service failed; what this request took has been given back"
            : "the service failed"
        var answer = Response.error(request.failedStatus, code: Code.goodsFailed.rawValue, words)
        answer.headers.append(("L402-Refunded", isBack ? "1" : "0"))
        if request.method == "HEAD" { answer.body = [] }
        var decision = Decision(.refund, answer, rule: rule)
        decision.code = isBack ? "refunded" : "nothing_to_return"
        return decision
    }

    /// The answer has gone out, or has not (`L402_MODE=settle`). Nobody reads what is answered here,
    /// but nginx writes its status into the access log: so it is the one that the client got, and 499
    /// for a client that left.
    func settle() -> Decision {
        let report = AnswerReport(request)
        let cause = Settlement(request, rule: rule, rules: visit.rules).cause(report)
        let isBack = cause.map { giveBack($0) } ?? false
        let status = (200...599).contains(report.status) ? report.status : 499
        var decision = Decision(.settle, Response(status: status), rule: rule)
        decision.code = isBack ? "returned" : cause == nil ? "delivered" : "nothing_to_return"
        return decision
    }

    /// Behind `auth_request` a 403 that no backend gave, such as for a directory without an index, is
    /// the web server's own: nothing was delivered.
    func returnUnlessBackendAnswered() {
        if request.reported("L402_UPSTREAM_STATUS") == nil { _ = giveBack(.nothingDelivered) }
    }

    private func giveBack(_ cause: ReturnCause) -> Bool {
        guard case .priced(let offer) = rule.access else { return false }
        for claim in claims() where gate.giveBack(.payment(claim), cause, now: visit.now) {
            return true
        }
        guard let allowance = offer.free, let client = request.client else { return false }
        let claim = visit.freeClaim(rule, allowance, client)
        return gate.giveBack(.free(claim, takenAt: visit.now), cause, now: visit.now)
    }

    /// Every payment that this request may have taken a use of: the one that the gate named for it,
    /// and what it presents. The books know which of them it was.
    private func claims() -> [PaymentClaim] {
        let ledger = visit.parts.books.ledger
        var claims: [PaymentClaim] = []
        func add(_ hash: PaymentHash) {
            // What a request took is on record.
            guard let terms = try? ledger.terms(of: hash), terms.service == rule.service,
                terms.site == visit.policy.site
            else { return }
            claims.append(visit.claim(terms, hash, for: rule))
        }
        if let named = request.reported("L402_PAYMENT").flatMap({ PaymentHash(hex: $0) }) {
            add(named)
            return claims
        }
        var sources = CredentialSources(request)
        if request.mode == .refund {
            sources.paymentHashBody = BodyReader(request: request, rule: rule).paymentHash
        }
        for credential in PresentedCredentials(sources).credentials {
            switch credential {
            case .hash(let hash):
                add(hash)
            case .tokens(let tokens, _, _):
                for token in tokens { add(token.identifier.paymentHash) }
            }
        }
        return claims
    }
}
