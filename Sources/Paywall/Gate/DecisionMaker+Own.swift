import L402
import Lightning

/// What the gate answers itself, beside selling: its own endpoints, preflights, descriptions.
extension DecisionMaker {
    /// Whether the gate answers this path itself, whatever the rules say.
    var isOwnPath: Bool {
        let path = request.path.bytes
        // Both begin with a dot, which hardly any other path does.
        guard path.count > 1, path[1] == UInt8(ascii: ".") else { return false }
        return path.starts(with: "/.l402/".utf8) || isServicesPath
    }

    /// Whether the list of what is for sale is asked for.
    private var isServicesPath: Bool {
        request.path.bytes.elementsEqual("/.well-known/l402-services".utf8)
    }

    func ownEndpoint() -> Decision {
        if request.method == "OPTIONS" { return preflight(nil) }
        guard request.method == "GET" || request.method == "HEAD" else {
            return refuse(
                nil,
                405,
                code: "method_not_allowed",
                "only GET and HEAD are answered here"
            )
        }
        if isServicesPath {
            return own(
                "services",
                .json(200, ServiceList(rules.rules.compactMap(ServiceEntry.init)))
            )
        }
        switch String(foreign: request.path.bytes) {
        case "/.l402/health": return health()
        case "/.l402/status": return status()
        case "/.l402/metrics": return metrics()
        default: return refuse(nil, 404, code: "not_found", "there is nothing here")
        }
    }

    /// No rule for this method and path: a description where other methods are sold, else 404.
    func unmatched() -> Decision {
        let others = rules.matches(host: request.host, path: request.path.bytes)
        if request.method == "OPTIONS", let rule = others.first { return preflight(rule) }
        let sold = others.filter { if case .priced = $0.access { true } else { false } }
        if request.method == "GET" || request.method == "HEAD", let rule = sold.first,
            let entry = ServiceEntry(rule)
        {
            let list = sold.compactMap(ServiceEntry.init)
            return own("description", .json(200, ServiceDescription(entry, list)), rule: rule)
        }
        return refuse(nil, 404, code: "no_rule", "there is nothing here")
    }

    /// A preflight is answered without payment and takes nothing.
    func preflight(_ rule: Rule?) -> Decision {
        var methods =
            rule?.methods.map { $0.sorted() } ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        if !methods.contains("OPTIONS") { methods.append("OPTIONS") }
        let cors = rule?.cors.map { CORSPolicy($0) } ?? policy.cors
        return own(
            "preflight",
            Answer(
                status: 204,
                headers: [("Allow", methods.joined(separator: ", "))]
                    + cors.preflightHeaders(methods: methods)
            ),
            rule: rule
        )
    }

    private func own(_ outcome: String, _ answer: Answer, rule: Rule? = nil) -> Decision {
        var decision = Decision(outcome, answer, rule: rule)
        if request.method == "HEAD" { decision.answer.body = [] }
        return finish(decision)
    }

    /// For load balancers: whether what every sale needs is there. The wallet is not asked.
    private func health() -> Decision {
        do {
            _ = try parts.keys()
            return own("health", .json(200, ["status": "ok"]))
        } catch {
            return unavailable(nil, error)
        }
    }

    /// For Prometheus; as if it were not there for whom it is not for.
    private func metrics() -> Decision {
        let isAllowed =
            switch policy.metrics {
            case .all: true
            case .local: request.isLocal
            case .off: false
            }
        guard isAllowed, let text = parts.metrics() else {
            return refuse(nil, 404, code: "not_found", "there is nothing here")
        }
        let type = "text/plain; version=0.0.4; charset=utf-8"
        let headers = [("Content-Type", type), ("Cache-Control", "no-store")]
        return own("metrics", Answer(status: 200, headers: headers, body: Array(text.utf8)))
    }

    /// Whether a challenge has been paid; asked with its token, so that nobody learns of others'
    /// payments.
    private func status() -> Decision {
        var sources = CredentialSources()
        sources.authorization = request.header("HTTP_AUTHORIZATION")
        sources.cookie = request.header("HTTP_COOKIE")
        let presented = PresentedCredentials(sources)
        for case .tokens(let tokens, _) in presented.credentials {
            for token in tokens {
                do {
                    let terms = try token.mintedTerms(by: parts.keys())
                    return try status(of: token, terms: terms)
                } catch let error as StateError {
                    return unavailable(nil, error)
                } catch let error as WalletError {
                    return unavailable(nil, error)
                } catch {
                    continue
                }
            }
        }
        return refuse(
            nil,
            400,
            code: "token_required",
            "send the token of the challenge: Authorization: L402 <macaroon>"
        )
    }

    private func status(of token: Token, terms: PurchaseTerms) throws -> Decision {
        let rule = rules.rules.first { $0.service == terms.service }
        guard let wallet = parts.wallet(rule?.wallet) else {
            throw WalletError(.badKey, "no key for the wallet of service \(terms.service)")
        }
        guard !hasTooManyAttempts else { return tooManyAttempts(rule) }
        let payment = try ask(wallet, token.identifier.paymentHash, for: .status)
        let word =
            if now >= terms.validUntil {
                "expired"
            } else if payment?.isPaid == true {
                "paid"
            } else if let expiry = payment?.invoice?.expiresAt, expiry > now {
                "pending"
            } else {
                "expired"
            }
        return own(
            "status",
            .json(
                200,
                PaymentStatusBody(
                    status: word,
                    paid: payment?.isPaid == true,
                    payment_hash: token.identifier.paymentHash.hex,
                    valid_until: terms.validUntil
                )
            )
        )
    }
}

private struct PaymentStatusBody: Encodable {
    let status: String
    let paid: Bool
    let payment_hash: String
    let valid_until: UInt64
}
