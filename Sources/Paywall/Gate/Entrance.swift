import HTTP
import L402
import Store

/// Whether a request may pass: proof first, then the free allowance. Makes no invoice and writes no
/// answer.
struct Entrance {
    let visit: Visit
    let rule: Rule

    private var request: Request { visit.request }

    func verdict() -> Verdict {
        if let refusal = refusalForShape(method: request.method) { return .refused(refusal) }
        switch rule.access {
        case .deny:
            return .refused(Refusal(403, .denied, "this path is not served"))
        case .free:
            return .admitted(Admission(.open))
        case .priced(let offer):
            return sell(offer)
        }
    }

    /// A priced rule.
    private func sell(_ offer: Offer) -> Verdict {
        let body = BodyReader(request: request, rule: rule)
        if let refusal = body.refusal { return .refused(refusal) }
        let redemption = Redemption(visit: visit, rule: rule)
        if var known = redemption.asKnown() {
            known.body = body
            return .admitted(known)
        }
        let presented = PresentedCredentials(sources(body))
        if presented.isEmpty { return withoutCredential(offer, body) }
        switch redemption.redeem(presented) {
        case .admitted(var admission):
            admission.body = body
            return .admitted(admission)
        case .refused(let refusal):
            guard refusal.isForWantOfPayment else { return .refused(refusal) }
            // Anybody can put a bare hash into a link: for a person with a browser one that opens
            // nothing is as good as none. And a cookie comes by itself: one that opens nothing takes
            // nobody's free requests away.
            let comesByItself = presented.credentials.allSatisfy { credential in
                credential.isCookie || (credential.isHash && request.audience == .person)
            }
            guard comesByItself, presented.problem == nil else { return .refused(refusal) }
            let hasCookie = presented.credentials.contains(where: \.isCookie)
            let verdict = withoutCredential(offer, body)
            guard case .refused(let other) = verdict, other.isForWantOfPayment, hasCookie else {
                return verdict
            }
            return .refused(refusal)
        }
    }

    private func withoutCredential(_ offer: Offer, _ body: BodyReader) -> Verdict {
        var refusal = Refusal.nothingPresented
        if request.isPrefetch { return .refused(.prefetch) }
        if request.method == "HEAD" {
            refusal.remedy = .price
            return .refused(refusal)
        }
        // Without an address there is nobody to count for, and nothing is free.
        if let allowance = offer.free, let client = request.client {
            let claim = visit.freeClaim(rule, allowance, client)
            do {
                let outcome = try visit.parts.books.free.take(claim, now: visit.now)
                if outcome.isGranted {
                    return .admitted(Admission(.free(claim, outcome, allowance), body: body))
                }
                refusal.freeLeft = outcome
            } catch {
                return .refused(Refusal(error))
            }
        }
        if body.mayHideHash { return .refused(BodyReader.tooLarge) }
        return .refused(refusal)
    }

    // MARK: - What no payment mends

    /// A request that this rule, or this server, cannot serve whoever pays.
    ///
    /// - Parameter method: What the goods are asked for by.
    func refusalForShape(method: String) -> Refusal? {
        if let refusal = refusalForPath(method) { return refusal }
        if case .deny = rule.access { return nil }
        if rule.per != nil, visit.soldAddress(rule) == nil { return .addressAmbiguous }
        if request.mode == .authorizer, let field = request.dangerousField {
            return Refusal(
                400,
                .headerRefused,
                "the header field \(field) is not passed on here; leave it out"
            )
        }
        guard case .pass = visit.target(of: rule), request.mode == .respond else { return nil }
        var refusal = Refusal(500, .noGoods, "this server is misconfigured; nothing has been taken")
        refusal.detail =
            "the rule in line \(rule.line) has no goods: write serve=@name, serve=/prefix/, "
            + "serve=file:/dir or serve=http://host:port, or set L402_SERVE"
        return refusal
    }

