import HTTP
import Lightning
import Store

/// What is to be done with a request.
package struct Decision: Sendable {
    /// The answer.
    package var answer: Response
    /// What was taken for it, to be returned when the goods fail.
    package var taken: Taken?
    /// Where the body comes from, when it is not the answer's own.
    package var goods: GoodsSource?
    /// What became of the request.
    package var outcome: Outcome
    /// The stable code of a refusal, or empty.
    package var code = ""
    /// Words for the log only: what the client is not told.
    package var detail = ""
    /// The rule that decided; `nil` when none matched.
    package var rule: Rule?
    /// The payment concerned.
    package var paymentHash: PaymentHash?

    init(_ outcome: Outcome, _ answer: Response, rule: Rule? = nil) {
        self.outcome = outcome
        self.answer = answer
        self.rule = rule
    }

    /// Whether the request may pass.
    package var isPass: Bool { outcome.isPass }

    /// For nginx `auth_request`, which knows 2xx, 401 and 403 only and copies `WWW-Authenticate`
    /// of a 401: the answer itself is made by a second call.
    func asBareVerdict() -> Decision {
        var copy = self
        let kept = answer.headers.filter {
            $0.name != "WWW-Authenticate" && $0.name != "X-Accel-Redirect"
        }
        copy.goods = nil
        copy.answer = Response(status: isPass ? 204 : 403, headers: isPass ? kept : [])
        return copy
    }
}

/// What a request took and what can be returned.
package enum Taken: Sendable {
    /// One use of a payment.
    case payment(PaymentClaim)
    /// One free request, at this time.
    case free(FreeClaim, takenAt: UInt64)
}

/// Goods that the gate itself hands over.
package enum GoodsSource: Sendable, Equatable {
    /// The file at a decoded path below a directory. With `sendfile`, the value of `X-Sendfile`,
    /// the web server sends it once it is known to be there.
    case file(path: [UInt8], directory: String, sendfile: String?)
    /// The answer of a backend to a percent-encoded path with its query.
    case backend(base: String, path: [UInt8])
}
