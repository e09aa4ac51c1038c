import Text

/// A service that a new version of the rules sells no longer, so that its tokens open nothing.
package struct EndedService: Equatable, Sendable {
    /// The line of its first rule in the old version.
    package let line: Int
    /// Its name.
    package let service: String
    /// The tier that tokens were sold in; a lower one is sold no longer either.
    package let tier: UInt8
    /// Whether it was sold path by path.
    package let isSingle: Bool
    /// The lowest tier in which it is still sold; `nil` when it is not sold at all.
    package let lowestTierNow: UInt8?

    /// `file:line: what, and what to write`.
    package func text(oldFileName: String) -> String {
        let place = "\(oldFileName):\(line): service \(quoted(service))"
        if let lowestTierNow {
            return "\(place) is no longer sold in tier \(tier) or below, only from tier "
                + "\(lowestTierNow) up: tokens bought for tier \(tier) open nothing from now on; add "
                + "tier=\(tier) to the rule that replaces it"
        }
        if isSingle {
            return "\(place) is no longer sold path by path: tokens bought for one path of it open "
                + "nothing from now on; add service=\(service) per=… to the rule that replaces it"
        }
        return "\(place) is no longer sold: tokens bought for it open nothing from now on; add "
            + "service=\(service) to the rule that replaces it"
    }
}

extension Rules {
    /// What was sold by these rules and is not by newer ones, in the order of the old file.
    package func ended(by newer: Rules) -> [EndedService] {
        var lowest: [Sold: UInt8] = [:]
        for rule in newer.rules where rule.isPriced {
            // What was bought as a whole opens single paths too.
            for isSingle in Set([false, rule.per != nil]) {
                let sold = Sold(service: rule.service, isSingle: isSingle)
                lowest[sold] = min(rule.tier, lowest[sold] ?? .max)
            }
        }
        var ended: [EndedService] = []
        var highestTold: [Sold: Int] = [:]
        for rule in rules where rule.isPriced {
            let sold = Sold(service: rule.service, isSingle: rule.per != nil)
            let now = lowest[sold]
            if let now, now <= rule.tier { continue }
            if highestTold[sold] != nil && now == nil { continue }
            if Int(rule.tier) <= highestTold[sold] ?? -1 { continue }
            highestTold[sold] = Int(rule.tier)
            ended.append(
                EndedService(
                    line: rule.line,
                    service: rule.service,
                    tier: rule.tier,
                    isSingle: sold.isSingle,
                    lowestTierNow: now
                )
            )
        }
        return ended
    }
}

/// What tokens are good for.
private struct Sold: Hashable {
    var service: String
    var isSingle: Bool
}

extension Rule {
    fileprivate var isPriced: Bool { if case .priced = access { true } else { false } }
}
