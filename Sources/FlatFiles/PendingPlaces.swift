import Store
import Text

/// Places for unpaid invoices: tables `pending/YYYY-MM-DD`, slots keyed by client and a number
/// below the limit, each holding when its invoice expires, in seconds after that day's beginning.
///
/// A place is free when that time is past, so nothing has to be removed, and a client's places are
/// used again and again. Places of the days before count too while they live.
package final class PendingPlaces: PendingInvoices {
    private static let maximumClients = 1 << 22
    /// The longest invoice, a week, and a day.
    private static let daysKept: UInt64 = 8

    /// More places than one client is ever let hold.
    private static let maximumReleased = 1 << 16

    private let tables: TableSet

    package init(_ directory: StateDirectory) {
        tables = TableSet(
            directory,
            room: "pending",
            meaning: "seconds into the day when an unpaid invoice expires,",
            maximumSlots: Self.maximumClients
        )
    }

    /// Reserves a place when the client holds fewer than `below` of its `limit`.
    package func reserve(
        client: [UInt8],
        limit: Int,
        below: Int,
        expiresAt: UInt64,
        now: UInt64
    ) throws(StateError) -> PendingOutcome {
        let limit = max(0, limit)
        var held = 0
        var firstExpiry = UInt64.max
        let lookBack = min(Self.daysKept, 1 + (expiresAt - min(now, expiresAt)) / 86_400)
        for days in stride(from: lookBack, to: 0, by: -1) where now >= days * 86_400 {
            let day = now - days * 86_400
            guard let table = try tables.existing(CalendarText.date(day)) else { continue }
            try table.exclusively { (access) throws(StateError) in
                let base = table.hash(client)
                for number in 0..<limit {
                    let slot = Self.slot(base, number)
                    let expiry = try Self.expiry(&access, slot, day: day)
                    guard expiry > now else { continue }
                    held += 1
                    firstExpiry = min(firstExpiry, expiry)
                }
            }
        }
        let date = CalendarText.date(now)
        let table = try tables.table(date)
        return try table.exclusively { (access) throws(StateError) in
            let base = table.hash(client)
            var free: UInt64?
            for number in 0..<limit {
                let slot = Self.slot(base, number)
                let expiry = try Self.expiry(&access, slot, day: now)
                if expiry > now {
                    held += 1
                    firstExpiry = min(firstExpiry, expiry)
                } else {
                    free = free ?? slot
                }
            }
            guard held < min(limit, below), let slot = free else {
                if held == 0 { firstExpiry = expiresAt }
                return .full(retryAfterSeconds: max(1, firstExpiry - min(now, firstExpiry)))
            }
            try access.set(
                slot,
                to: UInt32(clamping: expiresAt - min(expiresAt, Self.midnight(now)))
            )
            return .reserved(PendingPlace(text: "\(date):\(String(slot, radix: 16))"))
        }
    }

    /// Frees a place.
    package func release(_ place: PendingPlace) throws(StateError) {
        for one in place.all { try releaseOne(one) }
    }

    /// Frees all places that a client holds.
    package func releaseAll(client: [UInt8], now: UInt64) throws(StateError) {
        for days in 0...Self.daysKept where now >= days * 86_400 {
            guard let table = try tables.existing(CalendarText.date(now - days * 86_400)) else {
                continue
            }
            try table.exclusively { (access) throws(StateError) in
                let base = table.hash(client)
                for number in 0..<Self.maximumReleased {
                    let slot = Self.slot(base, number)
                    // Places are taken from the lowest number on.
                    guard let held = try access.value(slot) else { break }
                    if held > 0 { try access.set(slot, to: 0) }
                }
            }
        }
    }

    private func releaseOne(_ place: PendingPlace) throws(StateError) {
        let parts = place.text.split(separator: ":")
        guard parts.count == 2, let slot = UInt64(parts[1], radix: 16), parts[0].utf8.count == 10,
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d }),
            let table = try tables.existing(String(parts[0]))
        else { return }
        try table.exclusively { (access) throws(StateError) in
            if try access.value(slot) != nil { try access.set(slot, to: 0) }
        }
    }

    /// How full today's table is; at 1 newcomers get no invoice.
    package func fill(now: UInt64) -> Double {
        let table = try? tables.existing(CalendarText.date(now))
        // Beyond what a table is meant for there is as much room again.
        return ((try? table?.fill()) ?? 0) / 2
    }

    /// Drops the files of days whose last invoice has expired.
    ///
    /// - Parameter secondClock: See ``Payments/sweep(now:secondClock:maximum:)``.
    package func sweep(now: UInt64, secondClock: UInt64?) {
        guard Clocks.agree(now, secondClock) else { return }
        let oldest = CalendarText.date(now - min(now, Self.daysKept * 86_400))
        tables.remove { $0 < oldest }
    }

    /// The slot of a client's place of this number. Eight of them share a page, so that a client's
    /// places are found with a read or two; not all, or nothing could split a page that is full.
    private static func slot(_ client: UInt64, _ number: Int) -> UInt64 {
        let (page, place) = UInt64(number).quotientAndRemainder(dividingBy: 8)
        // The lower half of a hash says which page it belongs to.
        return (client &+ page &* 0x9e37_79b9_7f4a_7c15) ^ place << 60
    }

    private static func expiry(
        _ access: inout HashedTable.Access,
        _ slot: UInt64,
        day: UInt64
    ) throws(StateError) -> UInt64 {
        try access.value(slot).map { midnight(day) + UInt64($0) } ?? 0
    }

    private static func midnight(_ seconds: UInt64) -> UInt64 { seconds / 86_400 * 86_400 }
}
