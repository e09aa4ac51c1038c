import Text
import Wallets

/// Holds rules to what a service promises: one price per tier (and one for single paths, which is
/// the lower one), one wallet, one rule behind a name that was made.
struct ServiceCheck {
    private var byTier: [Key: ReadRule] = [:]
    /// The keys of ``byTier`` that a service has.
    private var kinds: [String: [Key]] = [:]
    /// Lines of rules whose price was found fault with.
    private var told: Set<Int> = []
    private var byService: [String: ReadRule] = [:]
    /// What `LNBITS_KEY_…` variables there are; `nil` when that is not known.
    private let wallets: Set<String>?

    private struct Key: Hashable {
        var service: String
        var tier: UInt8
        /// Whether it is sold path by path.
        var isSingle: Bool
    }

    init(wallets: Set<String>?) { self.wallets = wallets }

    /// What is wrong between a rule and the earlier ones of its service, and with its wallet.
    mutating func problems(with read: ReadRule) -> [Finding] {
        let rule = read.rule
        guard case .priced(let offer) = rule.access else { return [] }
        var problems: [Finding] = []
        if let problem = unknownWallet(of: read) { problems.append(problem) }
        if let earlier = byService[rule.service] {
            problems += conflicts(of: read, with: earlier)
        } else {
            byService[rule.service] = read
        }
        let key = Key(service: rule.service, tier: rule.tier, isSingle: rule.per != nil)
        if let earlier = byTier[key] {
            // Without names on both sides they are one rule written twice: the second never matches.
            if read.isNamed || earlier.isNamed, case .priced(let other) = earlier.rule.access,
                other.price != offer.price
            {
                problems.append(
                    Finding(
                        place: read.place(of: .price),
                        message: "service \(quoted(rule.service)) tier \(rule.tier) costs "
                            + "\(other.price.phrase) in line \(earlier.rule.line) and "
                            + "\(offer.price.phrase) here; a service has one price per tier"
                            + (key.isSingle ? " for its single paths" : "")
                    )
                )
            }
        } else {
            problems += cheapWholes(read, key)
            byTier[key] = read
            kinds[rule.service, default: []].append(key)
        }
        return problems
    }

    /// A payment for the whole service opens every path of it, in its tier and lower ones, so that it
    /// must not be the cheaper way in.
    private mutating func cheapWholes(_ read: ReadRule, _ key: Key) -> [Finding] {
        var findings: [Finding] = []
        for other in kinds[key.service] ?? [] where other.isSingle != key.isSingle {
            guard let earlier = byTier[other] else { continue }
            let (whole, single) = key.isSingle ? (earlier, read) : (read, earlier)
            guard whole.rule.tier >= single.rule.tier,
                case .priced(let dear) = whole.rule.access,
                case .priced(let cheap) = single.rule.access,
                cheap.price.isLess(than: dear.price) != true,
                told.insert(whole.rule.line).inserted
            else { continue }
            findings.append(
                Finding(
                    place: whole.place(of: .price),
                    message: "service \(quoted(key.service)) costs \(dear.price.phrase) here, as a "
                        + "whole, and \(cheap.price.phrase) for each path in line "
                        + "\(single.rule.line) (\(single.rule.pattern.text)), which the whole opens "
                        + "too: the whole has to be the dearer one, in the same currency, or has to "
                        + "have another service="
                )
            )
        }
        return findings
    }

    /// A sale needs the wallet that the rule names.
    private func unknownWallet(of read: ReadRule) -> Finding? {
        guard let name = read.rule.wallet, let wallets, !wallets.contains(name),
            !wallets.contains(name.uppercased())
        else { return nil }
        return Finding(
            place: read.terms[.wallet]?.valuePlace ?? read.place,
            message: "wallet \(quoted(name)) has no key: set LNBITS_KEY_\(name) or "
                + "LNBITS_KEY_FILE_\(name)"
        )
    }

    private func conflicts(of read: ReadRule, with earlier: ReadRule) -> [Finding] {
        let (rule, other) = (read.rule, earlier.rule)
        let place = read.place(of: .service, .price)
        guard read.isNamed || earlier.isNamed else {
            if rule.methods == other.methods && rule.host == other.host
                && rule.pattern == other.pattern
            {
                return []
            }
            return [
                Finding(
                    place: place,
                    message:
                        "the name made for this rule, \(quoted(rule.service)), is also that of "
                        + "line \(other.line); tokens of one would open the other: write service="
                )
            ]
        }
        // A token is redeemed at the wallet of the rule it is shown to.
        guard rule.wallet != other.wallet else { return [] }
        let here = rule.wallet.map { "wallet \(quoted($0))" } ?? "the default wallet"
        let there = other.wallet.map { "wallet \(quoted($0))" } ?? "the default wallet"
        return [
            Finding(
                place: place,
                message: "service \(quoted(rule.service)) is paid to \(there) in line "
                    + "\(other.line) and to \(here) here; a service has one wallet"
            )
        ]
    }
}
