import HTTP
import L402
import Lightning
import Store
import Text
import Wallets

/// What the gate answers itself, beside selling: its own endpoints, preflights, descriptions.
struct OwnEndpoints {
    let visit: Visit

    private var request: Request { visit.request }
    private var parts: Gate.Parts { visit.parts }

    /// Whether the gate answers this path itself, whatever the rules say.
    var isOwnPath: Bool { ownPath != nil }

    /// The gate's own name in the path, to the path's end; `nil` where there is none.
    ///
    /// Below any directory, where the answer is the gate's to give: on shared hosting it sees nothing
    /// that is above the one it lies in. Where it only says who may pass, what is below a directory is
    /// a backend's, and has a rule.
    private var ownPath: ArraySlice<UInt8>? {
        let path = request.path.bytes
        var rest = path[...]
        while let dot = rest.firstIndex(of: UInt8(ascii: ".")) {
            if dot == 1 || request.mode == .respond && dot > 1 {
                let named = path[(dot - 1)...]
                if named.starts(with: "/.l402/".utf8) || named.elementsEqual(Self.services) {
                    return named
                }
            }
            rest = path[(dot + 1)...]
        }
        return nil
    }

    /// The list of what is for sale.
    private static let services = Array("/.well-known/l402-services".utf8)

    func answer() -> Decision {
        if request.method == "OPTIONS" { return preflight(nil) }
        guard request.method == "GET" || request.method == "HEAD" else {
            return refused(
                Refusal(405, .methodNotAllowed, "only GET and HEAD are answered here")
            )
        }
        let path = ownPath ?? []
        if path.elementsEqual(Self.services) {
            return own(
                .services,
                .json(200, ServiceList(visit.rules.rules.compactMap(ServiceEntry.init)))
            )
        }
        switch String(foreign: path) {
        case "/.l402/health": return health()
        case "/.l402/status": return status()
        // At this address alone: operators bar it in the web server by its name.
        case "/.l402/metrics" where path.startIndex == 0: return metrics()
        default: return refused(Self.nothingHere)
        }
    }

    private static let nothingHere = Refusal(404, .notFound, "there is nothing here")

    private func refused(_ refusal: Refusal, _ rule: Rule? = nil) -> Decision {
        Answers(visit: visit, rule: rule).refused(refusal)
    }

    /// No rule for this method and path: a description where other methods are sold, else 404.
    func unmatched() -> Decision {
        let others = visit.rules.matches(host: request.host, path: request.path.bytes)
        if request.method == "OPTIONS", let rule = others.first { return preflight(rule) }
        let sold = others.filter { if case .priced = $0.access { true } else { false } }
        if request.method == "GET" || request.method == "HEAD", let rule = sold.first,
            let entry = ServiceEntry(rule)
        {
            let list = sold.compactMap(ServiceEntry.init)
            return own(.description, .json(200, ServiceDescription(entry, list)), rule: rule)
        }
        return refused(Refusal(404, .noRule, "there is nothing here"))
    }

