import POSIX
import Synchronization
import Wallets

/// What a bitcoin costs, for a minute: a price that moves with every request could not be paid.
/// That there is no rate is kept for a second, so that a flood does not ask for it again and again.
final class RateCache: Sendable {
    private static let keepMilliseconds: UInt64 = 60_000
    private static let keepFailureMilliseconds: UInt64 = 1000

    private struct Kept {
        let rate: Result<FiatRate, WalletError>
        let until: MonotonicTime
    }

    private let kept = Mutex<[String: Kept]>([:])

    /// What is known of a currency (ISO 4217, upper case); `nil` to ask.
    func rate(of currency: String) -> Result<FiatRate, WalletError>? {
        kept.withLock { kept in
            guard let known = kept[currency], known.until > .now() else { return nil }
            return known.rate
        }
    }

    func keep(_ rate: Result<FiatRate, WalletError>, of currency: String) {
        let milliseconds =
            switch rate {
            case .success: Self.keepMilliseconds
            case .failure: Self.keepFailureMilliseconds
            }
        let until = MonotonicTime.now().adding(milliseconds: milliseconds)
        kept.withLock { $0[currency] = Kept(rate: rate, until: until) }
    }
}

/// What one bitcoin costs in a currency, as LNbits says it.
struct FiatRate {
    /// The bounds of an invoice: a sat, and what LNbits makes at most.
    static let soldSats: ClosedRange<UInt64> = 1...10_000_000
    /// LNbits 0.12 says so when it has no rate: everything would cost a sat.
    private static let noRate = 9_999_999_999.0
    /// Of a price: what conversions by floating point are off by, and no fraction of a sat is.
    private static let noise = 1e-9

    /// Units of the currency for 100,000,000 sats.
    let unitsPerBitcoin: Double

    /// `nil` for what is no price of anything.
    init?(unitsPerBitcoin: Double) {
        guard unitsPerBitcoin.isFinite, unitsPerBitcoin > 0,
            abs(unitsPerBitcoin - Self.noRate) > Self.noRate * Self.noise
        else { return nil }
        self.unitsPerBitcoin = unitsPerBitcoin
    }

    /// An amount in sats, every fraction rounded up; `nil` above the most that is sold.
    func sats(hundredths: UInt64) -> UInt64? {
        let exact = Double(hundredths) * 1_000_000 / unitsPerBitcoin
        let sats = max(1, (exact * (1 - Self.noise)).rounded(.up))
        guard sats <= Double(Self.soldSats.upperBound) else { return nil }
        return UInt64(sats)
    }
}
