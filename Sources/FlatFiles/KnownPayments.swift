import Lightning
import POSIX
import Store
import Synchronization

/// The files of unlimited payments that were served lately, kept open: whoever comes with one of
/// them costs one read instead of a look for the file, opening, reading and closing it.
///
/// The head of its text is read for each request and compared, so that a revoked payment is refused
/// at once.
/// Whether the file is still the one of its name is looked at once a second.
final class KnownPayments: Sendable {
    /// Descriptors that are kept; a newcomer takes the place of another one.
    private static let maximumOpen = 256

    private let files = Mutex([KnownPayment?](repeating: nil, count: maximumOpen))

    /// The file of a payment; `nil` when it is not open.
    func file(of hash: PaymentHash) -> KnownPayment? {
        let known = files.withLock { $0[Self.place(hash)] }
        return known?.record.paymentHash == hash ? known : nil
    }

    /// Keeps a file that was just read.
    func keep(_ known: KnownPayment) {
        files.withLock { $0[Self.place(known.record.paymentHash)] = known }
    }

    /// Closes a file that no longer says what it did.
    func drop(_ hash: PaymentHash) { files.withLock { $0[Self.place(hash)] = nil } }

    private static func place(_ hash: PaymentHash) -> Int {
        // Nobody can choose a payment hash that a wallet makes.
        hash.bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) } % maximumOpen
    }
}

/// The open file of one unlimited payment.
final class KnownPayment: Sendable {
    let record: PaymentFile
    private let path: String
    private let file: Descriptor
    private let identity: FileIdentity
    private let lookedAt: Atomic<UInt64>

    init(_ record: PaymentFile, path: String, file: consuming Descriptor, now: UInt64)
        throws(StateError)
    {
        self.record = record
        self.path = path
        identity = try file.identity
        self.file = file
        lookedAt = Atomic(now)
    }

    /// Whether the file is as it was.
    func isUnchanged(now: UInt64) throws(StateError) -> Bool {
        if lookedAt.load(ordering: .relaxed) != now {
            guard identity.isStill(at: path) else { return false }
            lookedAt.store(now, ordering: .relaxed)
        }
        let head = record.head
        return try file.read(at: 0, count: head.count).elementsEqual(head)
    }
}
