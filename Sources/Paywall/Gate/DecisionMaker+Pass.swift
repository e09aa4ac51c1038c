import L402
import Lightning

/// On what ground a request passes.
struct Admission {
    enum Kind {
        /// The rule is free.
        case open
        /// One of the client's free requests.
        case free(FreeClaim, FreeOutcome, FreeAllowance)
        /// A use of a payment.
        case paid(PaymentClaim, usesLeft: UInt64?)
        /// `L402_DRY_RUN`: it would have been refused, for this code.
        case dryRun(String)
    }
    let kind: Kind
    /// The token that did it, where it was one, and the keys it was verified with.
    private(set) var proof: (token: VerifiedToken, keys: [MasterKey])?

    init(kind: Kind) { self.kind = kind }

    /// The same, with its token.
    func proved(by token: VerifiedToken, _ keys: [MasterKey]) -> Admission {
        var copy = self
        copy.proof = (token, keys)
        return copy
    }
}

extension DecisionMaker {
    /// Serves a request from the client's free allowance, or makes it an offer.
    func tryFree(
        _ rule: Rule,
        _ offer: Offer,
        _ allowance: FreeAllowance,
        body: BodyReader
    ) -> Decision {
        guard let client = request.client else {
            // Nobody to count for: without an address nothing is free.
            return challenge(rule, offer, refusing: nil)
        }
        let claim = freeClaim(rule, allowance, client)
        do {
            let outcome = try parts.free.take(claim, now: now)
            if outcome.isGranted {
                return pass(rule, Admission(kind: .free(claim, outcome, allowance)), body: body)
            }
            return challenge(rule, offer, refusing: nil, freeLeft: outcome)
        } catch {
            return unavailable(rule, error)
        }
    }

    private func freeClaim(_ rule: Rule, _ allowance: FreeAllowance, _ client: ClientAddress)
        -> FreeClaim
    {
        FreeClaim(
            rule: rule.identity,
            client: client.client,
            network: client.network,
            limit: allowance.limit,
            period: allowance.period
        )
    }

    /// Lets a request pass, to where its rule says the goods come from.
    func pass(_ rule: Rule, _ admission: Admission, body: BodyReader? = nil) -> Decision {
        var decision = Decision("free", Answer(status: 200), rule: rule)
        decision.answer.headers.reserveCapacity(12)
        decision.answer.headers.append(("L402-Service", rule.service))
        decision.answer.headers.append(("L402-Tier", String(rule.tier)))
        describe(admission, rule: rule, in: &decision)
        if request.mode == .challenge { return retry(decision) }
        let target = rule.serve ?? policy.defaultServe ?? .pass
        if case .priced = rule.access, target != .demo {
            // What one client paid for, or got of its allowance, no shared cache gives to others.
            decision.answer.headers.append(("Cache-Control", "private"))
        }
        if request.mode == .authorizer {
            // mod_authnz_fcgi and lighttpd give `Variable-X` to the next handler as `X`.
            decision.answer.headers += decision.answer.headers.filter { $0.name.hasPrefix("L402-") }
                .map { ("Variable-" + $0.name.uppercased().replacing("-", with: "_"), $0.value) }
            return finish(decision)
        }
        deliver(target, body: body, in: &decision)
        finish(&decision)
        return decision
    }

    private func describe(_ admission: Admission, rule: Rule, in decision: inout Decision) {
        switch admission.kind {
        case .open:
            decision.answer.headers.append(("L402-Access", "free"))
        case .free(let claim, let outcome, let allowance):
            decision.taken = .free(claim, takenAt: now)
            decision.answer.headers.append(("L402-Access", "free"))
            decision.answer.headers.append(("L402-Free-Left", String(outcome.left)))
            decision.answer.headers += allowance.headers(outcome)
            record(.free, rule: rule, usesLeft: UInt64(outcome.left))
        case .paid(let claim, let usesLeft):
            decision.outcome = "paid"
            decision.taken = usesLeft == nil ? nil : .payment(claim)
            decision.paymentHash = claim.paymentHash
            decision.answer.headers.append(("L402-Access", "paid"))
            decision.answer.headers.append(("L402-Payment-Hash", claim.paymentHash.hex))
            decision.answer.headers.append(
                ("L402-Uses-Left", usesLeft.map(String.init) ?? "unlimited")
            )
            record(
                .used,
                rule: rule,
                paymentHash: claim.paymentHash,
                amount: claim.price,
                usesLeft: usesLeft
            )
        case .dryRun(let code):
            decision.outcome = "dry-run"
            decision.code = code
            decision.answer.headers.append(("L402-Access", "dry-run"))
            record(.refused, rule: rule, code: "dry_run_" + code)
        }
    }

