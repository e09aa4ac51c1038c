import Macaroons

/// A secret of this gate, from which the root key of every token is derived. Never printed.
package struct MasterKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Short name of the key in the keys file; not a secret.
    package let id: String
    /// 32 bytes. A secret.
    package let bytes: [UInt8]
    /// When it was made, seconds since 1970.
    package let created: UInt64

    /// A key; `nil` when it is not 32 bytes.
    package init?(id: String, bytes: [UInt8], created: UInt64) {
        guard bytes.count == 32 else { return nil }
        self.id = id
        self.bytes = bytes
        self.created = created
    }

    /// HMAC-SHA256 under this key, 32 bytes. The root key of a token is that of its identifier, so
    /// that nothing is stored for a token that was never paid.
    package func authenticate(_ message: [UInt8]) -> [UInt8] {
        KeyedHash.code(key: bytes, message: message)
    }

    /// Whether `code` is the HMAC-SHA256 of `message`, in constant time.
    package func isAuthentic(_ code: [UInt8], for message: [UInt8]) -> Bool {
        KeyedHash.isAuthentic(code, key: bytes, message: message)
    }

    /// The name alone.
    package var description: String { "<master key \(id)>" }

    /// Shows nothing of the secret to `dump` either.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
