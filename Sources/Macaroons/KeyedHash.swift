import Crypto

/// HMAC-SHA256 (RFC 2104): every link of the macaroon chain, and what else is signed with its keys.
///
/// Written with swift-crypto's SHA-256. Its own HMAC takes a key byte by byte, five times as long as
/// it then hashes, and a forged token costs seven of them: whoever sends forged ones decides how
/// often that is.
package enum KeyedHash {
    private static let blockBytes = 64

    /// The constant that go-macaroon, libmacaroons and pymacaroons derive keys with: 23 bytes,
    /// no NUL. The L402 repository's macaroon-spec.md leaves this step out; no real verifier does.
    private static let generator = Array("macaroons-key-generator".utf8)

    /// The HMAC-SHA256 of `message` under a key of any length, 32 bytes.
    package static func code(key: [UInt8], message: [UInt8]) -> [UInt8] {
        let key = key.count > blockBytes ? digest(key) : key
        var inner = [UInt8](repeating: 0x36, count: blockBytes)
        var outer = [UInt8](repeating: 0x5c, count: blockBytes)
        inner.reserveCapacity(blockBytes + message.count)
        outer.reserveCapacity(blockBytes + SHA256.byteCount)
        for (at, byte) in key.enumerated() {
            inner[at] ^= byte
            outer[at] ^= byte
        }
        inner += message
        outer += digest(inner)
        return digest(outer)
    }

    /// Whether `code` is the HMAC-SHA256 of `message`, in a time that depends on the lengths only.
    package static func isAuthentic(_ code: [UInt8], key: [UInt8], message: [UInt8]) -> Bool {
        areEqual(code, Self.code(key: key, message: message))
    }

    /// The key of the chain's first link, from a root key of any length.
    static func derivedKey(rootKey: [UInt8]) -> [UInt8] { code(key: generator, message: rootKey) }

    /// Compares in a time that depends on the lengths only.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