    private func deliver(_ target: ServeTarget, body: BodyReader?, in decision: inout Decision) {
        switch target {
        case .named(let name):
            decision.answer.headers.append(("X-Accel-Redirect", name))
        case .internal(let prefix):
            decision.answer.headers.append(("X-Accel-Redirect", internalURI(prefix)))
        case .file(let directory):
            let sendfile = policy.sendsFiles ? request.sendfilePath.map { directory + $0 } : nil
            decision.goods = .file(
                path: request.path.bytes,
                directory: directory,
                sendfile: sendfile
            )
        case .proxy(let base):
            decision.goods = .backend(base: base, path: request.path.forBackend)
        case .pass:
            decision.answer.status = 204
        case .demo:
            let demo = demo(body)
            decision.answer.headers += demo.headers
            decision.answer.body = request.method == "HEAD" ? [] : demo.body
        }
    }

    /// The goods of the tutorial.
    private func demo(_ body: BodyReader?) -> Answer {
        let words = "This is your paid API response for: "
        let path = request.path.bytes
        let isPlain = path.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "-")...UInt8(ascii: "9")).contains(byte)
        }
        guard body?.prompt == nil, isPlain else {
            let what = body?.prompt ?? String(foreign: path)
            return .json(200, ["result": words + what])
        }
        // What an encoder would write, for a path of letters and digits: they are most.
        var text = Array("{\"result\":\"\(words)".utf8)
        text += path
        text += "\"}\n".utf8
        return Answer(status: 200, headers: Answer.jsonHeaders, body: text)
    }

    /// The path below an internal location, and the query.
    private func internalURI(_ prefix: String) -> String {
        var uri = Array(prefix.utf8)
        uri += request.path.encodedForHeader.drop { $0 == UInt8(ascii: "/") }
        if let query = request.path.query { uri += [UInt8(ascii: "?")] + query }
        return String(foreign: uri)
    }

    /// Between `auth_request`'s refusal and the call for its challenge the credential became good:
    /// nothing can be served from here, so nothing is taken either.
    private func retry(_ decision: Decision) -> Decision {
        if let taken = decision.taken { _ = gate.giveBack(taken, now: now) }
        return refuse(
            decision.rule,
            503,
            code: "try_again",
            "your payment has just arrived; send it again",
            retryAfterSeconds: 1
        )
    }

    /// The goods failed: returns the use that this very request took, and says so.
    func refund(_ rule: Rule) -> Decision {
        var returned = false
        if case .priced(let offer) = rule.access {
            let presented = PresentedCredentials(sources(BodyReader(request: request, rule: rule)))
            if let claim = claimToReturn(presented, rule: rule) {
                returned = gate.giveBack(.payment(claim), now: now)
            } else if presented.isEmpty, request.taken == "free", let allowance = offer.free,
                let client = request.client
            {
                let claim = freeClaim(rule, allowance, client)
                returned = gate.giveBack(.free(claim, takenAt: now), now: now)
            }
        }
        let words =
            returned
            ? "the service failed; what this request took has been given back"
            : "the service failed"
        var answer = Answer.error(request.failedStatus, code: "goods_failed", words)
        answer.headers.append(("L402-Refunded", returned ? "1" : "0"))
        var decision = Decision("refund", answer, rule: rule)
        decision.code = returned ? "refunded" : "nothing_to_return"
        return finish(decision)
    }
}

extension FreeAllowance {
    /// What is left, as draft-ietf-httpapi-ratelimit-headers names it.
    func headers(_ outcome: FreeOutcome) -> [(name: String, value: String)] {
        [
            ("RateLimit-Policy", "\"free\";q=\(limit);w=\(period.seconds)"),
            ("RateLimit", "\"free\";r=\(outcome.left);t=\(outcome.resetSeconds)"),
        ]
    }
}

extension Rule {
    /// Names the rule while its methods, host and path are the same, wherever its line moves to.
    var identity: [UInt8] {
        let methods = methods.map { $0.sorted().joined(separator: ",") } ?? "*"
        return Array("\(methods) \(host ?? "") \(pattern.text)".utf8)
    }
}

extension PathPattern {
    /// The directory of the literal part of the pattern, for a cookie; no byte that could end it.
    var cookiePath: String {
        let literal = text.prefix { $0 != "*" }
        guard let slash = literal.lastIndex(of: "/") else { return "/" }
        let isPlain = literal.unicodeScalars.allSatisfy {
            $0.isASCII && $0.value > 0x20 && $0 != ";" && $0 != ","
        }
        return isPlain ? String(literal[...slash]) : "/"
    }
}
