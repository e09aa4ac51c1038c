import HTTP
import L402
import Lightning
import Store
import Text

/// Makes the answer of what the steps found: the one place that writes for clients.
struct Answers {
    let visit: Visit
    let rule: Rule?

    private var request: Request { visit.request }

    // MARK: - Refusals

    /// A refusal, with the offer that goes with it.
    func refused(_ refusal: Refusal) -> Decision {
        guard case .priced(let offer)? = rule?.access, let rule else { return told(refusal) }
        switch refusal.remedy {
        case .none:
            return told(refusal)
        case .price:
            return priced(refusal, rule, offer)
        case .invoice(let standing):
            // Inside `auth_request` no invoice is made: the second call makes it.
            if request.mode == .auth { return verdict(refusal) }
            let audience = request.audience
            if request.method == "HEAD" || audience == .part {
                return priced(refusal, rule, offer)
            }
            // A person who did not say so gets an invoice by the button.
            let isAsked = audience == .program || request.isOpenNavigation
            if !isAsked, !refusal.hasStanding(at: visit.now) {
                return priced(refusal, rule, offer)
            }
            if refusal.code != Code.paymentRequired.rawValue {
                visit.record(
                    .refused,
                    rule: rule,
                    paymentHash: refusal.paymentHash,
                    code: refusal.code
                )
            }
            var minting = Minting(visit: visit, rule: rule, offer: offer)
            minting.isUnasked = audience == .person
            do throws(Refusal) {
                let made = try minting.make(standing: standing)
                return offered(made, refusal, offer, setsCookie: true)
            } catch {
                // Who holds many gets one more by the button.
                if minting.isUnasked, error.code == Code.tooManyPending.rawValue {
                    return priced(refusal, rule, offer)
                }
                return told(error)
            }
        }
    }

    /// Words and a code, and nothing to pay.
    private func told(_ refusal: Refusal) -> Decision {
        // Not a program that asks for an endpoint of the gate's own.
        let isPage =
            (request.audience == .person || request.isFormOfOurs)
            && !OwnEndpoints(visit: visit).isOwnPath
        var answer =
            isPage
            ? PersonPages(visit, rule).refused(refusal)
            : Response.error(refusal.status, code: refusal.code, refusal.message)
        if let seconds = refusal.retryAfterSeconds {
            answer = answer.adding("Retry-After", String(seconds))
        }
        if request.method == "HEAD" { answer.body = [] }
        let isUndecided = refusal.code == Code.paymentUndecided.rawValue
        visit.record(
            isUndecided ? .undecided : .refused,
            rule: rule,
            paymentHash: refusal.paymentHash,
            code: refusal.code
        )
        return decision(.refused, answer, refusal)
    }

    private func verdict(_ refusal: Refusal) -> Decision {
        decision(.refused, Response(status: 403), refusal)
    }

    private func decision(_ outcome: Outcome, _ answer: Response, _ refusal: Refusal) -> Decision {
        var decision = Decision(outcome, answer, rule: rule)
        decision.code = refusal.code
        decision.detail = refusal.detail
        decision.paymentHash = refusal.paymentHash
        return decision
    }

    /// 402 with the price and no invoice, as `HEAD` is told it, so that a client that looks for a
    /// challenge finds that there is something to pay.
    private func priced(_ refusal: Refusal, _ rule: Rule, _ offer: Offer) -> Decision {
        let sats: UInt64
        do throws(Refusal) {
            sats = try Minting(visit: visit, rule: rule, offer: offer).priceSats()
        } catch {
            return told(error)
        }
        let isFirst = refusal.code == Code.paymentRequired.rawValue
        var answer: Response
        switch request.audience {
        case .person:
            let pages = PersonPages(visit, rule)
            if let page = refusal.page {
                answer = page
            } else if let uses = refusal.usesLeft {
                answer = pages.left(uses.left, of: uses.of)
            } else {
                answer = pages.offer(sats, offer, refusal)
            }
        case .part:
            answer = Response(status: 402, headers: [("Cache-Control", "no-store")])
        case .program:
            answer = .error(402, code: refusal.code, refusal.message)
            if request.method == "HEAD" {
                answer = Response(status: 402, headers: [("Cache-Control", "no-store")])
            }
        }
        if request.method == "HEAD" { answer.body = [] }
        answer.headers.insert(
            (
                "WWW-Authenticate",
                "L402 service=\"\(rule.service)\", price_sats=\"\(sats)\""
            ),
            at: 0
        )
        answer.headers.append(("Vary", "Accept"))
        answer.headers.append(("L402-Price", String(sats)))
        answer.headers.append(("L402-Service", rule.service))
        if let allowance = offer.free, let left = refusal.freeLeft {
            answer.headers += allowance.headers(left)
        }
        if let seconds = refusal.retryAfterSeconds {
            answer.headers.append(("Retry-After", String(seconds)))
        }
        if !isFirst {
            visit.record(
                .refused,
                rule: rule,
                paymentHash: refusal.paymentHash,
                code: refusal.code
            )
        }
        return decision(isFirst ? .challenge : .refused, answer, refusal)
    }

