/// Finds the first rule that matches without trying them all.
///
/// Rules are kept by host, then by literal path or by the literal beginning and end of their
/// pattern. A look-up hashes each distinct length of beginning once, so its cost follows the
/// variety of patterns, not their number.
struct RuleIndex: Sendable {
    private let rules: [Rule]
    private var anyHost = Bucket()
    private var byHost: [String: Bucket] = [:]

    init(_ rules: [Rule]) {
        self.rules = rules
        for (order, rule) in rules.enumerated() {
            if let host = rule.host {
                byHost[host, default: Bucket()].insert(rule.pattern, order)
            } else {
                anyHost.insert(rule.pattern, order)
            }
        }
    }

    /// Whether any rule is bound to a host.
    var namesHosts: Bool { !byHost.isEmpty }

    /// The first rule for a request; `method` of `nil` matches any.
    func first(method: String?, host: String?, path: [UInt8]) -> Rule? {
        var best = Int.max
        consider(in: anyHost, method, path, &best)
        if let host, let bucket = byHost[host] { consider(in: bucket, method, path, &best) }
        return best == .max ? nil : rules[best]
    }

    /// Every rule for a path, whatever its methods, in order.
    func all(host: String?, path: [UInt8]) -> [Rule] {
        var orders: [Int] = []
        let collect: ([Int]) -> Void = { list in
            orders += list.filter { rules[$0].pattern.matches(path) }
        }
        anyHost.forEachCandidate(path, collect)
        if let host, let bucket = byHost[host] { bucket.forEachCandidate(path, collect) }
        return orders.sorted().map { rules[$0] }
    }

    private func consider(in bucket: Bucket, _ method: String?, _ path: [UInt8], _ best: inout Int)
    {
        var found = best
        bucket.forEachCandidate(path) { list in
            for order in list {
                if order >= found { return }
                let rule = rules[order]
                if let method, rule.methods?.contains(method) == false { continue }
                if rule.pattern.matches(path) {
                    found = order
                    return
                }
            }
        }
        best = found
    }
}

/// The rules of one host.
private struct Bucket: Sendable {
    private var literals: [ArraySlice<UInt8>: [Int]] = [:]
    private var globs: [ArraySlice<UInt8>: SuffixTable] = [:]
    private var prefixLengths: [Int] = []

    mutating func insert(_ pattern: PathPattern, _ order: Int) {
        if pattern.isLiteral {
            literals[pattern.prefix[...], default: []].append(order)
            return
        }
        globs[pattern.prefix[...], default: SuffixTable()].insert(pattern.suffix[...], order)
        if !prefixLengths.contains(pattern.prefix.count) {
            prefixLengths.append(pattern.prefix.count)
            prefixLengths.sort()
        }
    }

    /// Calls `body` with lists of rules, each ascending, that together hold all that can match.
    func forEachCandidate(_ path: [UInt8], _ body: ([Int]) -> Void) {
        if let list = literals[path[...]] { body(list) }
        for length in prefixLengths {
            if length > path.count { return }
            globs[path.prefix(length)]?.forEachCandidate(path, body)
        }
    }
}

/// The patterns that begin alike, by how they end.
private struct SuffixTable: Sendable {
    private var bySuffix: [ArraySlice<UInt8>: [Int]] = [:]
    private var suffixLengths: [Int] = []

    mutating func insert(_ suffix: ArraySlice<UInt8>, _ order: Int) {
        bySuffix[suffix, default: []].append(order)
        if !suffixLengths.contains(suffix.count) {
            suffixLengths.append(suffix.count)
            suffixLengths.sort()
        }
    }

    func forEachCandidate(_ path: [UInt8], _ body: ([Int]) -> Void) {
        for length in suffixLengths {
            if length > path.count { return }
            if let list = bySuffix[path.suffix(length)] { body(list) }
        }
    }
}
