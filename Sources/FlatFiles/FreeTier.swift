import Store
import Text

/// The free tier's counters: one ``HashedTable`` per window, `free/2026-11-21.day`,
/// `free/2026-11-21T14.hour`, `free/2026-11-21T1405.minute`.
///
/// **Too many clients.** A window counts about 15 million clients one by one (a file of 1 GiB). Beyond that a newcomer is
/// counted together with his network (IPv4 /16, IPv6 /32) while everybody already counted keeps his
/// own count. So an attacker with very many addresses can neither switch the tier off for everybody
/// (other networks still get their allowance, and those counted before theirs) nor reset his own
/// count (nothing is ever thrown out to make room).
///
/// **The clock.** Windows are UTC and named by date and time, so daylight saving does not exist and
/// a leap day is a day. Files of the two windows before the present one are kept: a clock that steps
/// back finds its counts again.
///
/// **The same request again.** `free/recent` remembers the requests that took one lately
/// (``RecentRequests``), so that each takes once and returns once.
package final class FreeTier: FreeCounter {
    /// About so many clients of one window are counted one by one: where the table has grown to
    /// 2^18 pages.
    package static let maximumClients = 1 << 24
    private static let windowsKept: UInt64 = 2

    private let tables: TableSet
    private let recent: RecentRequests

    /// The free tier of a state directory.
    package convenience init(_ directory: StateDirectory) {
        self.init(directory, maximumClients: Self.maximumClients)
    }

    init(_ directory: StateDirectory, maximumClients: Int) {
        recent = RecentRequests(directory)
        tables = TableSet(
            directory,
            room: "free",
            meaning: "free requests taken in the window",
            maximumSlots: maximumClients
        )
    }

    /// Takes one free request when there is one left.
    package func take(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome {
        let window = Self.window(claim.period, now)
        let table = try tables.table(window)
        let reset = claim.period.seconds - now % claim.period.seconds
        return try table.exclusively { (access) throws(StateError) in
            let (slot, count) = try Self.slot(of: claim, .taken, in: table, &access)
            let request = RecentRequests.Request(claim, window: window)
            if request.map(recent.isTaken) == true {
                let left = claim.limit - min(claim.limit, count)
                return FreeOutcome(isGranted: true, left: left, resetSeconds: reset)
            }
            guard count < claim.limit, count < HashedTable.maximumValue,
                try Self.failures(of: claim, in: table, &access)
                    < UInt32(ReturnCause.maximumFailures)
            else { return FreeOutcome(isGranted: false, left: 0, resetSeconds: reset) }
            try access.set(slot, to: count + 1)
            if let request { recent.setTaken(request) }
            return FreeOutcome(
                isGranted: true,
                left: claim.limit - count - 1,
                resetSeconds: reset
            )
        }
    }

    /// Returns the free request that this request took, when its window is still there.
    package func giveBack(_ claim: FreeClaim, _ cause: ReturnCause, takenAt: UInt64)
        throws(StateError) -> Bool
    {
        let window = Self.window(claim.period, takenAt)
        guard let request = RecentRequests.Request(claim, window: window),
            let table = try tables.existing(window)
        else { return false }
        return try table.exclusively { (access) throws(StateError) in
            guard recent.isTaken(request) else { return false }
            // Forgotten first: killed in between, the request has one free request less.
            guard recent.forget(request) else { return false }
            let (slot, count) = try Self.slot(of: claim, .taken, in: table, &access)
            guard count > 0 else { return false }
            try access.set(slot, to: count - 1)
            guard cause == .failure else { return true }
            try access.mark()
            let (failed, failures) = try Self.slot(of: claim, .failed, in: table, &access)
            if failures < HashedTable.maximumValue { try access.set(failed, to: failures + 1) }
            return true
        }
    }

    /// Drops the files of windows that are over.
    ///
    /// - Parameter secondClock: See ``Payments/sweep(now:secondClock:maximum:)``: a clock that is days
    ///   ahead must not give this day's allowances once more.
    package func sweep(now: UInt64, secondClock: UInt64?) {
        guard Clocks.agree(now, secondClock) else { return }
        let oldest = FreePeriod.allCases.map { period in
            (
                suffix: ".\(period.rawValue)",
                name: Self.window(period, now - min(now, period.seconds * Self.windowsKept))
            )
        }
        tables.remove { name in
            oldest.contains { name.hasSuffix($0.suffix) && name < $0.name }
        }
    }

    /// How full the present windows are; at 1 newcomers are counted by their network.
    package func fill(now: UInt64) -> [(period: FreePeriod, ratio: Double)] {
        FreePeriod.allCases.compactMap { period in
            let table = try? tables.existing(Self.window(period, now))
            return (try? table?.fill()).map { (period, $0) }
        }
    }

    /// What a slot counts, for a client and for all of his network that share.
    private enum Counted: UInt8 {
        case taken = 0
        case failed = 2
    }

    /// Returns for failed goods within the window; looked for only where there was one.
    private static func failures(
        of claim: FreeClaim,
        in table: HashedTable,
        _ access: inout HashedTable.Access
    ) throws(StateError) -> UInt32 {
        guard access.isMarked else { return 0 }
        return try slot(of: claim, .failed, in: table, &access).count
    }

    /// The client's own slot, or his network's when he is one too many; and what it counts.
    private static func slot(
        of claim: FreeClaim,
        _ counted: Counted,
        in table: HashedTable,
        _ access: inout HashedTable.Access
    )
        throws(StateError) -> (slot: UInt64, count: UInt32)
    {
        let own = table.hash(claim.rule + [counted.rawValue] + claim.client)
        if let count = try access.value(own) { return (own, count) }
        guard access.isFull else { return (own, 0) }
        let shared = table.hash(claim.rule + [counted.rawValue + 1] + claim.network)
        return (shared, try access.value(shared) ?? 0)
    }

    /// The file name of the window that holds a moment.
    static func window(_ period: FreePeriod, _ seconds: UInt64) -> String {
        let date = CalendarText.date(seconds)
        if period == .day { return date + ".day" }
        let hour = date + "T" + Digits.padded(seconds % 86_400 / 3600, 2)
        if period == .hour { return hour + ".hour" }
        return hour + Digits.padded(seconds % 3600 / 60, 2) + ".minute"
    }
}
