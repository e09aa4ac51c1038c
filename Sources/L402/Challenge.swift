import Lightning

/// An offer on the wire: a token and the invoice that makes it good.
///
/// The order and punctuation are what 21 real clients parse: `macaroon` first, then `, ` with one
/// blank, then `invoice`; the specification's own order (`version` first) breaks nearly all of
/// them, and its rule to ignore unknown parameters makes this one conforming.
package struct Challenge: Sendable {
    /// The token as it will be presented, standard base64 with padding.
    package let token: String
    /// The BOLT11 invoice, lower case.
    package let invoice: String
    /// The invoice's payment hash.
    package let paymentHash: PaymentHash

    package init(token: String, invoice: String, paymentHash: PaymentHash) {
        self.token = token
        self.invoice = invoice
        self.paymentHash = paymentHash
    }

    /// The two `WWW-Authenticate` values, one header line each, in this order. The second serves
    /// clients of the tutorial, which parse nothing else.
    package var headerValues: [String] {
        let invoicePart = "invoice=\"\(invoice)\", payment_hash=\"\(paymentHash.hex)\""
        return [
            "L402 macaroon=\"\(token)\", \(invoicePart), version=\"0\", token=\"\(token)\"",
            "L402 \(invoicePart)",
        ]
    }
}
