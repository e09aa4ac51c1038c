import L402
import Lightning

/// The decision over one request, step by step; one file for each larger step.
struct DecisionMaker {
    let gate: Gate
    let request: Request
    let rules: Rules
    let now: UInt64

    var parts: Gate.Parts { gate.parts }
    var policy: Gate.Policy { gate.policy }

    func decide() -> Decision {
        if isOwnPath { return ownEndpoint() }
        guard let rule = rule(forPath: request.path.bytes) else { return unmatched() }
        guard request.mode != .refund else { return refund(rule) }
        if request.mode == .challenge, !request.taken.isEmpty {
            // `auth` let it pass: the 403 is the backend's own, and an answer that was sold.
            return refuse(rule, 403, code: "goods_refused", "the service refuses this request")
        }
        if let refusal = refuseAmbiguousPath(rule) { return refusal }

        switch rule.access {
        case .deny:
            return refuse(rule, 403, code: "denied", "this path is not served")
        case .free:
            return pass(rule, Admission(kind: .open))
        case .priced(let offer):
            if request.method == "OPTIONS" { return preflight(rule) }
            return sell(rule, offer)
        }
    }

    /// The rule for this request if it had this path.
    private func rule(forPath path: [UInt8]) -> Rule? {
        rules.match(method: request.method, host: rules.namesHosts ? request.host : nil, path: path)
    }

    /// A priced rule: proof first, then the free allowance, then an offer.
    private func sell(_ rule: Rule, _ offer: Offer) -> Decision {
        let body = BodyReader(request: request, rule: rule)
        if request.method != "HEAD", let missing = body.missingField {
            return refuse(rule, 400, code: "field_required", "\(missing) is required")
        }
        if let known = passAsKnown(rule, body: body) { return known }
        let presented = PresentedCredentials(sources(body))
        if !presented.isEmpty {
            return redeem(presented, rule: rule, offer: offer, body: body)
        }
        if request.method == "HEAD" {
            return probe(rule, offer)
        }
        if let allowance = offer.free {
            return tryFree(rule, offer, allowance, body: body)
        }
        return challenge(rule, offer, refusing: nil)
    }

    func sources(_ body: BodyReader) -> CredentialSources {
        var sources = CredentialSources()
        sources.authorization = request.header("HTTP_AUTHORIZATION")
        sources.paymentHashHeader = request.header("HTTP_X_PAYMENT_HASH")
        sources.paymentHashQuery = request.query("payment_hash")
        // `auth` saw no body, so that what stands there can never open anything in this mode.
        if request.mode != .challenge { sources.paymentHashBody = body.paymentHash }
        sources.macaroonHeader =
            request.header("HTTP_MACAROON") ?? request.header("HTTP_GRPC_METADATA_MACAROON")
        sources.cookie = request.header("HTTP_COOKIE")
        return sources
    }

    /// `HEAD` never makes an invoice: it tells the price.
    private func probe(_ rule: Rule, _ offer: Offer) -> Decision {
        var answer = Answer(
            status: 402,
            headers: [("Cache-Control", "no-store"), ("Vary", "Accept")]
        )
        switch offer.price {
        case .sats(let sats):
            answer.headers.append(("L402-Price", String(sats)))
        case .fiat(let amount):
            guard let wallet = parts.wallet(rule.wallet) else { return noWallet(rule) }
            do {
                answer.headers.append(("L402-Price", String(try wallet.sats(for: amount))))
            } catch {
                return unavailable(rule, error)
            }
        }
        answer.headers.append(("L402-Service", rule.service))
        var decision = Decision("challenge", answer, rule: rule)
        decision.code = "payment_required"
        return finish(decision)
    }

    /// A request that means two rules: the server's own reading of an encoded path decides, and a
    /// backend that gets the raw path could read it as another one.
    private func refuseAmbiguousPath(_ rule: Rule) -> Decision? {
        guard rule.access != .deny, request.path.isAmbiguous else { return nil }
        switch rule.serve ?? policy.defaultServe ?? .pass {
        case .named, .proxy: break
        // Without a second server nobody reads the path again.
        case .pass: if request.mode == .respond { return nil }
        case .internal, .file, .demo: return nil
        }
        let isHarmless = request.path.readings.allSatisfy { other in
            guard let second = self.rule(forPath: other) else {
                return !request.path.hasOddSeparator
            }
            return second.line == rule.line || second.access == .free
        }
        if isHarmless { return nil }
        return refuse(
            rule,
            400,
            code: "path_ambiguous",
            "this path has dots, slashes or parameters that servers read in different ways"
        )
    }

