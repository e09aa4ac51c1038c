import HTTP
import L402
import Lightning
import Store
import Text
import Wallets

/// The pages for people: what each state shows.
struct PersonPages {
    /// What a page shows, for its `data-state`.
    enum State: String {
        case invoice, offer, waiting, nocookies, left, receipt, claim, forgotten, refused
    }

    let visit: Visit
    let rule: Rule?
    let language: PageLanguage

    private var request: Request { visit.request }

    /// Seconds after which a browser without script looks again.
    private static let reloadSeconds = 15

    init(_ visit: Visit, _ rule: Rule?) {
        self.visit = visit
        self.rule = rule
        language =
            visit.policy.language
            ?? .preferred(visit.request.headerText("HTTP_ACCEPT_LANGUAGE"))
    }

    // MARK: - What is for sale

    /// The price and an invoice.
    func invoice(_ made: MadeOffer, _ offer: Offer, _ refusal: Refusal?) -> Response {
        var values = sale(made.terms.priceSats, offer, refusal)
        let price = values[.price]
        values[.invoice] = made.challenge.invoice
        values[.seconds] = String(made.invoiceExpiresAt - min(visit.now, made.invoiceExpiresAt))
        values[.expires] = CalendarText.time(made.invoiceExpiresAt)
        values[.until] = PageTime.clock(made.invoiceExpiresAt)
        let code = "LIGHTNING:" + made.challenge.invoice.uppercased()
        values[.qr] = picture(code, language.word(.qr, ["price": price]))
        let wait = waitingAddress(rule?.acceptsHash == true ? made.challenge.paymentHash.hex : nil)
        values[.paid] = link(wait, .iHavePaid)
        values[.refresh] = refresh(wait)
        return page(402, .invoice, values)
    }

    /// The price and a button that makes an invoice.
    func offer(_ sats: UInt64, _ offer: Offer, _ refusal: Refusal?) -> Response {
        page(402, .offer, sale(sats, offer, refusal))
    }

    private func sale(_ sats: UInt64, _ offer: Offer, _ refusal: Refusal?) -> PageValues {
        var values = PageValues()
        let price = PageMoney.sats(sats)
        values[.price] = price
        values[.fiat] = fiat(sats)
        values[.title] = "\(price) – \(rule?.memo ?? "")"
        values[.buys] = buys(offer)
        values[.teaser] = rule.flatMap(visit.teaser).map(PageText.paragraphs) ?? ""
        values[.offer] = form(request.cleanAddress(adding: ["l402=offer"]), .getInvoice)
        values[.receipt] = link(request.cleanAddress(adding: ["l402=receipt"]), .boughtAlready)
        if let refusal, refusal.isOver {
            tell(.invoiceOver, &values)
        } else if let refusal, refusal.code != Code.paymentRequired.rawValue {
            tell(PageFault(code: refusal.code), &values)
        }
        return values
    }

    /// What a payment buys.
    func buys(_ offer: Offer) -> String {
        switch offer.uses {
        case 1: return language.word(.oneView)
        case let count?: return language.word(.requests, ["count": String(count)])
        case nil:
            let (end, isTooLate) = visit.now.addingReportingOverflow(offer.validSeconds)
            return lasting(isTooLate ? .max : end)
        }
    }

    private func lasting(_ end: UInt64) -> String {
        let date = PageTime.day(end, now: visit.now, language)
        guard let rule, rule.per == nil else { return language.word(.pageUntil, ["date": date]) }
        return language.word(.allUntil, ["service": rule.service, "date": date])
    }

    private func fiat(_ sats: UInt64) -> String {
        guard let currency = visit.policy.fiat,
            let wallet = visit.parts.wallets(rule?.wallet).first,
            let rate = visit.parts.waiting.rate(
                of: currency,
                now: visit.now,
                ask: { try? wallet.unitsPerBitcoin(of: currency) }
            ),
            let amount = PageMoney.fiat(
                sats,
                unitsPerBitcoin: rate,
                currency: currency,
                language
            )
        else { return "" }
        return language.word(.about, ["amount": amount])
    }

    // MARK: - Waiting

    /// No invoice is shown: the hash in the address, or the cookie, may be a stranger's.
    func waiting(_ hash: String?, reloads: Bool = true) -> Response {
        var values = PageValues()
        values[.title] = language.word(.waitTitle)
        tell(PageFault(code: "payment_not_confirmed"), &values)
        let wait = waitingAddress(hash)
        values[.paid] = link(wait, .iHavePaid)
        values[.again] = button(request.cleanAddress(), .seePrice)
        if reloads { values[.refresh] = refresh(wait) }
        return page(402, .waiting, values)
    }

    /// The browser came back and shows nothing of what it was given.
    func withoutCookies() -> Response {
        var values = PageValues()
        values[.title] = language.word(.waitTitle)
        values[.error] = language.word(.noCookies)
        values[.again] = button(request.cleanAddress(), .seePrice)
        return page(402, .nocookies, values)
    }

    /// A page of another site led here: nothing is taken before the person says so.
    func left(_ left: UInt64, of count: UInt64) -> Response {
        var values = PageValues()
        values[.title] = rule?.memo ?? ""
        values[.left] = language.word(
            .left,
            ["left": String(left), "count": String(count)]
        )
        values[.again] = button(request.cleanAddress(), .takeOne)
        values[.receipt] = link(request.cleanAddress(adding: ["l402=receipt"]), .boughtAlready)
        return page(402, .left, values)
    }

