import Glibc
import POSIX
import Store
import Synchronization
import Text

/// What happened: `journal/YYYY-MM-DD.tsv`, and `DATE.2.tsv` where that day's file has the columns
/// of another release.
///
/// A line for each event about money and each use of a counted purchase; what anybody can cause
/// without end is one line a minute for each service and code (``MinuteCounts``), written when the
/// minute is over. Each line is one `write` to a file opened for appending, so that lines of
/// different processes never mix. It is never read to decide, and losing it loses no money: failing
/// to write is reported and forgotten.
package final class TSVJournal: Journal {
    private struct Open: ~Copyable {
        var day: String
        var file: Descriptor
        var path: String
        var identity: FileIdentity
        /// The second in which it was last found to be the file of its name.
        var lookedAt: UInt64
    }

    private struct Second {
        let seconds: UInt64
        let day: String
        let text: [UInt8]
    }

    let directory: StateDirectory
    private let shared: SharedMinute?
    private let report: @Sendable (String) -> Void
    private let open = Mutex<Open?>(nil)
    private let counts = Mutex<MinuteCounts?>(nil)
    private let reportedAt = Mutex<UInt64>(0)
    private let lastSecond = Mutex(Second(seconds: .max, day: "", text: []))
    /// More files than a day ever has.
    private static let maximumFiles = 99

    /// The journal of a state directory.
    ///
    /// - Parameters:
    ///   - isOneShot: Whether this process answers one request and ends (CGI): it counts in a file
    ///     that it shares with its successors.
    ///   - report: Gets, at most once a minute, why writing failed.
    package init(
        _ directory: StateDirectory,
        isOneShot: Bool = false,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.directory = directory
        shared = isOneShot ? SharedMinute(directory: directory) : nil
        self.report = report
    }

    /// Appends one event, or counts it.
    package func record(_ event: JournalEvent) {
        do throws(StateError) {
            if !MinuteCounts.takes(event) {
                try write(finished(minute: event.time / 60))
                try append(event, count: 1)
            } else if let shared {
                try write(shared.add(event))
            } else {
                try write(counted(event))
            }
        } catch {
            tell(error, now: event.time)
        }
    }

    /// Writes the lines of minutes that are over.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970.
    ///   - isLast: Whether this process ends: then the present minute's too.
    package func flush(now: UInt64, isLast: Bool = false) {
        do throws(StateError) {
            try write(finished(minute: isLast ? nil : now / 60))
            let shared = shared ?? SharedMinute(directory: directory)
            try write(shared.finished(now: now))
        } catch {
            tell(error, now: now)
        }
    }

    /// Counts an event; what is to be written of an earlier minute.
    private func counted(_ event: JournalEvent) -> MinuteCounts? {
        let minute = event.time / 60
        return counts.withLock { counts in
            var over: MinuteCounts?
            if counts?.minute != minute {
                over = counts
                counts = MinuteCounts(minute: minute)
            }
            counts?.add(event)
            return over
        }
    }

    /// What is to be written, unless it is of this minute; `nil` for any.
    private func finished(minute: UInt64?) -> MinuteCounts? {
        counts.withLock { counts in
            guard let over = counts, over.minute != minute else { return nil }
            counts = nil
            return over
        }
    }

    private func write(_ counts: MinuteCounts?) throws(StateError) {
        guard let counts else { return }
        for (event, count) in counts.events { try append(event, count: count) }
    }

    private func append(_ event: JournalEvent, count: UInt64) throws(StateError) {
        let second = second(event.time)
        let line = JournalFormat.line(event, time: second.text, count: count)
        let failure: StateError? = open.withLock { open in
            do throws(StateError) {
                try prepare(&open, second)
                try open?.file.append(line)
                return nil
            } catch {
                open = nil
                return error
            }
        }
        if let failure { throw failure }
    }

    /// The day's file, unless it is open and still the one of its name: a sweep may have moved it.
    private func prepare(_ open: inout Open?, _ second: Second) throws(StateError) {
        if let day = open?.day, day == second.day {
            if open?.lookedAt == second.seconds { return }
            if let path = open?.path, open?.identity.isStill(at: path) == true {
                open?.lookedAt = second.seconds
                return
            }
        }
        open = nil
        open = try openFile(second)
    }

    private func openFile(_ second: Second) throws(StateError) -> Open {
        for number in 1...Self.maximumFiles {
            let name = JournalFormat.File(day: second.day, number: number).name
            let path = "\(directory.path)/journal/\(name)"
            if unsafe access(path, F_OK) != 0 { try directory.create(path, JournalFormat.head) }
            let file = try Descriptor(path, O_RDWR | O_APPEND)
            let head = try file.read(at: 0, count: JournalFormat.head.count)
            if head != JournalFormat.head { continue }
            // A full disk can leave half a line, which must not swallow the next one.
            let size = try file.size
            if size > 0, try file.read(at: size - 1, count: 1) != [0x0a] {
                try file.append([0x0a])
            }
            let identity = try file.identity
            return Open(
                day: second.day,
                file: file,
                path: path,
                identity: identity,
                lookedAt: second.seconds
            )
        }
        throw StateError("\(directory.path)/journal: there are too many files of \(second.day)")
    }

    /// The texts of a moment, written once for all its events.
    private func second(_ seconds: UInt64) -> Second {
        lastSecond.withLock { last in
            if last.seconds != seconds {
                last = Second(
                    seconds: seconds,
                    day: CalendarText.date(seconds),
                    text: Array(CalendarText.time(seconds).utf8)
                )
            }
            return last
        }
    }

    private func tell(_ failure: StateError, now: UInt64) {
        let isNew = reportedAt.withLock { last in
            guard now >= last &+ 60 || now < last || last == 0 else { return false }
            last = now
            return true
        }
        if isNew { report(failure.reason) }
    }
}
