import HTTP
import L402
import Lightning
import Store
import Wallets

/// Answers the gate's own words at an article's address (``OwnWord``).
struct PersonWords {
    let visit: Visit
    let rule: Rule
    let offer: Offer

    private var request: Request { visit.request }
    private var answers: Answers { Answers(visit: visit, rule: rule) }
    private var pages: PersonPages { PersonPages(visit, rule) }

    /// `nil` for a request that is to be decided like any other: it shows a hash that may be paid.
    func answer(_ word: OwnWord) -> Decision? {
        // The second call answers; nothing of this is let through.
        if request.mode == .auth, word != .wait { return own(Response(status: 403)) }
        switch word {
        case .status: return status()
        case .wait: return request.audience == .person ? wait() : nil
        case .offer: return request.method == "POST" ? makeOffer() : own(toGoods())
        case .receipt: return receipt()
        case .claim: return request.method == "POST" ? claim() : own(pages.claim())
        case .forget(let names): return forget(names)
        }
    }

    private func own(_ answer: Response, _ outcome: Outcome = .page) -> Decision {
        var decision = Decision(outcome, answer, rule: rule)
        // To an authorizer's server 200 would open the goods.
        if request.mode == .authorizer, answer.status == 200 { decision.answer.status = 202 }
        if request.method == "HEAD" { decision.answer.body = [] }
        return decision
    }

    private func refused(_ refusal: Refusal) -> Decision { answers.refused(refusal) }

    private func toGoods() -> Response { to(request.cleanAddress()) }

    private func to(_ address: String) -> Response {
        Response(status: 303, headers: [("Location", address), ("Cache-Control", "no-store")])
    }

    // MARK: - Waiting

    private func status() -> Decision {
        let body: StatusBody
        switch Waiting(visit: visit, rule: rule).cookies() {
        case .paid: body = StatusBody(status: "paid")
        case .pending(let pending):
            let left = pending.expiresAt - min(visit.now, pending.expiresAt)
            body = StatusBody(status: "pending", expires_in: left)
        case .over: body = StatusBody(status: "expired")
        case .none: body = StatusBody(status: "none")
        case .unknown(let refusal):
            var answer = Response.error(refusal.status, code: refusal.code, refusal.message)
            answer.headers.append(("Retry-After", String(refusal.retryAfterSeconds ?? 5)))
            return own(answer, .status)
        }
        return own(.json(200, body), .status)
    }

    private struct StatusBody: Encodable {
        let status: String
        var expires_in: UInt64?
    }

    private func wait() -> Decision? {
        let waiting = Waiting(visit: visit, rule: rule)
        let cookies = waiting.cookies()
        if case .paid = cookies { return own(toGoods()) }
        if case .pending(let pending) = cookies, let standing = pending.standing {
            return again(standing)
        }
        if rule.acceptsHash, let text = request.query("payment_hash"),
            let hash = PaymentHash(hex: text[...])
        {
            switch waiting.hash(hash) {
            case .paid: return nil
            case .pending: return priced(pages.waiting(hash.hex))
            // Nobody knows when it ends: who wants to know asks by hand.
            case .none: return priced(pages.waiting(hash.hex, reloads: false))
            case .unknown(let refusal): return refused(refusal)
            case .over: return over()
            }
        }
        switch cookies {
        case .pending: return priced(pages.waiting(nil))
        case .over: return over()
        case .unknown(let refusal): return refused(refusal)
        case .none, .paid: return priced(pages.withoutCookies())
        }
    }

    /// The same page with the same invoice.
    private func again(_ standing: StandingOffer) -> Decision {
        do throws(Refusal) {
            let made = try Minting(visit: visit, rule: rule, offer: offer).again(standing)
            guard let made else { return over() }
            return answers.offered(made, .nothingPresented, offer, setsCookie: false)
        } catch {
            return refused(error)
        }
    }

    private func over() -> Decision {
        var refusal = Refusal.nothingPresented
        refusal.remedy = .price
        refusal.isOver = true
        return refused(refusal)
    }

    private func priced(_ page: Response) -> Decision {
        var refusal = Refusal.nothingPresented
        refusal.remedy = .price
        refusal.page = page
        return refused(refusal)
    }

    // MARK: - The button

    private func makeOffer() -> Decision {
        guard request.isSameOrigin else { return refused(.otherOrigin) }
        let jar = CookieJar(request)
        // Who keeps cookies goes to the clean address; of who shows none it is found out there.
        let back = jar.hasAny ? toGoods() : to(request.cleanAddress(adding: ["l402=wait"]))
        var standing: StandingOffer?
        switch Waiting(visit: visit, rule: rule).cookies() {
        case .paid: return own(toGoods())
        case .pending(let pending): standing = pending.standing
        // Who may have paid gets no second invoice.
        case .unknown(let refusal): return refused(refusal)
        case .over, .none: break
        }
        do throws(Refusal) {
            let made = try Minting(visit: visit, rule: rule, offer: offer).make(standing: standing)
            var decision = own(back, .challenge)
            decision.paymentHash = made.challenge.paymentHash
            decision.answer.headers += answers.cookies(made, jar)
            return decision
        } catch {
            return refused(error)
        }
    }

    // MARK: - What was bought

    private func receipt() -> Decision {
        let destination = request.headerText("HTTP_SEC_FETCH_DEST") ?? "document"
        guard destination == "document", request.audience != .part else {
            return refused(.otherOrigin)
        }
        do throws(Refusal) {
            guard let bought = try Waiting(visit: visit, rule: rule).bought() else {
                return own(pages.nothingBought())
            }
            return own(
                pages.receipt(
                    bought.record,
                    // An authorizer is shown no body, and could not take it.
                    token: request.mode == .authorizer ? nil : bought.token,
                    cookie: bought.cookie
                )
            )
        } catch {
            return refused(error)
        }
    }

    private func claim() -> Decision {
        guard request.isSameOrigin else { return refused(.otherOrigin) }
        guard request.isJSON, case .whole(let bytes) = request.readBody(Self.claimLimitBytes),
            let text = BodyFields(bytes, names: ["token"]).text("token")
        else { return refused(Refusal(400, .fieldRequired, "token is required; send it as JSON")) }
        do throws(Refusal) {
            let cookie = try Waiting(visit: visit, rule: rule).claimed(Array(text.utf8))
            var answer = Response(status: 204, headers: [("Cache-Control", "no-store")])
            if !CookieJar(request).has(cookie.name) {
                answer.headers.append(
                    cookie.header(
                        path: visit.cookiePath(rule),
                        isTLS: request.isTLS,
                        now: visit.now
                    )
                )
            }
            return own(answer)
        } catch {
            return refused(error)
        }
    }

    /// A token is some hundred bytes.
    private static let claimLimitBytes = 16 * 1024

    private func forget(_ names: [String]) -> Decision {
        var answer = pages.forgotten()
        answer.headers += TokenCookie.forgetting(names, request)
        return own(answer)
    }
}
