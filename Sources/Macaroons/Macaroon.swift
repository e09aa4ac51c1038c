/// A bearer token: an identifier, caveats, and the end of an HMAC chain over both.
///
/// Anyone may append a caveat; nobody can take one away. What caveats mean is not known here.
/// Source: go-macaroon, libmacaroons `doc/format.txt`; byte for byte equal to both.
package struct Macaroon: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// A hint for humans, not signed; `nil` where the packet is left out.
    package let location: [UInt8]?
    /// Which token this is; signed.
    package let identifier: [UInt8]
    /// First-party caveats in the order they were appended; signed. Bytes, not always UTF-8.
    package let caveats: [[UInt8]]
    /// The end of the chain, 32 bytes: whoever knows it can use the token.
    package let signature: [UInt8]

    init(location: [UInt8]?, identifier: [UInt8], caveats: [[UInt8]], signature: [UInt8]) {
        self.location = location
        self.identifier = identifier
        self.caveats = caveats
        self.signature = signature
    }

    /// A new token under `rootKey` (any length).
    package static func mint(
        rootKey: [UInt8],
        identifier: [UInt8],
        location: [UInt8]?,
        caveats: [[UInt8]]
    ) -> Macaroon {
        Macaroon(
            location: location,
            identifier: identifier,
            caveats: caveats,
            signature: chain(rootKey: rootKey, identifier: identifier, caveats: caveats)
        )
    }

    /// The same token with one more caveat; no key is needed.
    package func appending(caveat: [UInt8]) -> Macaroon {
        Macaroon(
            location: location,
            identifier: identifier,
            caveats: caveats + [caveat],
            signature: KeyedHash.code(key: signature, message: caveat)
        )
    }

    /// The caveats, once the signature holds under `rootKey`; the only way to caveats that count.
    ///
    /// - Throws: ``MacaroonError/signatureMismatch``.
    package func verifiedCaveats(rootKey: [UInt8]) throws(MacaroonError) -> [[UInt8]] {
        let expected = Self.chain(rootKey: rootKey, identifier: identifier, caveats: caveats)
        guard KeyedHash.areEqual(expected, signature) else { throw .signatureMismatch }
        return caveats
    }

    private static func chain(rootKey: [UInt8], identifier: [UInt8], caveats: [[UInt8]])
        -> [UInt8]
    {
        let first = KeyedHash.code(
            key: KeyedHash.derivedKey(rootKey: rootKey),
            message: identifier
        )
        return caveats.reduce(first) { KeyedHash.code(key: $0, message: $1) }
    }

    /// Shows no byte of the token.
    package var description: String { "<macaroon, \(caveats.count) caveats>" }

    /// Shows no byte of the token to `dump` either.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
