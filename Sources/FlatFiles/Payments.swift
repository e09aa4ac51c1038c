import Glibc
import L402
import Lightning
import Paywall
import Synchronization

/// Uses of payments, one file for each redeemed payment:
/// `payments/<date on which it expires>/<payment hash>`.
///
/// The path follows from the claim alone, so finding a file costs the same however many there are.
/// A file appears whole, by `link`, or not at all; whoever comes second finds it and takes the next
/// use. Every change happens under `flock` on the file and is on disk before it is reported.
public final class Payments: PaymentLedger {
    let directory: StateDirectory
    /// Days that were made and synchronised by this process.
    private let knownDays = Mutex<Set<String>>([])
    private let known = KnownPayments()
    let sweptBefore = Mutex<SweptBefore>(SweptBefore())

    /// The payments of a state directory.
    public init(_ directory: StateDirectory) {
        self.directory = directory
    }

    /// Takes one use of a payment on record.
    public func take(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        if claim.terms.uses == nil { return try takeUnlimited(claim, now: now) }
        guard try !isOver(claim, now: now) else { return .expired }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDWR) else { return .unknown }
        try file.lock()
        var record = try read(file, path, claim)
        if record.isRevoked { return .revoked }
        guard let uses = record.uses, record.used < min(uses, claim.cap ?? uses) else {
            return .spent
        }
        let before = record.text
        record.take(requestID: claim.requestID)
        try save(record, to: file, before: before)
        return .taken(usesLeft: uses - record.used)
    }

    /// What a take would say; takes nothing.
    public func look(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        if claim.terms.uses == nil { return try takeUnlimited(claim, now: now) }
        guard try !isOver(claim, now: now) else { return .expired }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else { return .unknown }
        let record = try read(file, path, claim)
        if record.isRevoked { return .revoked }
        guard let uses = record.uses, record.used < min(uses, claim.cap ?? uses) else {
            return .spent
        }
        return .taken(usesLeft: uses - record.used - 1)
    }

    private func takeUnlimited(_ claim: PaymentClaim, now: UInt64) throws(StateError)
        -> TakeOutcome
    {
        if let open = known.file(of: claim.paymentHash) {
            let isUnchanged = try open.isUnchanged(now: now) { () throws(StateError) in
                try !isOver(claim, now: now)
            }
            if isUnchanged, claim.terms.validUntil > now {
                try check(open.record, says: claim, "the file of payment \(claim.paymentHash.hex)")
                return .taken(usesLeft: nil)
            }
            known.drop(claim.paymentHash)
        }
        guard try !isOver(claim, now: now) else { return .expired }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else { return .unknown }
        let record = try read(file, path, claim)
        if record.isRevoked { return .revoked }
        known.keep(try KnownPayment(record, path: path, file: file, now: now))
        return .taken(usesLeft: nil)
    }

    /// Puts a confirmed payment on record and takes its first use.
    public func open(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        guard try !isOver(claim, now: now) else { return .expired }
        if claim.terms.uses == 0 || claim.cap == 0 { return .spent }
        let text = PaymentFile.text(opening: claim, now: now)
        // Nothing is put on record that could not be read back.
        guard PaymentFile(text) != nil, text.count <= PaymentFile.limitBytes else {
            throw StateError(
                "payment \(claim.paymentHash.hex): its service \"\(claim.terms.service)\" does not fit in a file"
            )
        }
        try makeDay(of: claim)
        guard try directory.create(path(of: claim), text) else {
            return try take(claim, now: now)
        }
        return .taken(usesLeft: claim.terms.uses.map { $0 - 1 })
    }

    /// Returns the use that the claim's request took.
    public func giveBack(_ claim: PaymentClaim, _ cause: ReturnCause, now: UInt64)
        throws(StateError) -> Bool
    {
        guard claim.terms.uses != nil else { return false }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDWR) else { return false }
        try file.lock()
        var record = try read(file, path, claim)
        let before = record.text
        guard record.giveBack(requestID: claim.requestID) else { return false }
        try save(record, to: file, before: before)
        return true
    }

    /// Writes a change and waits until it is on disk. When that fails the caller serves nothing, so
    /// that what was there before is put back: a use that was not served is not lost.
    func save(_ record: PaymentFile, to file: borrowing Descriptor, before: [UInt8])
        throws(StateError)
    {
        do throws(StateError) {
            try file.write(record.text, at: 0)
            try file.synchronize()
        } catch {
            try? file.write(before, at: 0)
            throw error
        }
    }

    /// Over by the clock, or by the record of what was swept: when the clock steps back, payments
    /// whose files are gone stay gone.
    private func isOver(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> Bool {
        if claim.terms.validUntil <= now { return true }
        return try claim.terms.validUntil < expiredBefore()
    }

    private func read(_ file: borrowing Descriptor, _ path: String, _ claim: PaymentClaim)
        throws(StateError)
        -> PaymentFile
    {
        let bytes = try file.read(at: 0, count: PaymentFile.limitBytes)
        guard let record = PaymentFile(bytes) else {
            throw StateError("\(path): is damaged; nothing is served for it (l402 state check)")
        }
        try check(record, says: claim, path)
        return record
    }

    private func check(
        _ record: PaymentFile,
        says claim: PaymentClaim,
        _ path: @autoclosure () -> String
    )
        throws(StateError)
    {
        guard record.paymentHash == claim.paymentHash, record.service == claim.terms.service,
            record.uses == claim.terms.uses, record.validUntil == claim.terms.validUntil
        else {
            throw StateError(
                "\(path()): does not say what its token says; nothing is served for it"
            )
        }
    }

    private func path(of claim: PaymentClaim) -> String {
        "\(directory.path)/payments/\(CalendarText.date(claim.terms.validUntil))/\(claim.paymentHash.hex)"
    }

    private func makeDay(of claim: PaymentClaim) throws(StateError) {
        let day = CalendarText.date(claim.terms.validUntil)
        if knownDays.withLock({ $0.contains(day) }),
            access("\(directory.path)/payments/\(day)", F_OK) == 0
        {
            return
        }
        if try !directory.makeDirectory("\(directory.path)/payments/\(day)") {
            // Another process made it, and may not have come to making it durable yet.
            try StateDirectory.synchronizeDirectory("\(directory.path)/payments")
        }
        knownDays.withLock { _ = $0.insert(day) }
    }
}
