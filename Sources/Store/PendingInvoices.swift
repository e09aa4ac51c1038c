/// Bounds the unpaid invoices one client may hold.
package protocol PendingInvoices: Sendable {
    /// Reserves a place before an invoice is made that will expire at `expiresAt`.
    ///
    /// - Parameters:
    ///   - limit: Places that there are for one client.
    ///   - below: How many of them it may hold at most, less one, for one more.
    func reserve(client: [UInt8], limit: Int, below: Int, expiresAt: UInt64, now: UInt64)
        throws(StateError) -> PendingOutcome

    /// Frees a place: the invoice was paid, or was never made.
    func release(_ place: PendingPlace) throws(StateError)

    /// Frees all places that this client holds: it has paid, and what it threw away on the way is no
    /// reason to lock it out.
    func releaseAll(client: [UInt8], now: UInt64) throws(StateError)
}

/// A place taken by an unpaid invoice, as text that may be kept in the wallet's `extra` and
/// says nothing of the client to anyone without the day's key.
package struct PendingPlace: Hashable, Sendable {
    /// Opaque text of `[0-9a-zA-Z.:-]`, at most 80 bytes; a point stands between places.
    package let text: String

    /// A place as ``PendingInvoices`` wrote it; any other text is a place that does not exist.
    package init(text: String) {
        self.text = text
    }

    /// Both places as one.
    package func and(_ other: PendingPlace) -> PendingPlace {
        PendingPlace(text: text + "." + other.text)
    }

    /// The places it was made of.
    package var all: [PendingPlace] {
        text.split(separator: ".").map { PendingPlace(text: String($0)) }
    }
}

/// Whether a client may have one more unpaid invoice.
package enum PendingOutcome: Equatable, Sendable {
    /// It may, and this is its place.
    case reserved(PendingPlace)
    /// It holds `limit` of them; the first expires in so many seconds.
    case full(retryAfterSeconds: UInt64)
}

extension PendingInvoices {
    /// Reserves a place while any is free.
    package func reserve(client: [UInt8], limit: Int, expiresAt: UInt64, now: UInt64)
        throws(StateError) -> PendingOutcome
    {
        try reserve(client: client, limit: limit, below: limit, expiresAt: expiresAt, now: now)
    }
}
