import Text

/// What the verified caveats of a token allow, read from first to last.
///
/// The first caveat of each kind is ours, written at minting; every later one was appended by a
/// holder and may only narrow. What need not be there (site, address, duration) was minted before the first
/// `valid_until`, which every token has; behind it, it can only be repeated, or, as an address, narrow.
/// Nothing here compares a last one alone: appending is open to all.
/// Source: L402 macaroons.md; aperture `l402/satisfier.go` (`SatisfyPrevious`, `SatisfyFinal`).
struct CaveatChain {
    /// The terms the token was minted with.
    let minted: PurchaseTerms
    /// The earliest `valid_until` in the chain.
    let validUntil: UInt64
    /// The smallest number of uses in the chain; `nil` for unlimited.
    let uses: UInt64?
    /// The lowest tier in the chain.
    let tier: UInt8
    /// Every address in the chain: what is asked for must be within each.
    let addresses: [BoughtAddress]

    /// Reads the chain for `service`.
    ///
    /// - Throws: ``CredentialError``: wrong service, widened, an unknown caveat under the
    ///   service's own prefix, or a malformed one. Foreign caveats, such as the `preimage=` that
    ///   lnget appends, are skipped as the specification says.
    init(_ caveats: [[UInt8]], service: String) throws(CredentialError) {
        var services: [[UInt8]: UInt8]?
        var mintedTier: UInt8?
        var times = Narrowing()
        var uses = Narrowing()
        var price = Narrowing()
        var duration: UInt64?
        var site: [UInt8]?
        var minted: BoughtAddress?
        var addresses: [BoughtAddress] = []
        let name = Array(service.utf8)
        let prefix = name + [UInt8(ascii: "_")]

        for bytes in caveats {
            guard let caveat = Caveat(bytes) else { continue }
            if caveat.condition == Self.servicesCondition {
                let list = try Self.services(caveat.value)
                if let previous = services {
                    guard
                        list.allSatisfy({
                            $0.value <= previous[$0.key] ?? 0 && previous[$0.key] != nil
                        })
                    else { throw .widened }
                }
                services = list
                mintedTier = mintedTier ?? list[name]
                guard list[name] != nil else { throw .wrongService }
            } else if caveat.condition.starts(with: prefix) {
                let kind = String(
                    decoding: caveat.condition.dropFirst(prefix.count).prefix(16),
                    as: UTF8.self
                )
                switch kind {
                case "valid_until": try times.narrow(to: Self.number(caveat.value))
                case "uses":
                    let count = try Self.count(caveat.value)
                    // Uses of an unlimited purchase are not counted, so that nothing could hold it.
                    if uses.first == .max, count != .max { throw .unenforceable }
                    try uses.narrow(to: count)
                case "price": try price.repeatOnly(Self.number(caveat.value))
                case "valid":
                    let seconds = try Self.number(caveat.value)
                    guard times.first == nil || duration == seconds else { throw .widened }
                    duration = seconds
                case "site":
                    guard times.first == nil || site == caveat.value else { throw .widened }
                    site = caveat.value
                case BoughtAddress.textName, BoughtAddress.digestName:
                    guard let address = BoughtAddress(name: kind, value: caveat.value) else {
                        throw .malformed("its address cannot be read")
                    }
                    if times.first == nil {
                        guard minted == nil || minted == address else { throw .widened }
                        minted = address
                    }
                    guard !addresses.contains(address) else { break }
                    guard addresses.count < Self.mostAddresses else {
                        throw .malformed("it has more than \(Self.mostAddresses) addresses")
                    }
                    addresses.append(address)
                default: throw .unknownCaveat
                }
            }
        }
        guard let services, let mintedTier, let tier = services[name] else { throw .wrongService }
        guard let firstTime = times.first, let lastTime = times.last, let firstUses = uses.first,
            let lastUses = uses.last, let paid = price.first
        else { throw .malformed("a caveat that every token of this gate has is missing") }
        self.minted = PurchaseTerms(
            service: service,
            site: site.map { String(decoding: $0, as: UTF8.self) },
            tier: mintedTier,
            address: minted,
            validUntil: firstTime,
            validSeconds: duration,
            uses: firstUses == .max ? nil : firstUses,
            priceSats: paid
        )
        validUntil = lastTime
        self.uses = lastUses == .max ? nil : lastUses
        self.tier = tier
        self.addresses = addresses
    }

    /// A holder may append what he likes, and each is looked at for each request.
    private static let mostAddresses = 8

    private static let servicesCondition = Array("services".utf8)

    /// `name:tier[,name:tier…]`.
    private static func services(_ value: [UInt8]) throws(CredentialError) -> [[UInt8]: UInt8] {
        var list: [[UInt8]: UInt8] = [:]
        for entry in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let parts = entry.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard parts.count == 2, let name = parts.first, !name.isEmpty,
                let tier = parts.last.flatMap({ Digits.number($0) }).flatMap({ UInt8(exactly: $0) }
                ),
                list.updateValue(tier, forKey: Array(name)) == nil
            else { throw .malformed("its services caveat is not name:tier[,name:tier]") }
        }
        return list
    }

    private static func number(_ value: [UInt8]) throws(CredentialError) -> UInt64 {
        guard let number = Digits.number(value) else {
            throw .malformed("a caveat is not a whole number")
        }
        return number
    }

    /// A number of uses, unlimited as the largest of all.
    private static func count(_ value: [UInt8]) throws(CredentialError) -> UInt64 {
        value.elementsEqual("unlimited".utf8) ? .max : try number(value)
    }
}

/// A quantity that every later caveat may only make smaller.
private struct Narrowing {
    private(set) var first: UInt64?
    private(set) var last: UInt64?

    mutating func narrow(to value: UInt64) throws(CredentialError) {
        if let last, value > last { throw .widened }
        first = first ?? value
        last = value
    }

    mutating func repeatOnly(_ value: UInt64) throws(CredentialError) {
        if let last, value != last { throw .widened }
        first = first ?? value
        last = value
    }
}
