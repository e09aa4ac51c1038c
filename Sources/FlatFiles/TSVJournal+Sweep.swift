import Glibc
import POSIX
import Store
import Text

/// Keeping the journal bounded, in days and in size.
extension TSVJournal {
    /// A file that was written to within so many seconds may be open in some process.
    private static let idleSeconds: UInt64 = 120
    private static let chunkBytes = 1 << 16

    /// Drops days that are too old, and then, while the journal is too large, of the oldest days
    /// all lines but those about money received (`paid`, `settled`, `refunded`), which go with
    /// their day only. A file that is still written to is set aside first and made smaller at a
    /// later sweep.
    ///
    /// - Parameters:
    ///   - secondClock: See ``Payments/sweep(now:secondClock:maximum:)``.
    ///   - bounds: How much is kept.
    package func sweep(now: UInt64, secondClock: UInt64?, bounds: JournalBounds)
        throws(StateError)
    {
        let (bytes, isTooLarge) = bounds.megabytes.multipliedReportingOverflow(by: 1 << 20)
        try sweep(
            now: now,
            secondClock: secondClock,
            days: bounds.days,
            bytes: Int(clamping: isTooLarge ? .max : bytes)
        )
    }

    /// The same with the size in bytes.
    func sweep(now: UInt64, secondClock: UInt64?, days: UInt64, bytes: Int) throws(StateError) {
        guard Clocks.agree(now, secondClock) else { return }
        let room = "\(directory.path)/journal"
        let lock = try Descriptor(room, O_RDONLY | O_DIRECTORY)
        try lock.lock()
        let (span, isLong) = days.multipliedReportingOverflow(by: 86_400)
        let oldest = CalendarText.date(now - min(now, isLong ? now : span))
        let reader = JournalReader(directory)
        for file in reader.files() where file.day < oldest {
            unsafe unlink("\(room)/\(file.name)")
        }
        let files = reader.files()
        var total = files.reduce(0) { $0 + Self.size("\(room)/\($1.name)") }
        for file in files where total > bytes && !file.isMoneyOnly {
            let path = "\(room)/\(file.name)"
            let before = Self.size(path)
            if Self.isIdle(path) {
                try keepMoney(file, reader)
                total -= before - Self.size("\(room)/\(Self.moneyOnly(file).name)")
            } else if before > bytes / 4, let aside = Self.free(after: file, in: room) {
                // Its writers look once a second whether it still has its name.
                unsafe rename(path, "\(room)/\(aside.name)")
            }
        }
    }

    private static func moneyOnly(_ file: JournalFormat.File) -> JournalFormat.File {
        JournalFormat.File(day: file.day, number: file.number, isMoneyOnly: true)
    }

    /// Puts a smaller file in the place of one, and then gives it its new name: killed in between,
    /// no line is lost or there twice.
    private func keepMoney(_ file: JournalFormat.File, _ reader: JournalReader) throws(StateError) {
        let room = "\(directory.path)/journal"
        let path = "\(room)/\(file.name)"
        let temporary = "\(directory.path)/payments/tmp/.\(getpid())-\(file.name)"
        unsafe unlink(temporary)
        defer { unsafe unlink(temporary) }
        let made = try Descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
        try directory.handOver(made)
        var text = JournalFormat.head
        _ = try reader.visit(path) { (event, count) throws(StateError) in
            guard JournalFormat.isAboutMoney(event.kind) else { return }
            let time = Array(CalendarText.time(event.time).utf8)
            text += JournalFormat.line(event, time: time, count: count)
            guard text.count > Self.chunkBytes else { return }
            try made.append(text)
            text = []
        }
        try made.append(text)
        try made.synchronize()
        guard unsafe rename(temporary, path) == 0,
            unsafe rename(path, "\(room)/\(Self.moneyOnly(file).name)") == 0
        else { throw .system(path, "replace") }
    }

    /// The next number of a day that no file has.
    private static func free(after file: JournalFormat.File, in room: String)
        -> JournalFormat.File?
    {
        for number in 2..<100 {
            let next = JournalFormat.File(day: file.day, number: number)
            let isFree = [next, moneyOnly(next)].allSatisfy {
                unsafe access("\(room)/\($0.name)", F_OK) != 0
            }
            if isFree { return next }
        }
        return nil
    }

    private static func size(_ path: String) -> Int { FileStatus(path)?.size ?? 0 }

    private static func isIdle(_ path: String) -> Bool {
        guard let written = FileStatus(path)?.writtenSeconds else { return false }
        let now = Clock.now()
        // A file of the future is not being written to.
        return written > now || now - written >= idleSeconds
    }
}