    // MARK: - Answers that every step uses

    /// Adds what every answer carries.
    func finish(_ decision: inout Decision) {
        let cors = decision.rule?.cors.map { CORSPolicy($0) } ?? policy.cors
        decision.answer.headers += cors.headers { request.headerText("HTTP_ORIGIN") }
    }

    /// The same decision with what every answer carries.
    func finish(_ decision: Decision) -> Decision {
        var copy = decision
        finish(&copy)
        return copy
    }

    /// A refusal that is not about payment.
    func refuse(
        _ rule: Rule?,
        _ status: Int,
        code: String,
        _ message: String,
        detail: String = "",
        retryAfterSeconds: UInt64? = nil
    ) -> Decision {
        if policy.isDryRun, let rule, status != 400 {
            return pass(rule, Admission(kind: .dryRun(code)))
        }
        var answer = Answer.error(status, code: code, message)
        if let retryAfterSeconds {
            answer = answer.adding("Retry-After", String(retryAfterSeconds))
        }
        var decision = Decision("refused", answer, rule: rule)
        decision.code = code
        decision.detail = detail
        record(.refused, rule: rule, code: code)
        return finish(decision)
    }

    /// The state cannot be read or written: nothing is given away.
    func unavailable(_ rule: Rule?, _ error: StateError) -> Decision {
        refuse(
            rule,
            503,
            code: "state_unavailable",
            "the service cannot keep its books right now",
            detail: error.reason,
            retryAfterSeconds: 5
        )
    }

    /// The wallet gave no answer: nothing is given away, and its words stay here.
    func unavailable(_ rule: Rule?, _ error: WalletError) -> Decision {
        refuse(
            rule,
            503,
            code: error.kind.rawValue,
            "the payment service does not answer right now",
            detail: error.reason,
            retryAfterSeconds: error.retryAfterSeconds
        )
    }

    /// Asks the wallet, and counts what led nowhere.
    func ask(_ wallet: any InvoiceSource, _ hash: PaymentHash, for question: Question)
        throws(WalletError) -> WalletPayment?
    {
        let payment = try wallet.payment(hash, for: question)
        if payment?.isPaid != true { parts.attempts.count(request.client?.client ?? [], now: now) }
        return payment
    }

    /// Whether the client may not have the wallet asked any more for now.
    var hasTooManyAttempts: Bool {
        parts.attempts.isExhausted(request.client?.client ?? [], now: now)
    }

    func tooManyAttempts(_ rule: Rule?) -> Decision {
        refuse(
            rule,
            429,
            code: "too_many_attempts",
            "you have asked about unpaid payments too often; wait a little",
            retryAfterSeconds: 60 - now % 60
        )
    }

    /// `wallet=NAME` without its key in the environment.
    func noWallet(_ rule: Rule) -> Decision {
        let name = rule.wallet ?? "default"
        return refuse(
            rule,
            503,
            code: "wallet_not_configured",
            "the payment service does not answer right now",
            detail:
                "no key for wallet \"\(name)\" of the rule in line \(rule.line): set LNBITS_KEY_\(name)",
            retryAfterSeconds: 60
        )
    }

    func record(
        _ kind: JournalEvent.Kind,
        rule: Rule?,
        paymentHash: PaymentHash? = nil,
        amount: Millisatoshis = Millisatoshis(msat: 0),
        usesLeft: UInt64? = nil,
        code: String = ""
    ) {
        parts.journal.record(
            JournalEvent(
                time: now,
                kind: kind,
                service: rule?.service ?? "",
                tier: rule?.tier ?? 0,
                paymentHash: paymentHash,
                amount: amount,
                usesLeft: usesLeft,
                code: code,
                method: request.method,
                path: String(foreign: request.path.bytes)
            )
        )
    }
}

/// The parts of a request's body that matter, read once.
struct BodyReader {
    private let fields: BodyFields?
    private let required: [String]
    /// The text of the demo's `prompt`.
    let prompt: String?

    init(request: Request, rule: Rule) {
        required = rule.require
        switch request.readBody(Request.bodyLimitBytes) {
        case .whole(let bytes):
            fields = BodyFields(bytes, names: required + ["payment_hash", "prompt"])
        case .tooLarge, .unavailable:
            fields = nil
        }
        prompt = fields?.text("prompt")
    }

    /// The first required field that is absent; `nil` also when the body could not be looked at.
    var missingField: String? {
        guard let fields else { return nil }
        return required.first { !fields.has($0) }
    }

    /// The bare payment hash in the body.
    var paymentHash: [UInt8]? { fields?.text("payment_hash").map { Array($0.utf8) } }
}
