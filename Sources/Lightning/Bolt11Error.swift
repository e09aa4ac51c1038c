/// Why a text is no BOLT #11 invoice.
package enum Bolt11Error: Error, Equatable, CustomStringConvertible {
    /// Longer than any invoice.
    case tooLong
    /// Upper and lower case mixed.
    case mixedCase
    /// No `1` between prefix and data.
    case noSeparator
    /// A character outside the bech32 alphabet.
    case badCharacter
    /// The checksum does not hold.
    case badChecksum
    /// Too few words for a timestamp and a signature.
    case tooShort
    /// A prefix other than `lnbc`, `lntb`, `lntbs` or `lnbcrt`.
    case unknownNetwork
    /// An amount with a leading zero, another multiplier, or more digits than money has.
    case badAmount
    /// An amount finer than a millisatoshi.
    case subMillisatoshi
    /// A tagged field that ends after the data.
    case truncatedField
    /// No payment hash of the right length.
    case noPaymentHash

    /// Lower-case words, no period.
    package var description: String {
        switch self {
        case .tooLong: "invoice is too long"
        case .mixedCase: "invoice mixes upper and lower case"
        case .noSeparator: "invoice has no separator"
        case .badCharacter: "invoice has a character that is not bech32"
        case .badChecksum: "invoice checksum does not hold"
        case .tooShort: "invoice is too short"
        case .unknownNetwork: "invoice is for an unknown network"
        case .badAmount: "invoice amount is malformed"
        case .subMillisatoshi: "invoice amount is finer than a millisatoshi"
        case .truncatedField: "invoice has a truncated field"
        case .noPaymentHash: "invoice has no payment hash"
        }
    }
}
