import Text

/// A service that a new version of the rules sells no longer, so that its tokens open nothing.
package struct EndedService: Equatable, Sendable {
    /// The line of its first rule in the old version.
    package let line: Int
    /// Its name.
    package let service: String
    /// The tier that tokens were sold in; a lower one is sold no longer either.
    package let tier: UInt8
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
        return "\(place) is no longer sold: tokens bought for it open nothing from now on; add "
            + "service=\(service) to the rule that replaces it"
    }
}

extension Rules {
    /// What was sold by these rules and is not by newer ones, in the order of the old file.
    package func ended(by newer: Rules) -> [EndedService] {
        var lowest: [String: UInt8] = [:]
        for rule in newer.rules where rule.isPriced {
            lowest[rule.service] = min(rule.tier, lowest[rule.service] ?? .max)
        }
        var ended: [EndedService] = []
        var highestTold: [String: Int] = [:]
        for rule in rules where rule.isPriced {
            let now = lowest[rule.service]
            if let now, now <= rule.tier { continue }
            if highestTold[rule.service] != nil && now == nil { continue }
            if Int(rule.tier) <= highestTold[rule.service] ?? -1 { continue }
            highestTold[rule.service] = Int(rule.tier)
            ended.append(
                EndedService(
                    line: rule.line,
                    service: rule.service,
                    tier: rule.tier,
                    lowestTierNow: now
                )
            )
        }
        return ended
    }
}

extension Rule {
    fileprivate var isPriced: Bool { if case .priced = access { true } else { false } }
}
