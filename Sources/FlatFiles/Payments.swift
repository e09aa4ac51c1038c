import Glibc
import L402
import Lightning
import POSIX
import Store
import Synchronization
import Text

/// Uses of payments, one file for each redeemed payment:
/// `payments/<date on which it expires>/<payment hash>`.
///
/// The path follows from the claim alone, so finding a file costs the same however many there are.
/// A file appears whole, by `link`, or not at all; whoever comes second finds it and takes the next
/// use. Every change happens under `flock` on the file and is on disk before it is reported, so that
/// a process that is killed before it answers has taken a use that the same request gets back.
package final class Payments: PaymentLedger {
    let directory: StateDirectory
    /// Days that were made and synchronised by this process.
    private let knownDays = Mutex<Set<String>>([])
    private let known = KnownPayments()
    let lastMark = Mutex<KnownMark>(KnownMark())

    package init(_ directory: StateDirectory) {
        self.directory = directory
    }

    /// Takes one use of a payment on record.
    package func take(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        if claim.terms.uses == nil { return try takeUnlimited(claim, now: now) }
        if claim.terms.validUntil <= now { return .expired }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDWR) else {
            return try absent(claim)
        }
        try file.lock()
        var record = try read(file, path, claim)
        let outcome = outcome(of: claim, record, now: now)
        let before = record.text
        switch outcome {
        case .taken:
            record.take(claim, now: now)
            try save(record, to: file, before: before)
        case .withinGrace:
            // Lost by a power cut, it is one repeat more: nothing that needs the disk's word.
            if let delivery = claim.delivery, record.repeatDelivery(delivery, now: now) {
                try file.write(record.text, at: 0)
            }
        case .spent:
            // The file's last change is its last use, or a repeat of that delivery.
            let changed = try file.status.writtenSeconds
            if changed <= now, now - changed <= Self.justNowSeconds { return .spentJustNow }
        default: break
        }
        return outcome
    }

    /// A use that was taken so many seconds ago may still come back: a web server that tells the gate
    /// after the answer does it within milliseconds.
    private static let justNowSeconds: UInt64 = 2

    /// What a take would say; takes nothing.
    package func look(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        if claim.terms.uses == nil { return try takeUnlimited(claim, now: now) }
        if claim.terms.validUntil <= now { return .expired }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else {
            return try absent(claim)
        }
        return outcome(of: claim, try read(file, path, claim), now: now)
    }

    /// What a payment on record was made for. Looks through the days, of which there are as many
    /// as tokens live.
    package func terms(of hash: PaymentHash) throws(StateError) -> PurchaseTerms? {
        try record(hash)?.terms
    }

    /// What a claim gets of a payment of counted uses, before anything is changed.
    private func outcome(of claim: PaymentClaim, _ record: PaymentFile, now: UInt64)
        -> TakeOutcome
    {
        if record.isRevoked { return .revoked }
        if record.ends <= now { return .expired }
        guard let uses = record.terms.uses else { return .taken(usesLeft: nil) }
        let left = uses - min(record.used, uses)
        if record.knows(claim.requestID) { return .repeated(usesLeft: left) }
        if let delivery = claim.delivery, record.covers(delivery, now: now) {
            return .withinGrace(usesLeft: left)
        }
        guard record.used < min(uses, claim.cap ?? uses) else { return .spent }
        if record.failures.areTooMany(now: now) { return .failing }
        return .taken(usesLeft: left - 1)
    }

    private func takeUnlimited(_ claim: PaymentClaim, now: UInt64) throws(StateError)
        -> TakeOutcome
    {
        if claim.terms.validUntil <= now { return .expired }
        if let open = known.file(of: claim.paymentHash) {
            if try open.isUnchanged(now: now) {
                try check(open.record, says: claim, "the file of payment \(claim.paymentHash.hex)")
                return outcome(of: claim, open.record, now: now)
            }
            known.drop(claim.paymentHash)
        }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else {
            return try absent(claim)
        }
        let record = try read(file, path, claim)
        let outcome = outcome(of: claim, record, now: now)
        if case .taken = outcome {
            known.keep(try KnownPayment(record, path: path, file: file, now: now))
        }
        return outcome
    }

    /// Puts a confirmed payment on record and takes its first use.
    package func open(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        let terms = claim.terms
        guard terms.validUntil > now, terms.end(openedAt: now) > now else { return .expired }
        if terms.uses == 0 || claim.cap == 0 { return .spent }
        // Its file is there where somebody was faster; else it may have been one that was removed.
        guard try !isSwept(claim) else { return try take(claim, now: now) }
        // Nothing is put on record that could not be read back.
        guard let record = PaymentFile.opening(claim, now: now), says(record, claim) else {
            throw StateError(
                "payment \(claim.paymentHash.hex): its service \"\(terms.service)\" does not fit in a file"
            )
        }
        try makeDay(of: claim)
        guard try directory.create(path(of: claim), record.text) else {
            return try take(claim, now: now)
        }
        return .taken(usesLeft: terms.uses.map { $0 - 1 })
    }

    /// Returns the use that the claim's request took.
    package func giveBack(_ claim: PaymentClaim, _ cause: ReturnCause, now: UInt64)
        throws(StateError) -> Bool
    {
        guard claim.terms.uses != nil else { return false }
        let path = path(of: claim)
        guard let file = try Descriptor.openIfPresent(path, O_RDWR) else { return false }
        try file.lock()
        var record = try read(file, path, claim)
        let before = record.text
        guard record.giveBack(requestID: claim.requestID, cause, now: now) else { return false }
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

    /// What there is to say of a payment without a file.
    private func absent(_ claim: PaymentClaim) throws(StateError) -> TakeOutcome {
        try isSwept(claim) ? .expired : .unknown
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
        guard says(record, claim) else {
            throw StateError(
                "\(path()): does not say what its token says; nothing is served for it"
            )
        }
    }

    private func says(_ record: PaymentFile, _ claim: PaymentClaim) -> Bool {
        record.terms.validUntil == claim.terms.validUntil
            && record.terms.validSeconds == claim.terms.validSeconds
            && record.terms.uses == claim.terms.uses && record.price == claim.price
            && record.terms.service == claim.terms.service && record.terms.site == claim.terms.site
            && record.terms.address == claim.terms.address
            && record.paymentHash == claim.paymentHash
    }

    private func path(of claim: PaymentClaim) -> String {
        "\(directory.path)/payments/\(CalendarText.date(claim.terms.validUntil))/\(claim.paymentHash.hex)"
    }

    private func makeDay(of claim: PaymentClaim) throws(StateError) {
        let day = CalendarText.date(claim.terms.validUntil)
        if knownDays.withLock({ $0.contains(day) }),
            unsafe access("\(directory.path)/payments/\(day)", F_OK) == 0
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
