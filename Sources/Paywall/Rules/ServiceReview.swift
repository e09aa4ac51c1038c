import Text
import Wallets

/// Doubts about rules that share a service, or seem to be meant to.
struct ServiceReview {
    private(set) var findings: [Finding] = []

    private struct Sold {
        var read: ReadRule
        var offer: Offer
        var rule: Rule { read.rule }
    }

    init(_ rules: [ReadRule]) {
        let sold = rules.compactMap { read -> Sold? in
            if case .priced(let offer) = read.rule.access {
                Sold(read: read, offer: offer)
            } else {
                nil
            }
        }
        for (service, rules) in Dictionary(grouping: sold, by: \.rule.service) {
            // That the whole is dearer than each path of it is held elsewhere.
            for kind in [rules.filter { $0.rule.per == nil }, rules.filter { $0.rule.per != nil }] {
                let tiers = Dictionary(grouping: kind, by: \.rule.tier).sorted { $0.key < $1.key }
                for (_, rules) in tiers { compareWithinTier(rules) }
                compareTiers(tiers.compactMap(\.value.first))
            }
            findSharedName(service, rules)
        }
        findNamesAlike(sold)
    }

    /// A token of one rule opens all of its tier, and keeps what it was bought with.
    private mutating func compareWithinTier(_ rules: [Sold]) {
        guard let first = rules.first else { return }
        for other in rules.dropFirst() where first.read.isNamed || other.read.isNamed {
            let name = "service \(quoted(other.rule.service)) tier \(other.rule.tier)"
            let line = "line \(first.rule.line)"
            let remedy = "a token of either opens both; write another service= or tier="
            if first.offer.uses != other.offer.uses {
                doubt(
                    other.read.place(of: .uses, .unlimited, .price),
                    "\(name) buys \(first.offer.usesPhrase) in \(line) and "
                        + "\(other.offer.usesPhrase) here for the same price: \(remedy)"
                )
            } else if first.offer.validSeconds != other.offer.validSeconds {
                doubt(
                    other.read.place(of: .valid, .price),
                    "\(name) is good for \(DurationText.text(first.offer.validSeconds)) in \(line) "
                        + "and for \(DurationText.text(other.offer.validSeconds)) here for the same "
                        + "price: \(remedy)"
                )
            } else if first.rule.acceptsHash != other.rule.acceptsHash {
                let (here, there) = other.rule.acceptsHash ? ("on", "off") : ("off", "on")
                doubt(
                    other.read.place(of: .hash, .price),
                    "\(name) has hash=\(there) in \(line) and hash=\(here) here: a payment for "
                        + "either opens both, and the bare hash is proof at one of them"
                )
            }
        }
    }

    /// A token of a higher tier opens the lower ones, so it must not be the cheaper way in.
    private mutating func compareTiers(_ tiers: [Sold]) {
        for (index, high) in tiers.enumerated() {
            for low in tiers[..<index] {
                guard let isCheaper = high.offer.price.isLess(than: low.offer.price) else {
                    continue
                }
                let isSame =
                    high.offer.price == low.offer.price && high.offer.buysMore(than: low.offer)
                guard isCheaper || isSame else { continue }
                doubt(
                    high.read.place(of: .tier, .price),
                    "tier \(high.rule.tier) of service \(quoted(high.rule.service)) costs "
                        + "\(high.offer.price.phrase) for \(high.offer.usesPhrase) and opens tier "
                        + "\(low.rule.tier) too, which costs \(low.offer.price.phrase) for "
                        + "\(low.offer.usesPhrase) in line \(low.rule.line); a higher tier should "
                        + "cost more"
                )
                break
            }
        }
    }

    /// A name made for one rule and written at another.
    private mutating func findSharedName(_ service: String, _ rules: [Sold]) {
        guard let unnamed = rules.first(where: { !$0.read.isNamed }),
            let named = rules.first(where: \.read.isNamed)
        else { return }
        doubt(
            named.read.place(of: .service),
            "service \(quoted(service)) is also the name made for line \(unnamed.rule.line): a token "
                + "of either opens both; write service= there too if that is meant"
        )
    }

    private mutating func findNamesAlike(_ sold: [Sold]) {
        var first: [String: Sold] = [:]
        for other in sold where other.read.isNamed {
            let folded = other.rule.service.lowercased()
            guard let known = first[folded] else {
                first[folded] = other
                continue
            }
            if known.rule.service == other.rule.service { continue }
            doubt(
                other.read.place(of: .service),
                "service \(quoted(other.rule.service)) is another one than "
                    + "\(quoted(known.rule.service)) in line \(known.rule.line): upper and lower case "
                    + "differ, and tokens of one do not open the other"
            )
        }
    }

    private mutating func doubt(_ place: TextPlace, _ message: String) {
        findings.append(Finding(place: place, message: message))
    }
}

extension Offer {
    /// `1 request`, `10 requests`, `unlimited requests`.
    package var usesPhrase: String {
        switch uses {
        case nil: "unlimited requests"
        case 1: "1 request"
        case let uses?: "\(uses) requests"
        }
    }

    fileprivate func buysMore(than other: Offer) -> Bool {
        let uses = self.uses ?? .max
        let others = other.uses ?? .max
        return uses > others || uses == others && validSeconds > other.validSeconds
    }
}

extension Price {
    /// Whether it is the lower one; `nil` when only an exchange rate could tell.
    func isLess(than other: Price) -> Bool? {
        switch (self, other) {
        case (.sats(let mine), .sats(let theirs)): mine < theirs
        case (.fiat(let mine), .fiat(let theirs)) where mine.currency == theirs.currency:
            mine.hundredths < theirs.hundredths
        default: nil
        }
    }
}
