/// Amounts in words.
package enum Sats {
    /// `1 sat`, `21 sats`.
    package static func words(_ count: UInt64) -> String {
        count == 1 ? "1 sat" : "\(count) sats"
    }
}
