import Glibc
import POSIX
import Store
import Synchronization
import Text

/// What this process knows of `payments/expired-before`.
struct KnownMark: Sendable {
    fileprivate var mark = SweepMark()
    fileprivate var version: FileVersion?
}

/// Removal of payments that have expired.
extension Payments {
    /// A day's files stay for this long after the last of their tokens has expired.
    private static let graceSeconds: UInt64 = 86_400

    /// Removes at most `maximum` files of days that are over; how many it removed.
    ///
    /// Only whole days go, a few entries at a time, in directories that no request looks into any
    /// more. Before the first of them goes, `payments/expired-before` says so for good, so that a
    /// clock stepping back revives no token without its record.
    ///
    /// - Parameter secondClock: Another clock's word for `now`, or `nil` when there is none. Unless
    ///   both agree (``Clocks``) nothing is removed or marked: what a clock that is ahead removes
    ///   would be lost for good.
    package func sweep(now: UInt64, secondClock: UInt64?, maximum: Int) throws(StateError) -> Int {
        guard Clocks.agree(now, secondClock) else { return 0 }
        let root = "\(directory.path)/payments"
        let midnight = Self.midnight(now)
        let limit = CalendarText.date(midnight)
        var removed = removeStaleTemporaries(root + "/tmp", maximum: maximum)
        // Names of another form, as of the year 10000, are not ours to compare.
        let days = Directory.names(in: root).filter { CalendarText.isDate($0) && $0 < limit }
        for day in days.sorted() {
            guard removed < maximum else { return removed }
            try markExpired(before: midnight, now: now)
            Directory.eachName(in: "\(root)/\(day)") { name in
                unsafe unlink("\(root)/\(day)/\(name)")
                removed += 1
                return removed < maximum
            }
            unsafe rmdir("\(root)/\(day)")
        }
        return removed
    }

    /// Whether a payment's file may have been there and removed: it is over then, whatever the
    /// clock says.
    func isSwept(_ claim: PaymentClaim) throws(StateError) -> Bool {
        try sweepMark().covers(claim.terms)
    }

    /// What was swept.
    func sweepMark() throws(StateError) -> SweepMark {
        let path = "\(directory.path)/payments/expired-before"
        guard let version = FileStatus(path, followingLinks: true)?.version else {
            if errno == ENOENT { return SweepMark() }
            throw .system(path, "stat")
        }
        let known: SweepMark? = lastMark.withLock { $0.version == version ? $0.mark : nil }
        if let known { return known }
        guard let bytes = try directory.read("payments/expired-before", limit: 256),
            let mark = SweepMark(bytes)
        else { throw StateError("\(path): is damaged; l402 state repair mends it") }
        lastMark.withLock {
            $0.mark = mark
            $0.version = version
        }
        return mark
    }

    /// Writes the mark anew when it is damaged; it was written at `latest`, or by a clock that said
    /// so.
    func rewriteMark(_ latest: UInt64, now: UInt64) throws(StateError) {
        var mark = SweepMark()
        mark.unsure = Self.midnight(latest)
        mark.doubtedAt = now
        mark.advance(to: Self.midnight(now), now: now)
        try write(mark)
    }

    /// The day before which all that expired goes.
    private static func midnight(_ now: UInt64) -> UInt64 {
        (now - min(now, graceSeconds)) / 86_400 * 86_400
    }

    /// Makes a mark that is ahead of the clock one that only stands for what can have been removed
    /// under it.
    func doubtMark(now: UInt64) throws(StateError) {
        try changeMark { $0.doubt(now: now) }
    }

    /// Never goes back.
    private func markExpired(before midnight: UInt64, now: UInt64) throws(StateError) {
        if try sweepMark().sure >= midnight { return }
        try changeMark { $0.advance(to: midnight, now: now) }
    }

    /// The directory's lock keeps a slower process from writing an earlier date over a later one.
    private func changeMark(_ change: (inout SweepMark) -> Void) throws(StateError) {
        let room = try Descriptor("\(directory.path)/payments", O_RDONLY | O_DIRECTORY)
        try room.lock()
        defer { room.unlock() }
        var mark = try sweepMark()
        let before = mark
        change(&mark)
        if mark != before { try write(mark) }
    }

    private func write(_ mark: SweepMark) throws(StateError) {
        try directory.replace("\(directory.path)/payments/expired-before", mark.text)
    }

    /// Left behind by a process that was killed between writing a file and naming it.
    private func removeStaleTemporaries(_ room: String, maximum: Int) -> Int {
        var removed = 0
        Directory.eachName(in: room) { name in
            if let written = FileStatus("\(room)/\(name)")?.writtenSeconds,
                written.addingReportingOverflow(3600).partialValue < Clock.now()
            {
                unsafe unlink("\(room)/\(name)")
                removed += 1
            }
            return removed < maximum
        }
        return removed
    }
}