    // MARK: - What was bought

    /// - Parameter token: Of the purchase, base64 that fits into an address; `nil` for one that cannot
    ///   be taken elsewhere.
    func receipt(_ record: PaymentRecord, token: String?, cookie: String) -> Response {
        var values = PageValues()
        values[.title] = language.word(.boughtTitle)
        let goods = request.cleanAddress()
        switch record.terms.uses {
        case let uses?:
            let count = uses - min(record.used, uses)
            let left = language.word(.left, ["left": String(count), "count": String(uses)])
            values[.bought] = "\(left) – \(PageTime.day(record.ends, now: visit.now, language))"
            values[.again] = button(goods, count > 0 ? .takeOne : .seePrice)
        case nil:
            values[.bought] = lasting(record.ends)
            values[.again] = button(goods, .openIt)
        }
        if let token, let origin = request.origin {
            let address = origin.text + request.cleanAddress(adding: ["l402=claim"])
            values[.link] = address + "#l402=" + token
            if values[.link].utf8.count <= Self.longestCode {
                values[.qr] = picture(values[.link], language.word(.qrOfLink))
            }
        }
        values[.forget] = forgetting([cookie])
        return page(200, .receipt, values, isSandboxed: true)
    }

    /// Signs of a link that a code is still made of.
    private static let longestCode = 600

    func nothingBought() -> Response {
        var values = PageValues()
        values[.title] = language.word(.nothingBought)
        values[.error] = language.word(.nothingBought)
        values[.advice] = language.word(.nothingBoughtAdvice)
        values[.again] = button(request.cleanAddress(), .seePrice)
        return page(200, .receipt, values, isSandboxed: true)
    }

    func forgotten() -> Response {
        var values = PageValues()
        values[.title] = language.word(.forgotten)
        values[.again] = button(request.cleanAddress(), .seePrice)
        return page(200, .forgotten, values)
    }

    func claim() -> Response {
        var values = PageValues()
        values[.title] = language.word(.claimTitle)
        values[.claim] = language.word(.claimAsk, ["memo": rule?.memo ?? ""])
        return page(200, .claim, values)
    }

    // MARK: - What went wrong

    /// A refusal with nothing to pay.
    func refused(_ refusal: Refusal) -> Response {
        var values = PageValues()
        let fault = PageFault(code: refusal.code)
        values[.title] = language.word(fault.words)
        tell(fault, &values)
        switch refusal.status {
        case 404: values[.again] = button("/", .firstPage)
        case 403: break
        case _: values[.again] = button(request.cleanAddress(), .tryAgain)
        }
        if refusal.code == Code.paymentUndecided.rawValue {
            let names = CookieJar(request).names
            if !names.isEmpty { values[.forget] = forgetting(names) }
        }
        return page(refusal.status, .refused, values)
    }

    private func tell(_ fault: PageFault, _ values: inout PageValues) {
        values[.error] = language.word(fault.words)
        values[.advice] = fault.advice.map { language.word($0) } ?? ""
    }

    // MARK: - Elements

    private func page(
        _ status: Int,
        _ state: State,
        _ values: PageValues,
        isSandboxed: Bool = false
    ) -> Response {
        var values = values
        values[.lang] = language.rawValue
        values[.state] = state.rawValue
        if case .priced? = rule?.access { values[.memo] = rule?.memo ?? "" }
        if values[.title].isEmpty { values[.title] = values[.memo] }
        values[.style] = "<style>\(PageAssets.style)</style>"
        if !isSandboxed { values[.script] = "<script>\(PageAssets.script)</script>" }
        let template = visit.parts.page()
        return Response(
            status: status,
            headers: [
                ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                (
                    "Content-Security-Policy",
                    isSandboxed ? template.policy.sandboxed : template.policy.header
                ),
                // A form sent from a page that sends no referrer has no origin either.
                ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
            ],
            body: request.method == "HEAD" ? [] : template.page(values, language)
        )
    }

    private func waitingAddress(_ hash: String?) -> String {
        request.cleanAddress(adding: ["l402=wait"] + (hash.map { ["payment_hash=\($0)"] } ?? []))
    }

    private func refresh(_ address: String) -> String {
        "<noscript><meta http-equiv=\"refresh\" content=\"\(Self.reloadSeconds); "
            + "url=\(PageText.escaped(address))\"></noscript>"
    }

    private func link(_ address: String, _ word: PageWord) -> String {
        "<a href=\"\(PageText.escaped(address))\">\(PageText.escaped(language.word(word)))</a>"
    }

    private func button(_ address: String, _ word: PageWord) -> String {
        "<a class=\"button\" href=\"\(PageText.escaped(address))\">"
            + "\(PageText.escaped(language.word(word)))</a>"
    }

    private func form(_ address: String, _ word: PageWord, _ kind: String = " class=\"button\"")
        -> String
    {
        "<form method=\"post\" action=\"\(PageText.escaped(address))\"><button\(kind)>"
            + "\(PageText.escaped(language.word(word)))</button></form>"
    }

    private func forgetting(_ names: [String]) -> String {
        form(
            request.cleanAddress(adding: ["l402=" + OwnWord.forgetting(names)]),
            .forget,
            ""
        )
    }

    private func picture(_ text: String, _ label: String) -> String {
        visit.parts.qr(text).map { QRPicture.svg($0, label: label) } ?? ""
    }
}
