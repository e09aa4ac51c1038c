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

    private let directory: StateDirectory
    private let report: @Sendable (String) -> Void
    private let open = Mutex<Open?>(nil)
    private let reportedAt = Mutex<UInt64>(0)

    /// The journal of a state directory; `report` gets, at most once a minute, why it failed.
    public init(_ directory: StateDirectory, report: @escaping @Sendable (String) -> Void) {
        self.directory = directory
        self.report = report
    }

    /// Appends one event.
    public func record(_ event: JournalEvent) {
        let line = Self.line(event)
        let day = CalendarText.date(event.time)
        let failure: StateError? = open.withLock { open in
            do throws(StateError) {
                if open?.day != day { open = Open(day: day, file: try openFile(day)) }
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

    private static func line(_ event: JournalEvent) -> [UInt8] {
        let fields = [
            CalendarText.time(event.time), event.kind.rawValue, event.service, String(event.tier),
            event.paymentHash?.hex ?? "", String(event.amount.msat),
            event.usesLeft.map(String.init) ?? "", event.code, event.method, event.path,
        ]
        var line = Array(fields.map(escaped).joined(separator: "\t").utf8)
        if line.count >= maximumLineBytes { line.removeLast(line.count - maximumLineBytes + 1) }
        return line + [0x0a]
    }

    /// Control bytes and backslashes as `\xHH`, so that a path can be no other line or field.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0x5c }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7f || scalar == "\\" {
                let hex = String(scalar.value, radix: 16)
                result += "\\x" + (hex.count == 1 ? "0" : "") + hex
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
