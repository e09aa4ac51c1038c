import Crypto
import Text

/// The SHA-256 of a payment's preimage; what an invoice commits to. 32 bytes, not a secret.
package struct PaymentHash: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes.
    package let bytes: [UInt8]

    /// A hash from its 32 bytes; `nil` for any other length.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// A hash from 64 hex digits of either case; `nil` for anything else.
    package init?(hex: some Collection<UInt8>) {
        guard hex.count == 64, let bytes = Hex.decode(hex) else { return nil }
        self.bytes = bytes
    }

    /// A hash from 64 hex digits of either case; `nil` for anything else.
    package init?(hex: some StringProtocol) {
        self.init(hex: Array(hex.utf8))
    }

    /// 64 lower-case hex digits, the only form LNbits finds a payment by.
    package var hex: String { Hex.encode(bytes) }

    package var description: String { hex }
}

/// The secret whose hash an invoice commits to. 32 bytes; never printed.
package struct Preimage: Sendable, CustomStringConvertible, CustomReflectable {
    /// The 32 bytes. A secret: do not log them.
    package let bytes: [UInt8]

    /// A preimage from its 32 bytes; `nil` for any other length.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// A preimage from 64 hex digits of either case; `nil` for anything else.
    package init?(hex: some Collection<UInt8>) {
        guard hex.count == 64, let bytes = Hex.decode(hex) else { return nil }
        self.bytes = bytes
    }

    /// The payment hash this preimage proves: its SHA-256.
    package var paymentHash: PaymentHash? {
        PaymentHash(bytes: Array(SHA256.hash(data: bytes)))
    }

    /// Shows nothing of the secret.
    package var description: String { "<preimage>" }

    /// Shows nothing of the secret to `dump` either.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
