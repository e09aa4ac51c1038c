import Lightning

/// The identifier of an L402 macaroon, version 0: 66 bytes, big-endian.
///
///     offset  size  field
///          0     2  version, 0
///          2    32  payment hash, SHA-256 of the preimage
///         34    32  token id, random
///
/// Source: L402 protocol-specification.md, "Identifier"; aperture `l402/identifier.go`.
package struct Identifier: Hashable, Sendable {
    /// What the token's invoice is paid by.
    package let paymentHash: PaymentHash
    /// 32 random bytes.
    package let tokenID: [UInt8]

    /// An identifier of its parts; `nil` when the token id is not 32 bytes.
    package init?(paymentHash: PaymentHash, tokenID: [UInt8]) {
        guard tokenID.count == 32 else { return nil }
        self.paymentHash = paymentHash
        self.tokenID = tokenID
    }

    /// Reads the 66 bytes; any other length or version is refused, so that nothing is read short.
    ///
    /// - Throws: ``CredentialError/malformed(_:)``.
    package init(decoding bytes: [UInt8]) throws(CredentialError) {
        guard bytes.count == 66 else {
            throw .malformed("its identifier is \(bytes.count) bytes, not 66")
        }
        guard bytes.starts(with: [0, 0]) else {
            throw .malformed("its identifier is not of version 0")
        }
        guard let hash = PaymentHash(bytes: bytes.dropFirst(2).prefix(32)) else {
            throw .malformed("its identifier has no payment hash")
        }
        paymentHash = hash
        tokenID = Array(bytes.dropFirst(34))
    }

    /// The 66 bytes.
    package var encoded: [UInt8] { [0, 0] + paymentHash.bytes + tokenID }
}
