import L402
import Store
import Text
import Wallets

/// This gate's own mark on a payment, kept by the wallet in the payment's `extra` and signed, so
/// that a bare payment hash can be told from any other payment into the same wallet.
///
/// It is written before the invoice is there, so that it names how long a purchase lives and not
/// until when: that is reckoned from the end of the invoice, which the wallet shows again.
struct PurchaseTag {
    private let service: String
    private let site: String?
    private let tier: UInt8
    private let address: BoughtAddress?
    private let validSeconds: UInt64?
    /// What an older release said instead of ``validSeconds``.
    private let validUntil: UInt64?
    private let uses: UInt64?
    private let priceSats: UInt64
    /// The token id of the challenge it came with.
    let tokenID: [UInt8]
    /// The place the invoice holds among the client's unpaid ones.
    let place: PendingPlace?

    init(
        service: String,
        site: String?,
        tier: UInt8,
        address: BoughtAddress?,
        validSeconds: UInt64,
        uses: UInt64?,
        priceSats: UInt64,
        tokenID: [UInt8],
        place: PendingPlace?
    ) {
        self.service = service
        self.site = site
        self.tier = tier
        self.address = address
        self.validSeconds = validSeconds
        validUntil = nil
        self.uses = uses
        self.priceSats = priceSats
        self.tokenID = tokenID
        self.place = place
    }

    /// Reads the mark back.
    ///
    /// - Throws: ``CredentialError/foreignPayment`` when it is absent, incomplete or not signed by
    ///   one of `keys`.
    init(extra: [String: String], keys: [MasterKey]) throws(CredentialError) {
        guard let service = extra["l402_service"],
            let tier = extra["l402_tier"].flatMap({ UInt8($0) }),
            let price = extra["l402_price"].flatMap({ UInt64($0) }),
            let uses = extra["l402_uses"],
            let tokenID = extra["l402_token_id"].flatMap({ Hex.decode(Array($0.utf8)) }),
            let signature = extra["l402_signature"].flatMap({ Hex.decode(Array($0.utf8)) }),
            uses == "unlimited" || UInt64(uses) != nil
        else { throw .foreignPayment }
        self.service = service
        site = extra["l402_site"]
        self.tier = tier
        address = try Self.address(extra)
        validSeconds = extra["l402_valid"].flatMap { UInt64($0) }
        validUntil = extra["l402_valid_until"].flatMap { UInt64($0) }
        self.uses = UInt64(uses)
        priceSats = price
        self.tokenID = tokenID
        place = extra["l402_place"].map { PendingPlace(text: $0) }
        guard (validSeconds == nil) != (validUntil == nil) else { throw .foreignPayment }
        let message = signedBytes
        guard keys.contains(where: { $0.isAuthentic(signature, for: message) }) else {
            throw .foreignPayment
        }
    }

    /// What was sold with an invoice of this end, in seconds since 1970.
    func terms(endOfInvoice end: UInt64) -> PurchaseTerms {
        let (sum, isTooLate) = end.addingReportingOverflow(validSeconds ?? 0)
        return PurchaseTerms(
            service: service,
            site: site,
            tier: tier,
            address: address,
            validUntil: validUntil ?? (isTooLate ? .max : sum),
            validSeconds: validSeconds,
            uses: uses,
            priceSats: priceSats
        )
    }

    /// What was sold with an invoice as the wallet shows it.
    ///
    /// - Throws: ``CredentialError/foreignPayment`` when it does not show it, and the end is not
    ///   known without it.
    func terms(_ invoice: Invoice?) throws(CredentialError) -> PurchaseTerms {
        guard let end = invoice?.expiresAt ?? validUntil else { throw .foreignPayment }
        return terms(endOfInvoice: end)
    }

    /// What goes into `extra`, signed with `key`.
    func extra(signedWith key: MasterKey) -> [String: String] {
        var extra = [
            "tag": "l402",
            "l402_service": service,
            "l402_tier": String(tier),
            "l402_price": String(priceSats),
            "l402_uses": usesText,
            "l402_token_id": Hex.encode(tokenID),
            "l402_signature": Hex.encode(key.authenticate(signedBytes)),
        ]
        extra["l402_site"] = site
        extra["l402_valid"] = validSeconds.map(String.init)
        extra["l402_valid_until"] = validUntil.map(String.init)
        extra["l402_place"] = place?.text
        if let address { extra["l402_\(address.name)"] = address.value }
        return extra
    }

    private static func address(_ extra: [String: String]) throws(CredentialError)
        -> BoughtAddress?
    {
        let names = [BoughtAddress.textName, BoughtAddress.digestName]
        for name in names {
            guard let value = extra["l402_\(name)"] else { continue }
            guard let address = BoughtAddress(name: name, value: Array(value.utf8)) else {
                throw .foreignPayment
            }
            return address
        }
        return nil
    }

    private var usesText: String { uses.map(String.init) ?? "unlimited" }

    /// Begins with words, so that it can never be the 66 bytes of an identifier, which the same
    /// key authenticates: those begin with two zero bytes. The first line says which fields follow.
    private var signedBytes: [UInt8] {
        var lines: [String]
        if let validSeconds {
            lines = [
                address == nil ? "l402 purchase 2" : "l402 purchase 3", site ?? "", service,
                String(tier), String(priceSats),
            ]
            lines += [usesText, String(validSeconds)]
            if let address { lines += [address.name, address.value] }
        } else {
            lines = ["l402 purchase 1", service, String(tier), String(priceSats), usesText]
            lines.append(validUntil.map(String.init) ?? "")
        }
        lines += [Hex.encode(tokenID), place?.text ?? ""]
        return Array(lines.joined(separator: "\n").utf8)
    }
}