    /// A preflight is answered without payment and takes nothing.
    func preflight(_ rule: Rule?) -> Decision {
        var methods =
            rule?.methods.map { $0.sorted() } ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        if !methods.contains("OPTIONS") { methods.append("OPTIONS") }
        let cors = rule?.cors.map { CORSPolicy($0) } ?? visit.policy.cors
        let asked = request.headerText("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
        return own(
            .preflight,
            Response(
                status: 204,
                headers: [("Allow", methods.joined(separator: ", "))]
                    + cors.preflightHeaders(methods: methods, asked: asked)
            ),
            rule: rule
        )
    }

    private func own(_ outcome: Outcome, _ answer: Response, rule: Rule? = nil) -> Decision {
        var decision = Decision(outcome, answer, rule: rule)
        if request.method == "HEAD" { decision.answer.body = [] }
        return decision
    }

    /// For load balancers: whether what every sale needs is there. The wallet is not asked.
    private func health() -> Decision {
        do {
            _ = try parts.books.keys.keys()
            return own(.health, .json(200, ["status": "ok"]))
        } catch {
            return refused(Refusal(error))
        }
    }

    /// For Prometheus. Everybody else is told that there is nothing.
    private func metrics() -> Decision {
        let isAllowed =
            switch visit.policy.metrics {
            case .all: true
            case .local: request.isLocal
            case .off: false
            }
        guard isAllowed, let text = parts.metrics() else { return refused(Self.nothingHere) }
        let type = "text/plain; version=0.0.4; charset=utf-8"
        let headers = [("Content-Type", type), ("Cache-Control", "no-store")]
        return own(.metrics, Response(status: 200, headers: headers, body: Array(text.utf8)))
    }

    // MARK: - Has it been paid?

    /// Whether a challenge has been paid; asked with its token, so that nobody learns of others'
    /// payments. Takes nothing.
    private func status() -> Decision {
        var sources = CredentialSources()
        sources.authorization = request.header("HTTP_AUTHORIZATION")
        sources.cookie = request.header("HTTP_COOKIE")
        let presented = PresentedCredentials(sources)
        let keys: [MasterKey]
        do { keys = try parts.books.keys.keys() } catch { return refused(Refusal(error)) }
        do throws(Refusal) {
            for case .tokens(let tokens, _, _) in presented.credentials {
                for token in tokens {
                    guard let terms = try? token.mintedTerms(by: keys),
                        terms.site == visit.policy.site
                    else { continue }
                    return own(.status, .json(200, try status(of: token, terms)))
                }
            }
        } catch {
            return refused(error)
        }
        return refused(
            Refusal(
                400,
                .tokenRequired,
                "send the token of the challenge: Authorization: L402 <macaroon>"
            )
        )
    }

    private func status(of token: Token, _ terms: PurchaseTerms) throws(Refusal)
        -> PaymentStatusBody
    {
        let hash = token.identifier.paymentHash
        func body(_ status: String, isPaid: Bool) -> PaymentStatusBody {
            PaymentStatusBody(
                status: status,
                paid: isPaid,
                payment_hash: hash.hex,
                valid_until: terms.validUntil
            )
        }
        if visit.now >= terms.validUntil { return body("expired", isPaid: false) }
        switch try onRecord(hash, terms) {
        case .unknown: break
        case .expired: return body("expired", isPaid: false)
        case .taken, .repeated, .withinGrace, .spent, .spentJustNow, .revoked, .failing:
            return body("paid", isPaid: true)
        }
        let rule = visit.rules.rules.first { $0.service == terms.service }
        guard let wallet = parts.wallets(rule?.wallet).first else {
            throw Refusal(
                WalletError(.badKey, "no key for the wallet of service \(terms.service)")
            )
        }
        // The wallet is asked for each, paid or not, so that each is counted.
        guard !visit.memory.attempts.isExhausted(visit.clientKey, now: visit.now) else {
            throw .tooManyAttempts(now: visit.now)
        }
        visit.memory.attempts.count(visit.clientKey, now: visit.now)
        let payment: WalletPayment?
        do throws(WalletError) {
            payment = try wallet.payment(hash, for: .status)
        } catch {
            throw Refusal(error)
        }
        if payment?.isPaid == true { return body("paid", isPaid: true) }
        let isPayable = (payment?.invoice?.expiresAt).map { $0 > visit.now } ?? false
        return body(isPayable ? "pending" : "expired", isPaid: false)
    }

    private func onRecord(_ hash: PaymentHash, _ terms: PurchaseTerms) throws(Refusal)
        -> TakeOutcome
    {
        let claim = PaymentClaim(paymentHash: hash, terms: terms, requestID: "")
        do { return try parts.books.ledger.look(claim, now: visit.now) } catch {
            throw Refusal(error)
        }
    }
}

private struct PaymentStatusBody: Encodable {
    let status: String
    let paid: Bool
    let payment_hash: String
    let valid_until: UInt64
}
