/// What one payment buys. Written into a token's caveats when it is minted, and into the wallet's
/// `extra` of the payment, so that both forms of proof say the same.
public struct PurchaseTerms: Hashable, Sendable {
    /// The service, of `[A-Za-z0-9._-]`.
    public let service: String
    /// L402 tier; opens rules of this tier and lower ones.
    public let tier: UInt8
    /// Seconds since 1970 from which on it opens nothing.
    public let validUntil: UInt64
    /// Requests it buys; `nil` for unlimited.
    public let uses: UInt64?
    /// What the invoice asked for, in whole sats.
    public let priceSats: UInt64

    /// Terms; nothing is checked here.
    public init(
        service: String,
        tier: UInt8,
        validUntil: UInt64,
        uses: UInt64?,
        priceSats: UInt64
    ) {
        self.service = service
        self.tier = tier
        self.validUntil = validUntil
        self.uses = uses
        self.priceSats = priceSats
    }

    /// The number of uses as files and caveats write it: decimal, or `unlimited`.
    public var usesText: String { uses.map(String.init) ?? "unlimited" }

    /// The caveats a token for these terms is minted with, in aperture's order. Each contains
    /// `=`, because lsat-js throws on one that does not.
    var caveats: [[UInt8]] {
        [
            "services=\(service):\(tier)",
            "\(service)_uses=\(usesText)",
            "\(service)_price=\(priceSats)",
            "\(service)_valid_until=\(validUntil)",
        ].map { Array($0.utf8) }
    }
}
