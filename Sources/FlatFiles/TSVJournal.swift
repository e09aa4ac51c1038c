import Glibc
import Lightning
import Paywall
import Synchronization

/// What happened, one line per event: `journal/YYYY-MM-DD.tsv`.
///
/// Each line is one `write` to a file opened for appending, so that lines of different processes
/// never mix. It is never read to decide, and losing it loses no money: failing to write is
/// reported and forgotten.
public final class TSVJournal: Journal {
    /// The fields of a line, which are also its file's first line.
    public static let columns = [
        "time", "event", "service", "tier", "payment_hash", "amount_msat", "uses_left", "code",
        "method", "path",
    ]
    static let maximumLineBytes = 4096

    private struct Open: ~Copyable {
        var day: String
        var file: Descriptor
    }

    private struct Second {
        let seconds: UInt64
        let day: String
        let text: [UInt8]
    }

    private let directory: StateDirectory
    private let report: @Sendable (String) -> Void
    private let open = Mutex<Open?>(nil)
    private let reportedAt = Mutex<UInt64>(0)
    private let lastSecond = Mutex(Second(seconds: .max, day: "", text: []))

    /// The journal of a state directory; `report` gets, at most once a minute, why it failed.
    public init(_ directory: StateDirectory, report: @escaping @Sendable (String) -> Void) {
        self.directory = directory
        self.report = report
    }

    /// Appends one event.
    public func record(_ event: JournalEvent) {
        let second = second(event.time)
        let line = Self.line(event, time: second.text)
        let failure: StateError? = open.withLock { open in
            do throws(StateError) {
                if open?.day != second.day {
                    open = Open(day: second.day, file: try openFile(second.day))
                }
                try open?.file.append(line)
                return nil
            } catch {
                open = nil
                return error
            }
        }
        guard let failure else { return }
        let isNew = reportedAt.withLock { last in
            guard event.time >= last &+ 60 || event.time < last || last == 0 else { return false }
            last = event.time
            return true
        }
        if isNew { report(failure.reason) }
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

    private func openFile(_ day: String) throws(StateError) -> Descriptor {
        let path = "\(directory.path)/journal/\(day).tsv"
        let head = Self.columns.joined(separator: "\t") + "\n"
        if access(path, F_OK) != 0 { try directory.create(path, Array(head.utf8)) }
        let file = try Descriptor(path, O_RDWR | O_APPEND)
        // A full disk can leave half a line, which must not swallow the next one.
        let size = try file.size
        if size > 0, try file.read(at: size - 1, count: 1) != [0x0a] { try file.append([0x0a]) }
        return file
    }

    /// - Parameter time: ``CalendarText/time(_:)`` of the event.
    private static func line(_ event: JournalEvent, time: [UInt8]) -> [UInt8] {
        let tab: UInt8 = 0x09
        var line: [UInt8] = []
        line.reserveCapacity(384)
        line += time
        line.append(tab)
        append(event.kind.rawValue, to: &line)
        line.append(tab)
        append(event.service, to: &line)
        line.append(tab)
        append(String(event.tier), to: &line)
        line.append(tab)
        if let hash = event.paymentHash { line += Hex.encodeASCII(hash.bytes) }
        line.append(tab)
        append(String(event.amount.msat), to: &line)
        line.append(tab)
        if let left = event.usesLeft { append(String(left), to: &line) }
        line.append(tab)
        append(event.code, to: &line)
        line.append(tab)
        append(event.method, to: &line)
        line.append(tab)
        append(event.path, to: &line)
        if line.count >= maximumLineBytes { line.removeLast(line.count - maximumLineBytes + 1) }
        line.append(0x0a)
        return line
    }

    /// Control bytes and backslashes as `\xHH`, so that a path can be no other line or field.
    private static func append(_ text: String, to line: inout [UInt8]) {
        let start = line.count
        line.append(contentsOf: text.utf8)
        let isPlain = line[start...].allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != 0x5c }
        if isPlain { return }
        let raw = line[start...]
        line.removeLast(raw.count)
        for byte in raw {
            if byte < 0x20 || byte == 0x7f || byte == 0x5c {
                line += "\\x".utf8
                line += Hex.encodeASCII([byte])
            } else {
                line.append(byte)
            }
        }
    }
}
