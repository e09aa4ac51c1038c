import L402
import Store
import Synchronization
import Text

/// The books in the flat files of a state directory.
package struct FlatBooks: Sendable {
    /// What the gate asks.
    package let books: Books
    /// What is asked and done beside it.
    package let backOffice: BackOffice
    /// What processes share about invoices that people look at.
    package let waiting: any WaitingRoom

    /// - Parameters:
    ///   - isOneShot: See ``TSVJournal/init(_:isOneShot:report:)``.
    ///   - report: Gets, at most once a minute, why the journal cannot be written.
    package init(
        _ directory: StateDirectory,
        isOneShot: Bool = true,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let payments = Payments(directory)
        let free = FreeTier(directory)
        let pending = PendingPlaces(directory)
        let journal = TSVJournal(directory, isOneShot: isOneShot, report: report)
        books = Books(
            ledger: payments,
            free: free,
            pending: pending,
            journal: journal,
            keys: KeysWhenAsked(directory: directory)
        )
        waiting = WaitingFiles(directory)
        backOffice = BackOffice(
            records: payments,
            history: JournalReader(directory),
            housekeeping: FlatHousekeeping(
                payments: payments,
                free: free,
                pending: pending,
                journal: journal
            )
        )
    }
}

/// The key file, opened and made where there is none when keys are first asked for: a command that
/// only reads the journal makes no keys.
private final class KeysWhenAsked: KeyRing {
    private let directory: StateDirectory
    private let file = Mutex<KeyFile?>(nil)

    init(directory: StateDirectory) { self.directory = directory }

    func keys() throws(StateError) -> [MasterKey] { try opened().keys() }

    func rotate(now: UInt64) throws(StateError) -> String { try opened().rotate(now: now) }

    private func opened() throws(StateError) -> KeyFile {
        try file.withLock { (file) throws(StateError) in
            if let file { return file }
            let fresh = try KeyFile(directory)
            file = fresh
            return fresh
        }
    }
}

/// What of the flat files goes when it is over.
private struct FlatHousekeeping: Housekeeping {
    let payments: Payments
    let free: FreeTier
    let pending: PendingPlaces
    let journal: TSVJournal

    func sweepPayments(now: UInt64, secondClock: UInt64?, maximum: Int) throws(StateError) -> Int {
        try payments.sweep(now: now, secondClock: secondClock, maximum: maximum)
    }

    func sweepWindows(now: UInt64, secondClock: UInt64?) {
        free.sweep(now: now, secondClock: secondClock)
        pending.sweep(now: now, secondClock: secondClock)
    }

    func sweepJournal(now: UInt64, secondClock: UInt64?, bounds: JournalBounds)
        throws(StateError)
    {
        journal.flush(now: now)
        try journal.sweep(now: now, secondClock: secondClock, bounds: bounds)
    }

    func close(now: UInt64) { journal.flush(now: now, isLast: true) }

    func freeFill(now: UInt64) -> [(period: FreePeriod, ratio: Double)] { free.fill(now: now) }

    func pendingFill(now: UInt64) -> Double { pending.fill(now: now) }
}
