/// Holds rules to what a service promises: one price per tier, one wallet.
struct ServiceCheck {
    private var byTier: [Key: ReadRule] = [:]
    private var byService: [String: ReadRule] = [:]

    private struct Key: Hashable {
        var service: String
        var tier: UInt8
    }

    /// What is wrong between a rule and the earlier ones of its service.
    mutating func problems(with read: ReadRule) -> [RulesFinding] {
        let rule = read.rule
        guard case .priced(let offer) = rule.access else { return [] }
        let name = quoted(rule.service)
        var problems: [RulesFinding] = []
        // A token is redeemed at the wallet of the rule it is shown to.
        if let earlier = byService[rule.service], earlier.rule.wallet != rule.wallet,
            read.isNamed || earlier.isNamed
        {
            let here = rule.wallet.map { "wallet \(quoted($0))" } ?? "the default wallet"
            let there = earlier.rule.wallet.map { "wallet \(quoted($0))" } ?? "the default wallet"
            problems.append(
                RulesFinding(
                    place: read.servicePlace,
                    message: "service \(name) is paid to \(there) in line \(earlier.rule.line) "
                        + "and to \(here) here; a service has one wallet"
                )
            )
        }
        let key = Key(service: rule.service, tier: rule.tier)
        // Without names on both sides they are one rule written twice: the second never matches.
        if let earlier = byTier[key], read.isNamed || earlier.isNamed,
            case .priced(let other) = earlier.rule.access, other.price != offer.price
        {
            problems.append(
                RulesFinding(
                    place: read.pricePlace,
                    message: "service \(name) tier \(rule.tier) costs \(other.price.phrase) in "
                        + "line \(earlier.rule.line) and \(offer.price.phrase) here; a service "
                        + "has one price per tier"
                )
            )
        }
        if byTier[key] == nil { byTier[key] = read }
        if byService[rule.service] == nil { byService[rule.service] = read }
        return problems
    }
}

extension Price {
    /// For people: `21 sats`, `0.25 USD`.
    public var phrase: String {
        switch self {
        case .sats(1): return "1 sat"
        case .sats(let sats): return "\(sats) sats"
        case .fiat(let amount):
            let cents = amount.hundredths % 100
            return "\(amount.hundredths / 100).\(cents < 10 ? "0" : "")\(cents) \(amount.currency)"
        }
    }
}