    /// - Parameter setsCookie: Whether a browser is given the token; not where it has just shown it.
    func offered(_ made: MadeOffer, _ refusal: Refusal, _ offer: Offer, setsCookie: Bool)
        -> Decision
    {
        var answer: Response
        if request.audience == .person {
            answer = PersonPages(visit, rule).invoice(made, offer, refusal)
            if setsCookie { answer.headers += cookies(made, CookieJar(request)) }
        } else {
            let isFirst = refusal.code == Code.paymentRequired.rawValue
            answer = .json(
                402,
                ChallengeBody(
                    made.challenge,
                    terms: made.terms,
                    per: rule?.per?.text,
                    path: rule.flatMap { visit.boughtPath(made.terms, $0) },
                    memo: rule?.memo ?? "",
                    invoiceExpiresAt: made.invoiceExpiresAt,
                    refusing: isFirst ? nil : (refusal.code, refusal.message),
                    sendsHash: rule?.acceptsHash == true
                )
            )
        }
        answer.headers.insert(
            contentsOf: made.challenge.headerValues.map { ("WWW-Authenticate", $0) },
            at: 0
        )
        answer.headers.append(("Vary", "Accept"))
        answer.headers.append(("L402-Price", String(made.terms.priceSats)))
        if let allowance = offer.free, let left = refusal.freeLeft {
            answer.headers += allowance.headers(left)
        }
        var decision = decision(.challenge, answer, refusal)
        decision.paymentHash = made.challenge.paymentHash
        return decision
    }

    /// The token for a browser that comes back after paying, and what makes room for it; what the
    /// page shows is remembered for when it asks.
    func cookies(_ made: MadeOffer, _ jar: CookieJar) -> [(name: String, value: String)] {
        guard let rule else { return [] }
        visit.parts.waiting.keep(
            WaitingInvoice(
                paymentHash: made.challenge.paymentHash,
                bolt11: made.challenge.invoice,
                expiresAt: made.invoiceExpiresAt,
                amount: Millisatoshis(sats: made.terms.priceSats) ?? Millisatoshis(msat: 0)
            )
        )
        let cookie = TokenCookie(made)
        let own = cookie.header(
            path: visit.cookiePath(rule),
            isTLS: request.isTLS,
            now: visit.now
        )
        return [own] + TokenCookie.forgetting(jar.superfluous(beside: cookie, visit), request)
    }

    // MARK: - Admissions

    /// Lets a request pass, to where its rule says the goods come from.
    func admitted(_ admission: Admission, _ rule: Rule) -> Decision {
        var decision = Decision(.free, Response(status: 200), rule: rule)
        decision.answer.headers.reserveCapacity(12)
        decision.answer.headers.append(("L402-Service", rule.service))
        decision.answer.headers.append(("L402-Tier", String(rule.tier)))
        describe(admission, rule, in: &decision)
        let target = visit.target(of: rule)
        if case .priced = rule.access, target != .demo {
            // What one client paid for, or got of its allowance, no shared cache gives to others.
            decision.answer.headers.append(("Cache-Control", "private"))
        }
        if request.mode == .authorizer {
            // mod_authnz_fcgi and lighttpd give `Variable-X` to the next handler as `X`.
            decision.answer.headers += decision.answer.headers.filter { $0.name.hasPrefix("L402-") }
                .map { ("Variable-" + $0.name.uppercased().replacing("-", with: "_"), $0.value) }
            return decision
        }
        Handover(visit: visit).deliver(target, body: admission.body, in: &decision)
        return decision
    }

    private func describe(_ admission: Admission, _ rule: Rule, in decision: inout Decision) {
        decision.taken = admission.taken(at: visit.now)
        switch admission.kind {
        case .open:
            decision.answer.headers.append(("L402-Access", "free"))
        case .free(_, let outcome, let allowance):
            decision.answer.headers.append(("L402-Access", "free"))
            decision.answer.headers.append(("L402-Free-Left", String(outcome.left)))
            decision.answer.headers += allowance.headers(outcome)
            visit.record(.free, rule: rule, usesLeft: UInt64(outcome.left))
        case .paid(let claim, let use):
            decision.outcome = .paid
            decision.paymentHash = claim.paymentHash
            decision.answer.headers.append(("L402-Access", "paid"))
            decision.answer.headers.append(("L402-Payment-Hash", claim.paymentHash.hex))
            var left: UInt64?
            switch use {
            case .counted(let number):
                left = number
                decision.answer.headers.append(("L402-Uses-Left", String(number)))
            case .unlimited: decision.answer.headers.append(("L402-Uses-Left", "unlimited"))
            case .covered: return
            }
            visit.record(
                .used,
                rule: rule,
                paymentHash: claim.paymentHash,
                amount: claim.price,
                usesLeft: left
            )
        case .dryRun(let code):
            decision.outcome = .dryRun
            decision.code = code
            decision.answer.headers.append(("L402-Access", "dry-run"))
            visit.record(.refused, rule: rule, code: "dry_run_" + code)
        }
    }
}

extension FreeAllowance {
    /// What is left, as draft-ietf-httpapi-ratelimit-headers names it.
    func headers(_ outcome: FreeOutcome) -> Fields {
        [
            ("RateLimit-Policy", "\"free\";q=\(limit);w=\(period.seconds)"),
            ("RateLimit", "\"free\";r=\(outcome.left);t=\(outcome.resetSeconds)"),
        ]
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
