import Paywall
import Synchronization

/// Converted prices for a minute: a price that moves with every request could not be paid.
final class RateCache: Sendable {
    private static let keepMilliseconds: UInt64 = 60_000

    private let kept = Mutex<[FiatAmount: (sats: UInt64, until: MonotonicTime)]>([:])

    func value(for price: FiatAmount) -> UInt64? {
        kept.withLock { kept in
            guard let known = kept[price], known.until > .now() else { return nil }
            return known.sats
        }
    }

    func keep(_ sats: UInt64, for price: FiatAmount) {
        kept.withLock {
            $0[price] = (sats, MonotonicTime.now().adding(milliseconds: Self.keepMilliseconds))
        }
    }
}
