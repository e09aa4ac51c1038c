import Lightning
import Wallets

/// What the wallets say of a payment that is not on record.
struct WalletWord {
    let visit: Visit
    let rule: Rule

    enum Word {
        case paid(WalletPayment)
        case unpaid(WalletPayment)
        /// No wallet that is configured knows it.
        case unknown
        /// What answered was not LNbits.
        case foreign(String)
    }

    /// Asks the rule's wallet, and the others when it knows nothing.
    ///
    /// - Parameter isProved: Whether the credential proves something: it is then never refused for
    ///   what others have asked from the same address, and is bounded by itself.
    func about(_ hash: PaymentHash, isProved: Bool) throws(Refusal) -> Word {
        let wallets = visit.parts.wallets(rule.wallet)
        guard !wallets.isEmpty else { throw .noWallet(rule) }
        let asker = isProved ? hash.bytes : visit.clientKey
        guard !visit.memory.attempts.isExhausted(asker, now: visit.now) else {
            throw .tooManyAttempts(now: visit.now)
        }
        var word = Word.unknown
        for wallet in wallets {
            do throws(WalletError) {
                guard let payment = try wallet.payment(hash, for: .redemption) else { continue }
                if payment.isPaid { return .paid(payment) }
                word = .unpaid(payment)
            } catch {
                // Who is told to come again is not counted for coming again.
                guard error.isForeign else { throw Refusal(error) }
                word = .foreign(error.reason)
            }
            break
        }
        visit.memory.attempts.count(asker, now: visit.now)
        return word
    }
}
