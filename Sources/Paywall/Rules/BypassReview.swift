import Text

/// Finds ways round rules: the same goods for less by another host name or another method.
///
/// For each two rules that could have a request in common it makes such a request and asks the
/// rules which of them decides it, so that what stands between them counts.
struct BypassReview {
    private(set) var findings: [Finding] = []
    private let all: [ReadRule]
    private let rules: Rules
    private let defaultServe: ServeTarget?

    /// A host and a segment of a path that no rule is expected to name.
    private static let otherHost = "l402.invalid"
    private static let otherName = "l402-check"
    private static let commonMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]

    init(_ all: [ReadRule], _ rules: Rules, defaultServe: ServeTarget?) {
        self.all = all
        self.rules = rules
        self.defaultServe = defaultServe
        for read in all where read.rule.access != .free {
            if read.rule.host != nil { findByHost(read) }
            if read.rule.methods != nil { findByMethod(read) }
        }
    }

    /// What only one host sells or denies, for less under the name of another: whoever asks chooses
    /// the name, and a web server that answers every name serves the same goods.
    private mutating func findByHost(_ read: ReadRule) {
        let rule = read.rule
        for other in all.lazy.map(\.rule) where other.host != rule.host {
            guard other.isCheaper(than: rule), mayLeadToSameGoods(rule, other),
                let method = Self.commonMethods.first(where: { rule.takes($0) && other.takes($0) }),
                let path = rule.pattern.pathInCommon(with: other.pattern, filler: Self.otherName),
                decides(rule, method, rule.host, path),
                decides(other, method, other.host ?? Self.otherHost, path)
            else { continue }
            let name = rule.host.map { quoted($0) } ?? ""
            let where_ =
                other.host.map { "on host \(quoted($0))" } ?? "on any other host than \(name)"
            let what = rule.access == .deny ? "what this rule denies is" : "what this rule sells is"
            doubt(
                read.place(of: .host),
                "\(what) \(other.costPhrase) \(where_) by line \(other.line) (\(other.pattern.text)), "
                    + "and a client may send any Host; bind that rule to its host with host=, give "
                    + "it goods of its own with serve=, or leave host= out here"
            )
            return
        }
    }

    /// What is sold for some methods and free for others: many backends answer them alike.
    private mutating func findByMethod(_ read: ReadRule) {
        let rule = read.rule
        guard case .priced = rule.access else { return }
        for other in all.lazy.map(\.rule) where other.access == .free {
            if let mine = rule.host, let theirs = other.host, mine != theirs { continue }
            guard target(of: rule) == target(of: other),
                let sold = Self.commonMethods.first(where: rule.takes),
                let free = Self.commonMethods.first(where: { !rule.takes($0) && other.takes($0) }),
                let path = rule.pattern.pathInCommon(with: other.pattern, filler: Self.otherName)
            else { continue }
            let host = rule.host ?? other.host ?? Self.otherHost
            guard decides(rule, sold, host, path), decides(other, free, host, path) else {
                continue
            }
            doubt(
                read.place,
                "\(free) of the same paths is free by line \(other.line) (\(other.pattern.text)) and "
                    + "leads to the same goods, which may answer it like \(sold); write * as METHODS "
                    + "here, or deny the others in a rule after this one"
            )
            return
        }
    }

    private func decides(_ rule: Rule, _ method: String, _ host: String?, _ path: [UInt8]) -> Bool {
        rules.match(method: method, host: host, path: path) === rule
    }

    private func target(of rule: Rule) -> ServeTarget { rule.serve ?? defaultServe ?? .pass }

    /// A rule that denies or passes says nothing of where the goods are.
    private func mayLeadToSameGoods(_ rule: Rule, _ other: Rule) -> Bool {
        let (mine, theirs) = (target(of: rule), target(of: other))
        return mine == theirs || rule.access == .deny || mine == .pass || theirs == .pass
    }

    private mutating func doubt(_ place: TextPlace, _ message: String) {
        findings.append(Finding(place: place, message: message))
    }
}

extension Rule {
    fileprivate func takes(_ method: String) -> Bool { methods?.contains(method) ?? true }

    /// Whether what it guards less than `other` does.
    fileprivate func isCheaper(than other: Rule) -> Bool {
        switch (access, other.access) {
        case (.deny, _): false
        case (_, .deny), (.free, _): true
        case (.priced(let mine), .priced(let theirs)):
            mine.price.isLess(than: theirs.price) ?? false
        case (.priced, .free): false
        }
    }

    /// `free`, `sold for 1 sat`.
    fileprivate var costPhrase: String {
        if case .priced(let offer) = access { "sold for \(offer.price.phrase)" } else { "free" }
    }
}

/// Finds rules that let pass and serve nothing.
struct GoodsReview {
    private(set) var findings: [Finding] = []

    init(_ rules: [ReadRule], defaultServe: ServeTarget?) {
        let open = rules.filter { $0.rule.access != .deny }
        let isResponder = open.contains { ($0.rule.serve ?? defaultServe ?? .pass) != .pass }
        let empty = open.filter { read in
            switch read.rule.serve ?? defaultServe {
            case nil: true
            case .pass: isResponder
            case _?: false
            }
        }
        guard let first = empty.first else { return }
        let others = empty.dropFirst().map { String($0.rule.line) }
        let lines = others.isEmpty ? "" : " (so do lines \(others.joined(separator: ", ")))"
        findings.append(
            Finding(
                place: first.place(of: .serve),
                message: "this rule serves nothing where the gate is asked as a responder\(lines): "
                    + "write serve=…, as in serve=@api or serve=file:/srv/paid; where the web server "
                    + "only asks and serves by itself, say so with L402_SERVE=pass"
            )
        )
    }
}
