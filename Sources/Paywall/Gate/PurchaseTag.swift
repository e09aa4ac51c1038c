import L402
import Lightning

/// This gate's own mark on a payment, kept by the wallet in the payment's `extra` and signed, so
/// that a bare payment hash can be told from any other payment into the same wallet.
struct PurchaseTag {
    /// What was sold.
    let terms: PurchaseTerms
    /// The token id of the challenge it came with.
    let tokenID: [UInt8]
    /// The place the invoice holds among the client's unpaid ones.
    let place: PendingPlace?

    init(terms: PurchaseTerms, tokenID: [UInt8], place: PendingPlace?) {
        self.terms = terms
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
            let validUntil = extra["l402_valid_until"].flatMap({ UInt64($0) }),
            let price = extra["l402_price"].flatMap({ UInt64($0) }),
            let uses = extra["l402_uses"],
            let tokenID = extra["l402_token_id"].flatMap({ Hex.decode(Array($0.utf8)) }),
            let signature = extra["l402_signature"].flatMap({ Hex.decode(Array($0.utf8)) }),
            uses == "unlimited" || UInt64(uses) != nil
        else { throw .foreignPayment }
        terms = PurchaseTerms(
            service: service,
            tier: tier,
            validUntil: validUntil,
            uses: UInt64(uses),
            priceSats: price
        )
        self.tokenID = tokenID
        place = extra["l402_place"].map { PendingPlace(text: $0) }
        let message = signedBytes
        guard keys.contains(where: { $0.isAuthentic(signature, for: message) }) else {
            throw .foreignPayment
        }
    }

    /// What goes into `extra`, signed with `key`.
    func extra(signedWith key: MasterKey) -> [String: String] {
        var extra = [
            "tag": "l402",
            "l402_service": terms.service,
            "l402_tier": String(terms.tier),
            "l402_price": String(terms.priceSats),
            "l402_uses": terms.usesText,
            "l402_valid_until": String(terms.validUntil),
            "l402_token_id": Hex.encode(tokenID),
            "l402_signature": Hex.encode(key.authenticate(signedBytes)),
        ]
        extra["l402_place"] = place?.text
        return extra
    }

    /// Begins with words, so that it can never be the 66 bytes of an identifier, which the same
    /// key authenticates: those begin with two zero bytes.
    private var signedBytes: [UInt8] {
        let lines = [
            "l402 purchase 1", terms.service, String(terms.tier), String(terms.priceSats),
            terms.usesText, String(terms.validUntil), Hex.encode(tokenID), place?.text ?? "",
        ]
        return Array(lines.joined(separator: "\n").utf8)
    }
}

/// An offer made earlier whose invoice can still be paid.
struct StandingOffer {
    let invoice: Invoice
    let terms: PurchaseTerms
    let identifier: Identifier

    /// `nil` when the wallet no longer tells the invoice.
    init?(_ payment: WalletPayment, terms: PurchaseTerms, identifier: Identifier) {
        guard let invoice = payment.invoice, invoice.paymentHash == identifier.paymentHash else {
            return nil
        }
        self.invoice = invoice
        self.terms = terms
        self.identifier = identifier
    }
}