    /// A request that means two rules: the server's own reading of an encoded path decides, and a
    /// backend that gets the raw path could read it as another one.
    private func refusalForPath(_ method: String) -> Refusal? {
        guard rule.access != .deny, request.path.isAmbiguous else { return nil }
        switch visit.target(of: rule) {
        case .named, .proxy: break
        // Without a second server nobody reads the path again.
        case .pass: if request.mode == .respond { return nil }
        case .internal, .file, .demo: return nil
        }
        let isHarmless = request.path.readings.allSatisfy { other in
            guard let second = visit.rule(forPath: other, method: method) else {
                return !request.path.hasOddSeparator
            }
            // One rule may sell many addresses, and then another reading is another address.
            return second.line == rule.line && rule.per == nil || second.access == .free
        }
        if isHarmless { return nil }
        return Refusal(
            400,
            .pathAmbiguous,
            "this path has dots, slashes or parameters that servers read in different ways"
        )
    }

    private func sources(_ body: BodyReader) -> CredentialSources {
        var sources = CredentialSources(visit.request)
        // `auth` saw no body, so that what stands there can never open anything in this mode.
        if request.mode != .challenge { sources.paymentHashBody = body.paymentHash }
        return sources
    }
}

extension CredentialSources {
    /// Everything but the body.
    init(_ request: Request) {
        self.init()
        authorization = request.header("HTTP_AUTHORIZATION")
        paymentHashHeader = request.header("HTTP_X_PAYMENT_HASH")
        paymentHashQuery = request.query("payment_hash")
        macaroonHeader =
            request.header("HTTP_MACAROON") ?? request.header("HTTP_GRPC_METADATA_MACAROON")
        // A page of another site can have a browser send a form with its cookies.
        if request.isSafe { cookie = request.header("HTTP_COOKIE") }
    }
}

/// The parts of a request's body that matter, read once.
struct BodyReader {
    private let fields: BodyFields?
    private let required: [String]
    private let isTooLarge: Bool
    private let request: Request
    private let acceptsHash: Bool
    /// The text of the demo's `prompt`.
    let prompt: String?

    init(request: Request, rule: Rule) {
        required = request.method == "HEAD" ? [] : rule.require
        acceptsHash = rule.acceptsHash
        self.request = request
        switch request.readBody(Request.bodyLimitBytes) {
        case .whole(let bytes):
            let names = required + ["payment_hash", "prompt"]
            fields = BodyFields(bytes, names: names)
            isTooLarge = false
        case .tooLarge:
            fields = nil
            isTooLarge = true
        case .unavailable:
            fields = nil
            isTooLarge = false
        }
        prompt = fields?.text("prompt")
    }

    /// Why the body does not do; `nil` also when it could not be looked at.
    var refusal: Refusal? {
        if isTooLarge, !required.isEmpty { return Self.tooLarge }
        guard let fields, let missing = required.first(where: { !fields.has($0) }) else {
            return nil
        }
        let hint = request.isJSON ? "" : "; send JSON, and say Content-Type: application/json"
        return Refusal(400, .fieldRequired, "\(missing) is required\(hint)")
    }

    /// Whether a payment hash stands in a body that is too large to be read. Reads what is left of
    /// it: asked only where nothing else is done with the body.
    var mayHideHash: Bool {
        isTooLarge && acceptsHash && request.isJSON && request.searchBody("\"payment_hash\"")
    }

    static let tooLarge = Refusal(
        413,
        .bodyTooLarge,
        "a body above \(Request.bodyLimitBytes) bytes is not looked into; nothing has been taken. A "
            + "payment hash may stand in the header X-Payment-Hash, or send Authorization: L402 "
            + "<macaroon>:<preimage>"
    )

    /// The bare payment hash in the body. A form of another site can send JSON as text, but not as
    /// JSON: what says that it is something else is looked through for fields only.
    var paymentHash: [UInt8]? {
        request.isJSON ? fields?.text("payment_hash").map { Array($0.utf8) } : nil
    }
}
