import HTTP
import L402

/// How far a purchase of single addresses reaches: to its own, with or without a slash at its end,
/// and to what the same rule covers below it.
struct Reach {
    let visit: Visit
    let rule: Rule

    /// Whether the request is within each of these addresses. None are a purchase of the whole
    /// service, which opens all that it sells one by one.
    func includes(_ addresses: [BoughtAddress]) -> Bool {
        if addresses.isEmpty { return true }
        // A rule that sells the whole is not opened by a part.
        guard let sold = visit.soldAddress(rule) else { return false }
        return addresses.allSatisfy { includes($0, sold) }
    }

    private func includes(_ address: BoughtAddress, _ sold: SoldAddress) -> Bool {
        switch sold.place(of: address) {
        case nil: return false
        case .itself: return true
        case .above(let path):
            // Where the list of all articles stands, say, only the list was bought.
            if rule.pattern.isAboveAll(path) { return false }
            return [path, path + [UInt8(ascii: "/")]].contains { visit.rule(forPath: $0) === rule }
        }
    }
}

extension Visit {
    /// What the request would buy under a rule that sells each address by itself; `nil` under
    /// another one, and where its query has more than one meaning.
    func soldAddress(_ rule: Rule) -> SoldAddress? {
        rule.per.flatMap { SoldAddress(request.path, per: $0) }
    }

    /// What stands above the price of the request's path; `nil` where the rule has no texts, or none
    /// for it.
    func teaser(of rule: Rule) -> String? {
        rule.teaser.flatMap { parts.teaser(request.path.bytes, $0) }
    }

    /// The address that an offer to this request is for, in plain text; `nil` for a whole service,
    /// and for an older offer of which only the hash is known.
    func boughtPath(_ terms: PurchaseTerms, _ rule: Rule) -> String? {
        switch terms.address {
        case nil: return nil
        case .text(let text)?: return text
        case .digest?:
            guard let address = terms.address, let sold = soldAddress(rule),
                sold.place(of: address) == .itself
            else { return nil }
            return sold.text
        }
    }
}
