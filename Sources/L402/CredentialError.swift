/// Why a credential does not open what was asked for. Each answers 402, never 401: ten real
/// clients never recover from a 401.
///
/// The words go to the client and into the log; none carries a byte of the credential.
package enum CredentialError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It cannot be read; the text says what is wrong with it.
    case malformed(String)
    /// Its signature does not hold under any key of this gate.
    case forged
    /// It was bought for something else.
    case wrongService
    /// It was bought for another address of a service that sells each by itself.
    case wrongPath
    /// It was bought at another site of the same state directory.
    case wrongSite
    /// An appended caveat would have allowed more than those before it.
    case widened
    /// A caveat under the service's own name that nobody here understands.
    case unknownCaveat
    /// A caveat that narrows what nobody here could hold the token to.
    case unenforceable
    /// Its time is over.
    case expired
    /// The preimage does not hash to the token's payment hash.
    case preimageMismatch
    /// The invoice has not been paid.
    case unpaid
    /// A payment that this gate did not ask for, or asked for something else.
    case foreignPayment
    /// Less was paid than the invoice asked for.
    case underpaid
    /// All uses that the payment bought are gone.
    case spent
    /// The operator revoked it.
    case revoked
    /// The rule wants a token, not a bare payment hash.
    case hashNotAccepted

    /// A stable word for programs.
    package var code: String {
        switch self {
        case .malformed: "credential_malformed"
        case .forged: "credential_forged"
        case .wrongService: "credential_wrong_service"
        case .wrongPath: "credential_wrong_path"
        case .wrongSite: "credential_wrong_site"
        case .widened: "credential_widened"
        case .unknownCaveat: "credential_unknown_caveat"
        case .unenforceable: "credential_unenforceable"
        case .expired: "credential_expired"
        case .preimageMismatch: "preimage_mismatch"
        case .unpaid: "payment_not_confirmed"
        case .foreignPayment: "payment_foreign"
        case .underpaid: "payment_too_small"
        case .spent: "payment_used"
        case .revoked: "payment_revoked"
        case .hashNotAccepted: "payment_hash_not_accepted"
        }
    }

    package var description: String {
        switch self {
        case .malformed(let what): "the credential cannot be read: \(what)"
        case .forged: "this token was not issued here"
        case .wrongService: "this token was bought for something else"
        case .wrongPath: "this token was bought for another address"
        case .wrongSite: "this token was bought at another site"
        case .widened: "this token has a caveat that allows more than the one before it"
        case .unknownCaveat: "this token has a caveat that is not understood here"
        case .unenforceable:
            "this token limits the uses of an unlimited purchase, which are not counted"
        case .expired: "this token has expired"
        case .preimageMismatch: "the preimage does not belong to this token"
        case .unpaid: "payment not confirmed yet"
        case .foreignPayment: "this payment was not made for this service"
        case .underpaid: "less was paid than the invoice asked for"
        case .spent: "this payment has been used"
        case .revoked: "this payment has been revoked"
        case .hashNotAccepted: "a payment hash alone does not open this; send the token"
        }
    }
}
