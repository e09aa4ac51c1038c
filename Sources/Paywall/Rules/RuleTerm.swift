/// The terms a rule can have.
enum RuleTerm: String, CaseIterable {
    case price, free, deny, uses, unlimited, valid, service, tier, require, serve, memo, hash
    case wallet, cors, host, grace, per, teaser, exists

    /// How it is written, for messages.
    var example: String {
        switch self {
        case .price: "price=21"
        case .free: "free=1/day"
        case .deny: "deny"
        case .uses: "uses=10"
        case .unlimited: "unlimited"
        case .valid: "valid=1h"
        case .service: "service=reports"
        case .tier: "tier=1"
        case .require: "require=prompt"
        case .serve: "serve=@goods"
        case .memo: "memo=\"API query\""
        case .hash: "hash=off"
        case .wallet: "wallet=shop"
        case .cors: "cors=https://app.example"
        case .host: "host=api.example.com"
        case .grace: "grace=10m"
        case .per: "per=path"
        case .teaser: "teaser=/srv/teasers"
        case .exists: "exists=/srv/articles"
        }
    }

    /// Whether it stands for itself, has a value, or both.
    var takesValue: Bool? {
        switch self {
        case .deny, .unlimited: false
        case .free: nil
        case .price, .uses, .valid, .service, .tier, .require, .serve, .memo, .hash, .wallet,
            .cors, .host, .grace, .per, .teaser, .exists:
            true
        }
    }
}
