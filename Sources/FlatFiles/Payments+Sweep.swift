import Glibc
import Paywall
import Synchronization

/// What this process knows of `payments/expired-before`.
struct SweptBefore: Sendable {
    fileprivate var seconds: UInt64 = 0
    fileprivate var modified: Int = -1
    fileprivate var inode: UInt = 0
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
        // Names of another form, as of the year 10000, are not ours to compare.
        let days = StateDirectory.names(in: root).filter { CalendarText.isDate($0) && $0 < limit }
        for day in days.sorted() {
            guard removed < maximum else { return removed }
            try markExpired(before: midnight)
            StateDirectory.eachName(in: "\(root)/\(day)") { name in
                unlink("\(root)/\(day)/\(name)")
                removed += 1
                return removed < maximum
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
        let inode = UInt(status.st_ino)
        let known: UInt64? = sweptBefore.withLock {
            $0.modified == modified && $0.inode == inode ? $0.seconds : nil
        }
        if let known { return known }
        guard let bytes = try directory.read("payments/expired-before", limit: 64),
            let seconds = Self.expiredBefore(bytes)
        else { throw StateError("\(path): is damaged; l402 state repair mends it") }
        sweptBefore.withLock {
            $0.seconds = seconds
            $0.modified = modified
            $0.inode = inode
        }
        return seconds
    }

    /// The seconds that the file begins with, when it is whole.
    static func expiredBefore(_ bytes: [UInt8]) -> UInt64? {
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count == 2, let seconds = UInt64(fields[0]),
            fields[1] == "\(CalendarText.date(seconds))\n"
        else { return nil }
        return seconds
    }

    /// Writes the file anew when it is damaged; `latest` is when that can have happened.
    func rewriteExpiredBefore(_ latest: UInt64) throws(StateError) {
        try writeExpired(before: (latest - min(latest, Self.graceSeconds)) / 86_400 * 86_400)
    }

    /// Never goes back: the directory's lock keeps a slower process from writing an earlier date
    /// over a later one.
    private func markExpired(before midnight: UInt64) throws(StateError) {
        if try expiredBefore() >= midnight { return }
        let room = try Descriptor("\(directory.path)/payments", O_RDONLY | O_DIRECTORY)
        try room.lock()
        defer { room.unlock() }
        if try expiredBefore() >= midnight { return }
        try writeExpired(before: midnight)
    }

    private func writeExpired(before midnight: UInt64) throws(StateError) {
        try directory.replace(
            "\(directory.path)/payments/expired-before",
            Array("\(midnight) \(CalendarText.date(midnight))\n".utf8)
        )
    }

    /// Left behind by a process that was killed between writing a file and naming it.
    private func removeStaleTemporaries(_ room: String, maximum: Int) -> Int {
        var removed = 0
        StateDirectory.eachName(in: room) { name in
            var status = stat()
            if lstat("\(room)/\(name)", &status) == 0, time(nil) - status.st_mtim.tv_sec > 3600 {
                unlink("\(room)/\(name)")
                removed += 1
            }
            return removed < maximum
        }
        return removed
    }
}
