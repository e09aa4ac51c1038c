/// What a BOLT #11 invoice says, as far as a seller needs it.
///
/// The signature is not checked: the invoice comes from the seller's own wallet, and is decoded to
/// see that it says what was ordered. A payer must check more.
package struct Bolt11Invoice: Equatable, Sendable {
    /// The invoice in lower case.
    package let text: String
    /// `bc`, `tb`, `tbs` or `bcrt`.
    package let network: String
    /// The amount; `nil` when the payer chooses it.
    package let amount: Millisatoshis?
    /// When it was made, seconds since 1970.
    package let timestamp: UInt64
    /// Seconds after `timestamp` until it can no longer be paid.
    package let expirySeconds: UInt64
    /// What its preimage hashes to.
    package let paymentHash: PaymentHash

    /// BOLT #11: `x` (6): `data_length` variable. `expiry` time in seconds (big-endian). Default
    /// is 3600 (1 hour) if not specified.
    package static let defaultExpirySeconds: UInt64 = 3600

    /// More characters than any wallet makes; the longest that rust-lightning reads.
    package static let maximumCharacters = 7089

    /// When it can no longer be paid, seconds since 1970.
    package var expiresAt: UInt64 {
        let (sum, overflow) = timestamp.addingReportingOverflow(expirySeconds)
        return overflow ? .max : sum
    }

    /// Decodes an invoice.
    ///
    /// - Throws: ``Bolt11Error``, naming the first thing that is wrong.
    package init(decoding invoice: String) throws(Bolt11Error) {
        let characters = Array(invoice.utf8)
        guard characters.count <= Self.maximumCharacters else { throw .tooLong }
        let lower = Array(invoice.lowercased().utf8)
        guard characters == lower || characters == Array(invoice.uppercased().utf8) else {
            throw .mixedCase
        }
        let (prefix, words) = try Bech32.decode(lower)
        let (network, amountText) = try Self.network(prefix)
        self.network = network
        amount = try Self.amount(amountText)
        text = String(decoding: lower, as: UTF8.self)

        // 7 words of timestamp at the start, 104 of signature at the end.
        guard words.count >= 7 + 104 else { throw .tooShort }
        timestamp = Self.number(words.prefix(7)) ?? 0
        let fields = try Self.fields(words.dropFirst(7).dropLast(104))
        expirySeconds = fields.expiry ?? Self.defaultExpirySeconds
        guard let hash = fields.paymentHash else { throw .noPaymentHash }
        paymentHash = hash
    }

    private static func network(_ prefix: [UInt8]) throws(Bolt11Error) -> (
        String, ArraySlice<UInt8>
    ) {
        // The longer names first: `tbs` before `tb`, `bcrt` before `bc`.
        for name in ["bcrt", "tbs", "bc", "tb"] where prefix.starts(with: "ln\(name)".utf8) {
            return (name, prefix.dropFirst(2 + name.utf8.count))
        }
        throw .unknownNetwork
    }

    /// Digits and a multiplier: BOLT #11 counts in bitcoins, of 100,000,000,000 msat.
    private static func amount(_ text: ArraySlice<UInt8>) throws(Bolt11Error) -> Millisatoshis? {
        guard let last = text.last else { return nil }
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let digits = isDigit(last) ? text : text.dropLast()
        guard let first = digits.first, first != UInt8(ascii: "0"), digits.allSatisfy(isDigit),
            let count = UInt64(String(decoding: digits, as: UTF8.self))
        else { throw .badAmount }
        let unit: UInt64
        switch last {
        case _ where isDigit(last): unit = 100_000_000_000
        case UInt8(ascii: "m"): unit = 100_000_000
        case UInt8(ascii: "u"): unit = 100_000
        case UInt8(ascii: "n"): unit = 100
        case UInt8(ascii: "p"):
            guard count % 10 == 0 else { throw .subMillisatoshi }
            return Millisatoshis(msat: count / 10)
        default: throw .badAmount
        }
        let (msat, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw .badAmount }
        return Millisatoshis(msat: msat)
    }

    /// The tagged fields: `type (5 bits) data_length (10 bits) data`.
    private static func fields(_ words: ArraySlice<UInt8>) throws(Bolt11Error) -> (
        paymentHash: PaymentHash?, expiry: UInt64?
    ) {
        var rest = words
        var hash: PaymentHash?
        var expiry: UInt64?
        while let type = rest.popFirst() {
            guard let high = rest.popFirst(), let low = rest.popFirst() else {
                throw .truncatedField
            }
            let count = Int(high) << 5 | Int(low)
            guard count <= rest.count else { throw .truncatedField }
            let data = rest.prefix(count)
            rest = rest.dropFirst(count)
            switch type {
            case 1 where count == 52 && hash == nil:
                // The specification's own example has `p` fields of other lengths, to be ignored.
                hash = PaymentHash(bytes: bytes(data).prefix(32))
            case 6 where expiry == nil:
                expiry = number(data) ?? .max
            case _:
                continue
            }
        }
        return (hash, expiry)
    }

    /// Words as a big-endian number; `nil` when 64 bits do not hold it.
    private static func number(_ words: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for word in words {
            guard value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(word)
        }
        return value
    }

    /// Words of 5 bits as bytes of 8, the rest at the end dropped.
    private static func bytes(_ words: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for word in words {
            buffer = (buffer << 5 | UInt32(word)) & 0xfff
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return bytes
    }
}
