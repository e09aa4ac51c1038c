import Glibc
import POSIX
import Store

/// `journal/minute`: the counts of the present minute, shared by processes that answer one request
/// each. Whoever finds that the minute is over writes its lines.
struct SharedMinute: Sendable {
    static let fileName = "minute"
    /// Counts are not worth more time of a client.
    private static let lockMilliseconds: UInt64 = 500

    let directory: StateDirectory

    /// Counts one event; the counts of an earlier minute, for whoever asks to write down.
    func add(_ event: JournalEvent) throws(StateError) -> MinuteCounts? {
        try change(minute: event.time / 60, makes: true) { $0.add(event) }
    }

    /// The counts of a minute that is over; `nil` when there are none.
    func finished(now: UInt64) throws(StateError) -> MinuteCounts? {
        try change(minute: now / 60, makes: false) { _ in }
    }

    private func change(minute: UInt64, makes: Bool, _ body: (inout MinuteCounts) -> Void)
        throws(StateError) -> MinuteCounts?
    {
        let path = "\(directory.path)/journal/\(Self.fileName)"
        if !makes, unsafe access(path, F_OK) != 0 { return nil }
        let file = try Descriptor(path, O_RDWR | O_CREAT)
        try file.lock(milliseconds: Self.lockMilliseconds)
        let bytes = try file.read(at: 0, count: MinuteCounts.limitBytes)
        if bytes.isEmpty { try directory.handOver(file) }
        let found = MinuteCounts(bytes)
        var present = MinuteCounts(minute: minute)
        var finished: MinuteCounts?
        if let found {
            if found.minute == minute { present = found } else { finished = found }
        }
        if !makes && finished == nil { return nil }
        body(&present)
        let text = present.text
        try file.write(text, at: 0)
        if text.count < bytes.count { try file.truncate(to: text.count) }
        return finished
    }
}
