/// Finds rules that can never be the first to match.
struct RuleCoverage {
    /// Earlier rules by host (empty for any) and the text of their pattern.
    private var byText: [Key: [Rule]] = [:]
    /// Earlier rules whose pattern is a prefix and `**`, by host and prefix.
    private var byPrefix: [Key: [Rule]] = [:]
    private var prefixLengths: Set<Int> = []

    private struct Key: Hashable {
        var host: String
        var path: [UInt8]
    }

    /// The earlier rule that takes everything this one could match; remembers the rule.
    mutating func cover(of rule: Rule) -> Rule? {
        let own = Array(rule.pattern.text.utf8)
        let start = rule.pattern.prefix
        for host in Set(["", rule.host ?? ""]) {
            var earlier = byText[Key(host: host, path: own)] ?? []
            for length in prefixLengths where length <= start.count {
                earlier += byPrefix[Key(host: host, path: Array(start.prefix(length)))] ?? []
            }
            if let found = earlier.first(where: { covers($0.methods, rule.methods) }) {
                return found
            }
        }
        let host = rule.host ?? ""
        byText[Key(host: host, path: own), default: []].append(rule)
        if rule.pattern.text.hasSuffix("**") && own.count == start.count + 2 {
            byPrefix[Key(host: host, path: start), default: []].append(rule)
            prefixLengths.insert(start.count)
        }
        return nil
    }

    private func covers(_ earlier: Set<String>?, _ later: Set<String>?) -> Bool {
        guard let earlier else { return true }
        guard let later else { return false }
        return later.isSubset(of: earlier)
    }
}
