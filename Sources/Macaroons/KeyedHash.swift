import Crypto

/// Every HMAC of the macaroon chain, and the comparison of its end.
enum KeyedHash {
    /// The constant that go-macaroon, libmacaroons and pymacaroons derive keys with: 23 bytes,
    /// no NUL. The L402 repository's macaroon-spec.md leaves this step out; no real verifier does.
    private static let generator = SymmetricKey(data: Array("macaroons-key-generator".utf8))

    /// The key of the chain's first link, from a root key of any length.
    static func derivedKey(rootKey: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: rootKey, using: generator))
    }

    /// One link of the chain: HMAC-SHA256 of `message`, 32 bytes.
    static func link(key: [UInt8], message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }

    /// Compares in a time that depends on the lengths only.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
