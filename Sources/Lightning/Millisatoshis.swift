/// An amount of money in millisatoshis (msat), the unit of Lightning.
///
/// Arithmetic that could overflow returns `nil`; there is no way to build a wrong amount.
package struct Millisatoshis: Hashable, Comparable, Sendable {
    /// The amount in msat.
    package let msat: UInt64

    package init(msat: UInt64) {
        self.msat = msat
    }

    /// An amount given in whole sats; `nil` when it does not fit in 64 bits of msat.
    package init?(sats: UInt64) {
        let (msat, overflow) = sats.multipliedReportingOverflow(by: 1000)
        if overflow { return nil }
        self.msat = msat
    }

    /// The amount in sats, a fraction rounded up: nobody is undersold by rounding.
    package var satsRoundedUp: UInt64 {
        msat / 1000 + (msat % 1000 == 0 ? 0 : 1)
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.msat < right.msat
    }
}
