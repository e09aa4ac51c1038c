import HTTP
import L402
import Lightning
import Store
import Text

/// One request at the gate and what the steps over it share: nothing here decides anything.
struct Visit {
    let request: Request
    let rules: Rules
    /// Seconds since 1970.
    let now: UInt64
    let core: Gate.Core
    var parts: Gate.Parts { core.parts }
    var policy: Gate.Policy { core.policy }
    var memory: Gate.Memory { core.memory }

    /// The rule for this request if it had this path, and this method.
    func rule(forPath path: [UInt8], method: String? = nil) -> Rule? {
        rules.match(
            method: method ?? request.method,
            host: rules.namesHosts ? request.host : nil,
            path: path
        )
    }

    /// Where a rule's goods come from.
    func target(of rule: Rule) -> ServeTarget { rule.serve ?? policy.defaultServe ?? .pass }

    /// Whom questions to the wallet, and free requests, are counted for; without an address all
    /// share one client's.
    var clientKey: [UInt8] { request.client?.client ?? [] }

    /// The use of a payment that this request asks for, or took.
    func claim(
        _ terms: PurchaseTerms,
        _ hash: PaymentHash,
        cap: UInt64? = nil,
        for rule: Rule,
        isCookie: Bool = false
    ) -> PaymentClaim {
        PaymentClaim(
            paymentHash: hash,
            terms: terms,
            cap: cap,
            requestID: request.requestID,
            // Nothing is taken from an unlimited payment, so that nothing has to be covered.
            delivery: terms.uses == nil ? nil : delivery(rule, isCookie)
        )
    }

    /// The delivery that a request belongs to, where the rule has a grace, or a reload has.
    private func delivery(_ rule: Rule, _ isCookie: Bool) -> DeliveryKey? {
        let seconds = rule.graceSeconds(target(of: rule))
        let reload = isCookie ? policy.reloadGraceSeconds : 0
        guard seconds > 0 || reload > 0, request.isSafe else { return nil }
        return DeliveryKey(
            address: request.addressKey,
            graceSeconds: seconds,
            mayRepeat: seconds > 0 && request.asksForPart,
            reloadSeconds: reload
        )
    }

    /// Where a browser sends the cookie of an offer to: the part of the site that the rule's pattern
    /// begins with, or the one page that is sold.
    func cookiePath(_ rule: Rule) -> String {
        rule.per != nil ? request.path.ownCookiePath : rule.pattern.cookiePath
    }

    /// The free request that this one takes, or took.
    func freeClaim(_ rule: Rule, _ allowance: FreeAllowance, _ client: ClientAddress) -> FreeClaim {
        let site = policy.site.map { Array("\($0) ".utf8) } ?? []
        return FreeClaim(
            rule: site + rule.identity,
            client: client.client,
            network: client.network,
            limit: allowance.limit,
            period: allowance.period,
            requestID: request.requestID
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
        parts.books.journal.record(
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

extension Rule {
    /// Names the rule while its methods, host and path are the same, wherever its line moves to.
    var identity: [UInt8] {
        let methods = methods.map { $0.sorted().joined(separator: ",") } ?? "*"
        return Array("\(methods) \(host ?? "") \(pattern.text)".utf8)
    }

    /// Seconds for which one use covers further parts of a delivery: `grace=`, else ten minutes
    /// for files, of which players and download managers ask for one piece after the other.
    func graceSeconds(_ target: ServeTarget) -> UInt64 {
        if let grace { return grace }
        return switch target {
        case .file, .internal: 600
        case .named, .proxy, .pass, .demo: 0
        }
    }
}
