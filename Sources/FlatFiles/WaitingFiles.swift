import Glibc
import Lightning
import POSIX
import Store
import Synchronization
import Text

/// What processes share about invoices that people look at: `waiting/invoices`, `waiting/turn` and
/// `waiting/rate`. None of them grows, and none of them is made durable: what is lost is asked for
/// again.
///
/// `invoices` is 4,096 pages of four places of 1,024 bytes; a payment hash says which page.
///
///     64  payment hash, hex
///     10  end of the invoice, seconds since 1970
///      1  1 when the wallet has said that it is paid, else 0
///     20  amount in msat
///      4  length of what follows
///     ≤n  the invoice
package final class WaitingFiles: WaitingRoom {
    private static let pages = 4096
    private static let placesOfPage = 4
    private static let placeBytes = 1024
    private static let headBytes = 64 + 10 + 1 + 20 + 4
    private static let longestInvoice = placeBytes - headBytes

    private let directory: StateDirectory
    private let turns: WaitingTurns
    private let invoices = AtomicLazyReference<Opened>()

    private final class Opened: Sendable {
        let file: Descriptor
        init(_ file: consuming Descriptor) { self.file = file }
    }

    /// The room of a state directory.
    package init(_ directory: StateDirectory) {
        self.directory = directory
        turns = WaitingTurns(directory)
    }

    // MARK: - Invoices

    package func keep(_ invoice: WaitingInvoice) {
        guard invoice.bolt11.utf8.count <= Self.longestInvoice, let file = try? open() else {
            return
        }
        let offset = Self.offset(of: invoice.paymentHash)
        let present = (try? places(file, offset)) ?? []
        // Its own place, else a free one, else the one that ends first.
        let index =
            present.firstIndex { $0?.paymentHash == invoice.paymentHash }
            ?? present.firstIndex { $0 == nil }
            ?? present.indices.min { (present[$0]?.expiresAt ?? 0) < (present[$1]?.expiresAt ?? 0) }
            ?? 0
        try? file.file.write(Self.encoded(invoice), at: offset + index * Self.placeBytes)
    }

    package func invoice(_ hash: PaymentHash) -> WaitingInvoice? {
        guard let file = try? open(), let present = try? places(file, Self.offset(of: hash)) else {
            return nil
        }
        return present.lazy.compactMap { $0 }.first { $0.paymentHash == hash }
    }

    private func markPaid(_ hash: PaymentHash) {
        guard let file = try? open() else { return }
        let offset = Self.offset(of: hash)
        guard let present = try? places(file, offset),
            let index = present.firstIndex(where: { $0?.paymentHash == hash && $0?.isPaid == false }
            )
        else { return }
        try? file.file.write([UInt8(ascii: "1")], at: offset + index * Self.placeBytes + 74)
    }

    private func places(_ file: Opened, _ offset: Int) throws(StateError) -> [WaitingInvoice?] {
        let bytes = try file.file.read(at: offset, count: Self.placesOfPage * Self.placeBytes)
        return (0..<Self.placesOfPage).map { place in
            Self.decoded(bytes.dropFirst(place * Self.placeBytes).prefix(Self.placeBytes))
        }
    }

    private static func encoded(_ invoice: WaitingInvoice) -> [UInt8] {
        let head =
            invoice.paymentHash.hex + Digits.padded(min(invoice.expiresAt, 9_999_999_999), 10)
            + (invoice.isPaid ? "1" : "0") + Digits.padded(invoice.amount.msat, 20)
            + Digits.padded(UInt64(invoice.bolt11.utf8.count), 4)
        return Array((head + invoice.bolt11).utf8)
    }

    /// `nil` for an empty place, and for one that was half written.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> WaitingInvoice? {
        func text(_ offset: Int, _ count: Int) -> String {
            String(foreign: bytes.dropFirst(offset).prefix(count))
        }
        guard bytes.count >= headBytes, bytes.first != 0, let hash = PaymentHash(hex: text(0, 64)),
            let end = UInt64(text(64, 10)), let amount = UInt64(text(75, 20)),
            let length = Int(text(95, 4)), (1...longestInvoice).contains(length)
        else { return nil }
        let invoice = text(headBytes, length)
        guard invoice.utf8.count == length, !invoice.utf8.contains(0) else { return nil }
        return WaitingInvoice(
            paymentHash: hash,
            bolt11: invoice,
            expiresAt: end,
            amount: Millisatoshis(msat: amount),
            isPaid: text(74, 1) == "1"
        )
    }

    private static func offset(of hash: PaymentHash) -> Int {
        // Nobody can choose a payment hash that a wallet makes.
        let number = hash.bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
        return number % pages * placesOfPage * placeBytes
    }

    private func open() throws(StateError) -> Opened {
        if let known = invoices.load() { return known }
        let file = try directory.openWaiting("invoices")
        return invoices.storeIfNil(Opened(file))
    }

    // MARK: - Turns

    package func turn(_ wallet: String, madeAt: UInt64?) throws(StateError) -> WaitingTurn {
        try turns.turn(wallet, madeAt: madeAt)
    }

    package func end(_ wallet: String, paid: [PaymentHash]?, since: UInt64?) {
        for hash in paid ?? [] { markPaid(hash) }
        turns.end(wallet, isAnswered: paid != nil, since: since)
    }

    package func rate(of currency: String, now: UInt64, ask: () -> Double?) -> Double? {
        turns.rate(of: currency, now: now, ask: ask)
    }
}

extension StateDirectory {
    /// A file of the room `waiting`, made where there is none.
    func openWaiting(_ name: String) throws(StateError) -> Descriptor {
        let file = try Descriptor("\(path)/waiting/\(name)", O_RDWR | O_CREAT)
        if try file.size == 0 { try handOver(file) }
        return file
    }
}
