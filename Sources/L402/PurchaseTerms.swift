/// What one payment buys. Written into a token's caveats when it is minted, and into the wallet's
/// `extra` of the payment, so that both forms of proof say the same.
package struct PurchaseTerms: Hashable, Sendable {
    /// The service, of `[A-Za-z0-9._-]`.
    package let service: String
    /// Which site of a shared state directory sold it, of `[A-Za-z0-9._-]`; `nil` where there is
    /// one site only. What one site sold opens nothing on another.
    package let site: String?
    /// L402 tier; opens rules of this tier and lower ones.
    package let tier: UInt8
    /// The one address that was bought; `nil` for the whole service.
    package let address: BoughtAddress?
    /// The longest end: seconds since 1970 from which on it opens nothing, whenever it was first
    /// redeemed. The end of its invoice and ``validSeconds``.
    package let validUntil: UInt64
    /// Seconds that it lives from its first redemption; `nil` for what an older release sold, which
    /// lives until ``validUntil``.
    package let validSeconds: UInt64?
    /// Requests it buys; `nil` for unlimited.
    package let uses: UInt64?
    /// What the invoice asked for, in whole sats.
    package let priceSats: UInt64

    /// Terms; nothing is checked here.
    package init(
        service: String,
        site: String? = nil,
        tier: UInt8,
        address: BoughtAddress? = nil,
        validUntil: UInt64,
        validSeconds: UInt64? = nil,
        uses: UInt64?,
        priceSats: UInt64
    ) {
        self.service = service
        self.site = site
        self.tier = tier
        self.address = address
        self.validUntil = validUntil
        self.validSeconds = validSeconds
        self.uses = uses
        self.priceSats = priceSats
    }

    /// When a purchase ends that is redeemed for the first time at `now`.
    package func end(openedAt now: UInt64) -> UInt64 {
        guard let validSeconds else { return validUntil }
        let (end, isTooLate) = now.addingReportingOverflow(validSeconds)
        return isTooLate ? validUntil : min(end, validUntil)
    }

    /// The number of uses as files and caveats write it: decimal, or `unlimited`.
    package var usesText: String { uses.map(String.init) ?? "unlimited" }

    /// The caveats a token for these terms is minted with, in aperture's order. Each contains
    /// `=`, because lsat-js throws on one that does not.
    var caveats: [[UInt8]] {
        var texts = ["services=\(service):\(tier)"]
        if let site { texts.append("\(service)_site=\(site)") }
        if let address { texts.append("\(service)_\(address.name)=\(address.value)") }
        texts.append("\(service)_uses=\(usesText)")
        texts.append("\(service)_price=\(priceSats)")
        if let validSeconds { texts.append("\(service)_valid=\(validSeconds)") }
        texts.append("\(service)_valid_until=\(validUntil)")
        return texts.map { Array($0.utf8) }
    }
}
