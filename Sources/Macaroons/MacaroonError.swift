/// Why bytes are not a macaroon, or a macaroon is not ours. No case carries any of its bytes.
package enum MacaroonError: Error, Equatable, CustomStringConvertible {
    /// The first byte is not 2.
    case unsupportedVersion
    /// A packet or the whole ends too early.
    case truncated
    /// A length or type that is too large or not written in its shortest form.
    case badVarint
    /// A packet that does not belong at its place.
    case unexpectedPacket
    /// A signature that is not 32 bytes.
    case signatureLength(Int)
    /// Bytes after the signature.
    case trailingBytes
    /// A caveat for a third party; there are none in L402.
    case thirdPartyCaveat
    /// More caveats or bytes than any honest client sends.
    case tooLarge
    /// The chain of HMACs does not end in the signature.
    case signatureMismatch

    /// Lower-case words, no period.
    package var description: String {
        switch self {
        case .unsupportedVersion: "macaroon is not version 2"
        case .truncated: "macaroon is truncated"
        case .badVarint: "macaroon has a malformed length"
        case .unexpectedPacket: "macaroon has a packet out of place"
        case .signatureLength(let count): "macaroon signature is \(count) bytes, not 32"
        case .trailingBytes: "macaroon has bytes after its signature"
        case .thirdPartyCaveat: "macaroon has a third-party caveat"
        case .tooLarge: "macaroon is too large"
        case .signatureMismatch: "macaroon signature does not match"
        }
    }
}
