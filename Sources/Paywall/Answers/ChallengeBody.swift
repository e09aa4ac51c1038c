import FoundationEssentials
import L402
import Lightning

/// The JSON of a 402. Some facts stand under several names: each is read by some real client.
struct ChallengeBody: Encodable {
    let status = "payment_required"
    let message: String
    let instructions: String
    let priceSats: UInt64
    let invoice: String
    let paymentHash: String
    let macaroon: String
    let service: String
    let tier: UInt8
    /// `path` or `url:NAMES` where one address was sold, and which.
    let per: String?
    let path: String?
    let uses: String
    let memo: String
    let validUntil: UInt64
    let invoiceExpiresAt: UInt64
    let error: String?
    let code: String

    init(
        _ challenge: Challenge,
        terms: PurchaseTerms,
        per: String?,
        path: String?,
        memo: String,
        invoiceExpiresAt: UInt64,
        refusing error: (code: String, message: String)?,
        sendsHash: Bool
    ) {
        message =
            "Pay \(Sats.words(terms.priceSats)), then retry with Authorization: L402 <macaroon>:<preimage>."
        instructions =
            "Pay the invoice, then "
            + (sendsHash
                ? "send the request again with payment_hash in the JSON body or in the header "
                    + "X-Payment-Hash, or " : "retry ")
            + "with Authorization: L402 <macaroon>:<preimage>."
        priceSats = terms.priceSats
        invoice = challenge.invoice
        paymentHash = challenge.paymentHash.hex
        macaroon = challenge.token
        service = terms.service
        tier = terms.tier
        self.per = per
        self.path = path
        uses = terms.usesText
        validUntil = terms.validUntil
        self.memo = memo
        self.invoiceExpiresAt = invoiceExpiresAt
        self.error = error?.message
        code = error?.code ?? Code.paymentRequired.rawValue
    }

    private enum Key: String, CodingKey {
        case status, message, instructions, error, code, service, tier, per, path, uses, memo
        /// The tutorial's and our own name.
        case price_sats
        /// maximumsats-mcp.
        case amount_sats
        /// l402-kit.
        case priceSats
        /// ln.bot.
        case price
        case payment_request, invoice, payment_hash, macaroon
        case valid_until, invoice_expires_at
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(status, forKey: .status)
        try object.encode(message, forKey: .message)
        try object.encode(instructions, forKey: .instructions)
        for key in [Key.price_sats, .amount_sats, .priceSats, .price] {
            try object.encode(priceSats, forKey: key)
        }
        try object.encode(invoice, forKey: .payment_request)
        try object.encode(invoice, forKey: .invoice)
        try object.encode(paymentHash, forKey: .payment_hash)
        try object.encode(macaroon, forKey: .macaroon)
        try object.encode(service, forKey: .service)
        try object.encode(tier, forKey: .tier)
        try object.encodeIfPresent(per, forKey: .per)
        try object.encodeIfPresent(path, forKey: .path)
        try object.encode(uses, forKey: .uses)
        try object.encode(memo, forKey: .memo)
        try object.encode(validUntil, forKey: .valid_until)
        try object.encode(invoiceExpiresAt, forKey: .invoice_expires_at)
        try object.encodeIfPresent(error, forKey: .error)
        try object.encode(code, forKey: .code)
    }
}
