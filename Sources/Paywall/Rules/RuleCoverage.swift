/// Finds rules that can never be the first to match.
struct RuleCoverage {
    /// Earlier rules by host (empty for any) and the literal beginning of their pattern.
    private var byPrefix: [Key: [Rule]] = [:]
    private var prefixLengths: Set<Int> = []

    /// So many with the same beginning are compared; a large file may go without a warning, but
    /// not without being read in a moment.
    private static let mostCompared = 64

    private struct Key: Hashable {
        var host: String
        var prefix: ArraySlice<UInt8>
    }

    /// The earlier rule that takes everything this one could match; remembers the rule.
    mutating func cover(of rule: Rule) -> Rule? {
        let start = rule.pattern.prefix
        for host in Set(["", rule.host ?? ""]) {
            for length in prefixLengths where length <= start.count {
                let earlier = byPrefix[Key(host: host, prefix: start.prefix(length))] ?? []
                if let found = earlier.first(where: { covers($0, rule) }) { return found }
            }
        }
        let key = Key(host: rule.host ?? "", prefix: start[...])
        if byPrefix[key, default: []].count < Self.mostCompared {
            byPrefix[key, default: []].append(rule)
        }
        prefixLengths.insert(start.count)
        return nil
    }

    private func covers(_ earlier: Rule, _ later: Rule) -> Bool {
        coversMethods(earlier.methods, later.methods) && earlier.pattern.covers(later.pattern)
    }

    private func coversMethods(_ earlier: Set<String>?, _ later: Set<String>?) -> Bool {
        guard let earlier else { return true }
        guard let later else { return false }
        return later.isSubset(of: earlier)
    }
}
