import Glibc
import Paywall
import Synchronization

/// What this process knows of `payments/expired-before`.
struct SweptBefore: Sendable {
    fileprivate var seconds: UInt64 = 0
    fileprivate var modified: Int = -1
    fileprivate var lookedAt: Int = 0
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
    public func sweep(now: UInt64, maximum: Int) throws(StateError) -> Int {
        let root = "\(directory.path)/payments"
        let midnight = (now - min(now, Self.graceSeconds)) / 86_400 * 86_400
        let limit = CalendarText.date(midnight)
        var removed = removeStaleTemporaries(root + "/tmp", maximum: maximum)
        for day in StateDirectory.names(in: root).sorted() where day.first?.isNumber == true && day < limit {
            try markExpired(before: midnight)
            for name in StateDirectory.names(in: "\(root)/\(day)") {
                guard removed < maximum else { return removed }
                unlink("\(root)/\(day)/\(name)")
                removed += 1
            }
            rmdir("\(root)/\(day)")
        }
        return removed
    }

    /// Seconds since 1970 before which every payment counts as expired, whatever the clock says.
    func expiredBefore() throws(StateError) -> UInt64 {
        let path = "\(directory.path)/payments/expired-before"
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return 0 }
            throw .system(path, "stat")
        }
        let modified = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
        let known: UInt64? = sweptBefore.withLock { $0.modified == modified ? $0.seconds : nil }
        if let known { return known }
        guard let bytes = try directory.read("payments/expired-before", limit: 64),
            let seconds = UInt64(String(decoding: bytes.prefix { $0 != 0x20 }, as: UTF8.self))
        else { throw StateError("\(path): is damaged; write the seconds since 1970 of a past date into it") }
        sweptBefore.withLock {
            $0.seconds = seconds
            $0.modified = modified
        }
        return seconds
    }

    private func markExpired(before midnight: UInt64) throws(StateError) {
        guard try expiredBefore() < midnight else { return }
        try directory.replace(
            "\(directory.path)/payments/expired-before",
            Array("\(midnight) \(CalendarText.date(midnight))\n".utf8))
    }

    /// Left behind by a process that was killed between writing a file and naming it.
    private func removeStaleTemporaries(_ room: String, maximum: Int) -> Int {
        var removed = 0
        for name in StateDirectory.names(in: room) where removed < maximum {
            var status = stat()
            guard lstat("\(room)/\(name)", &status) == 0, time(nil) - status.st_mtim.tv_sec > 3600 else { continue }
            unlink("\(room)/\(name)")
            removed += 1
        }
        return removed
    }
}
