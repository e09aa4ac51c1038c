import Glibc
import L402
import Lightning
import POSIX
import Store
import Text

extension PaymentRecord {
    fileprivate init(_ file: PaymentFile) {
        self.init(
            paymentHash: file.paymentHash,
            terms: file.terms,
            used: file.used,
            ends: file.ends,
            price: file.price,
            opened: file.opened,
            isRevoked: file.isRevoked
        )
    }
}

/// What the operator may ask and do. These look through the days, of which there are as many as
/// tokens live.
extension Payments: PaymentRecords {
    package func record(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        guard let path = find(hash), let file = try Descriptor.openIfPresent(path, O_RDONLY) else {
            return nil
        }
        return PaymentRecord(try readUnclaimed(file, path))
    }

    package func revoke(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        try change(hash) { $0.revoke() }
    }

    package func refund(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        try change(hash) { $0.refund() }
    }

    package func visitAll(_ body: (Result<PaymentRecord, StateError>) -> Void) {
        let root = "\(directory.path)/payments"
        for day in Directory.names(in: root) where CalendarText.isDate(day) {
            Directory.eachName(in: "\(root)/\(day)") { name in
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
        return Directory.names(in: root).filter { $0 != "tmp" }
            .map { "\(root)/\($0)/\(hash.hex)" }
            .first { unsafe access($0, F_OK) == 0 }
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
