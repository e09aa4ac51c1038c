import Lightning
import POSIX
import Synchronization
import Wallets

/// What LNbits said of payments that are not there or not paid, so that a flood with one unpaid
/// hash costs one question a second. Who polls, pays and redeems within that second is still
/// believed: a hash has a few questions in hand before it has to wait for the next second.
final class UnpaidAnswers: Sendable {
    private struct Known {
        var answer: WalletPayment?
        var at: MonotonicTime
        /// Questions in hand, in thousandths; one grows back in a second.
        var inHand: UInt64
    }

    /// A few for one payer in a hurry.
    private static let mostInHand: UInt64 = 4
    private static let keepMilliseconds: UInt64 = 1000
    private static let mostHashes = 4096

    private let known = Mutex<[PaymentHash: Known]>([:])

    /// The answer to give again; `nil` to ask LNbits.
    func answer(of hash: PaymentHash, for question: Question) -> WalletPayment?? {
        known.withLock { known in
            guard let entry = known[hash] else { return nil }
            let age = MonotonicTime.now().milliseconds &- entry.at.milliseconds
            guard age < Self.keepMilliseconds else { return nil }
            return question == .redemption && entry.inHand >= 1000 ? nil : .some(entry.answer)
        }
    }

    /// Keeps what LNbits just said; a payment that is paid is none of ours.
    func keep(_ answer: WalletPayment?, of hash: PaymentHash) {
        let now = MonotonicTime.now()
        known.withLock { known in
            guard answer?.isPaid != true else {
                known[hash] = nil
                return
            }
            if known[hash] == nil, known.count >= Self.mostHashes {
                known = known.filter { !Self.isFull($0.value, now) }
                // More unpaid hashes in four seconds than this: the bound on calls is enough.
                guard known.count < Self.mostHashes else { return }
            }
            let full = Self.mostInHand * 1000
            let before = known[hash].map { Self.inHand($0, now) } ?? full
            known[hash] = Known(answer: answer, at: now, inHand: before - min(1000, before))
        }
    }

    private static func inHand(_ entry: Known, _ now: MonotonicTime) -> UInt64 {
        min(mostInHand * 1000, entry.inHand &+ (now.milliseconds &- entry.at.milliseconds))
    }

    private static func isFull(_ entry: Known, _ now: MonotonicTime) -> Bool {
        inHand(entry, now) >= mostInHand * 1000
    }
}
