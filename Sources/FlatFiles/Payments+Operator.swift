import Glibc
import L402
import Lightning
import Paywall

/// What is on record of one payment, for the operator.
package struct PaymentRecord: Equatable, Sendable {
    /// Which payment.
    package let paymentHash: PaymentHash
    /// What was sold, as minted.
    package let terms: PurchaseTerms
    /// Uses taken and not returned; for unlimited always 1.
    package let used: UInt64
    /// Until when it is good, seconds since 1970: reckoned from its first redemption.
    package let ends: UInt64
    /// The amount the invoice was made for.
    package let price: Millisatoshis
    /// When it was first redeemed, ISO 8601.
    package let opened: String
    /// Whether the operator revoked it.
    package let isRevoked: Bool

    init(_ file: PaymentFile) {
        paymentHash = file.paymentHash
        terms = file.terms
        used = file.used
        ends = file.ends
        price = file.price
        opened = file.opened
        isRevoked = file.isRevoked
    }
}

extension Payments {
    /// What a payment on record was made for. Looks through the days, of which there are as many
    /// as tokens live.
    package func terms(of hash: PaymentHash) throws(StateError) -> PurchaseTerms? {
        try record(hash)?.terms
    }
}

/// What the operator may ask and do. These look through the days.
extension Payments {
    /// What is known of a payment; `nil` when nothing is on record.
    package func record(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        guard let path = find(hash), let file = try Descriptor.openIfPresent(path, O_RDONLY) else {
            return nil
        }
        return PaymentRecord(try readUnclaimed(file, path))
    }

    /// Makes a payment worthless from now on; `nil` when nothing is on record.
    package func revoke(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        try change(hash) { $0.revoke() }
    }

    /// Gives one use back to a payment, as for goods that did not arrive: one of `uses=1` that was
    /// spent is good once more. A payment without a use taken, an unlimited or a revoked one stays
    /// as it is. `nil` when nothing is on record.
    ///
    /// Money does not move: sending it back is the wallet's business, and ``revoke(_:)`` goes with
    /// that.
    package func refund(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        try change(hash) { $0.refund() }
    }

    /// Visits every payment on record, in no order; a file that cannot be read is visited as the
    /// error it gives.
    package func visitAll(_ body: (Result<PaymentRecord, StateError>) -> Void) {
        let root = "\(directory.path)/payments"
        for day in StateDirectory.names(in: root) where CalendarText.isDate(day) {
            StateDirectory.eachName(in: "\(root)/\(day)") { name in
                let path = "\(root)/\(day)/\(name)"
                do throws(StateError) {
                    // One that was swept meanwhile is no payment any more.
                    if let file = try Descriptor.openIfPresent(path, O_RDONLY) {
                        body(.success(PaymentRecord(try readUnclaimed(file, path))))
                    }
                } catch {
                    body(.failure(error))
                }
                return true
            }
        }
    }

    private func change(_ hash: PaymentHash, _ body: (inout PaymentFile) -> Void)
        throws(StateError) -> PaymentRecord?
    {
        guard let path = find(hash), let file = try Descriptor.openIfPresent(path, O_RDWR) else {
            return nil
        }
        try file.lock()
        var record = try readUnclaimed(file, path)
        let before = record.text
        body(&record)
        if record.text != before { try save(record, to: file, before: before) }
        return PaymentRecord(record)
    }

    private func find(_ hash: PaymentHash) -> String? {
        let root = "\(directory.path)/payments"
        return StateDirectory.names(in: root).filter { $0 != "tmp" }
            .map { "\(root)/\($0)/\(hash.hex)" }
            .first { access($0, F_OK) == 0 }
    }

    private func readUnclaimed(_ file: borrowing Descriptor, _ path: String)
        throws(StateError) -> PaymentFile
    {
        guard let record = PaymentFile(try file.read(at: 0, count: PaymentFile.limitBytes)),
            path.hasSuffix(
                "/\(CalendarText.date(record.terms.validUntil))/\(record.paymentHash.hex)"
            )
        else { throw StateError("\(path): is damaged; nothing is served for it") }
        return record
    }
}
