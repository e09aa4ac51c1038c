import Lightning
import Text
import Wallets

/// One line of the rules file, read and checked. A class, because every request hands it around.
package final class Rule: Sendable, Equatable {
    /// The line it starts on, from 1; for messages.
    package let line: Int
    /// Methods in upper case, `HEAD` included where `GET` is; `nil` for `*`.
    package let methods: Set<String>?
    /// What paths it is for.
    package let pattern: PathPattern
    /// The host it is bound to, in the spelling of ``HostName``; `nil` for any.
    package let host: String?
    /// What it costs.
    package let access: Access
    /// What its tokens are good for: `service=`, or made from methods, host and path.
    package let service: String
    /// L402 tier; a token of a higher tier opens lower ones.
    package let tier: UInt8
    /// JSON body fields that must be present and not empty.
    package let require: [String]
    /// Where the goods come from.
    package let serve: ServeTarget?
    /// Invoice text, at most 639 bytes of UTF-8.
    package let memo: String
    /// Whether a bare payment hash is accepted as proof.
    package let acceptsHash: Bool
    /// Another LNbits wallet, by the name in `LNBITS_KEY_NAME`; `nil` for the default one.
    package let wallet: String?
    /// Allowed CORS origins, overriding `L402_CORS`; `nil` when the rule says nothing.
    package let cors: String?
    /// For how many seconds further ranges of one delivery take nothing, 0 for none; `nil` when
    /// the rule says nothing, and the kind of its target decides.
    package let grace: UInt64?

    /// What one payment is for: each path by itself, or `nil` for all that the service sells.
    package let per: SinglePer?
    /// The directory with the text that stands above the price of a path; absolute.
    package let teaser: String?
    /// The directory in which a path has to be to be sold; absolute.
    package let exists: String?

    /// A rule; the parser has checked it.
    package init(
        line: Int,
        methods: Set<String>?,
        pattern: PathPattern,
        host: String? = nil,
        access: Access,
        service: String,
        tier: UInt8 = 0,
        require: [String] = [],
        serve: ServeTarget? = nil,
        memo: String? = nil,
        acceptsHash: Bool = true,
        wallet: String? = nil,
        cors: String? = nil,
        grace: UInt64? = nil,
        per: SinglePer? = nil,
        teaser: String? = nil,
        exists: String? = nil
    ) {
        self.line = line
        self.methods = methods
        self.pattern = pattern
        self.host = host
        self.access = access
        self.service = service
        self.tier = tier
        self.require = require
        self.serve = serve
        self.memo = memo ?? service
        self.acceptsHash = acceptsHash
        self.wallet = wallet
        self.cors = cors
        self.grace = grace
        self.per = per
        self.teaser = teaser
        self.exists = exists
    }

    /// The same line with the same meaning.
    package static func == (left: Rule, right: Rule) -> Bool {
        left === right
            || left.line == right.line && left.methods == right.methods
                && left.pattern == right.pattern && left.host == right.host
                && left.access == right.access && left.service == right.service
                && left.tier == right.tier && left.require == right.require
                && left.serve == right.serve && left.memo == right.memo
                && left.acceptsHash == right.acceptsHash && left.wallet == right.wallet
                && left.cors == right.cors && left.grace == right.grace
                && left.per == right.per && left.teaser == right.teaser
                && left.exists == right.exists
    }
}

/// What a rule asks for.
package enum Access: Sendable, Equatable {
    /// Always served.
    case free
    /// Always 403.
    case deny
    /// Sold.
    case priced(Offer)
}

/// What one payment of a priced rule buys.
package struct Offer: Sendable, Equatable {
    /// The price.
    package var price: Price
    /// Requests one payment buys; `nil` for unlimited.
    package var uses: UInt64?
    /// Seconds a token lives after it was issued.
    package var validSeconds: UInt64
    /// The free allowance before payment; `nil` for none.
    package var free: FreeAllowance?

    /// An offer.
    package init(price: Price, uses: UInt64? = 1, validSeconds: UInt64, free: FreeAllowance? = nil)
    {
        self.price = price
        self.uses = uses
        self.validSeconds = validSeconds
        self.free = free
    }
}

/// The price of a purchase.
package enum Price: Sendable, Hashable {
    /// Whole sats, 1 to 10,000,000 (the most LNbits makes an invoice for).
    case sats(UInt64)
    /// An amount the wallet converts.
    case fiat(FiatAmount)

    /// For people: `21 sats`, `0.25 USD`.
    package var phrase: String {
        switch self {
        case .sats(let sats): Sats.words(sats)
        case .fiat(let amount): amount.description
        }
    }
}

/// `free=N/PERIOD`.
package struct FreeAllowance: Sendable, Equatable {
    /// Requests per client and window, at least 1.
    package var limit: UInt32
    /// The window.
    package var period: FreePeriod

    /// An allowance.
    package init(limit: UInt32, period: FreePeriod) {
        self.limit = limit
        self.period = period
    }
}
