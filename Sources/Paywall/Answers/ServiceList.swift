import Text
import Wallets

/// What is for sale, for `/.well-known/l402-services`.
struct ServiceList: Encodable {
    let services: [ServiceEntry]

    init(_ services: [ServiceEntry]) { self.services = services }
}

/// One priced rule as a buyer sees it.
struct ServiceEntry: Encodable {
    let service: String
    let tier: UInt8
    let methods: [String]
    let path: String
    /// `path` or `url:NAMES`: what is bought opens one address; absent for the whole service.
    let per: String?
    let host: String?
    let price_sats: UInt64?
    let price: String
    let uses: String
    let valid_seconds: UInt64
    let free: String?
    let require: [String]
    let memo: String

    /// `nil` for a rule that sells nothing.
    init?(_ rule: Rule) {
        guard case .priced(let offer) = rule.access else { return nil }
        service = rule.service
        tier = rule.tier
        methods = rule.methods.map { $0.sorted() } ?? ["*"]
        path = rule.pattern.text
        per = rule.per?.text
        host = rule.host
        price_sats = if case .sats(let sats) = offer.price { sats } else { nil }
        price = offer.price.phrase
        uses = offer.uses.map(String.init) ?? "unlimited"
        valid_seconds = offer.validSeconds
        free = offer.free.map { "\($0.limit)/\($0.period.rawValue)" }
        require = rule.require
        memo = rule.memo
    }
}

/// What a `GET` finds where only another method is sold: the tutorial's three fields, and the
/// entries of the list.
struct ServiceDescription: Encodable {
    let service: String
    let usage: String
    let price: String
    let price_sats: UInt64?
    let services: [ServiceEntry]

    init(_ entry: ServiceEntry, _ all: [ServiceEntry]) {
        service = entry.memo
        let fields = entry.require.map { "\"\($0)\": \"…\"" }.joined(separator: ", ")
        let body = entry.require.isEmpty ? "" : " with {\(fields)}"
        usage = (entry.methods.first { $0 != "HEAD" } ?? "POST") + body
        price = entry.price + (entry.uses == "1" ? " per request" : "")
        price_sats = entry.price_sats
        services = all
    }
}
