import POSIX
import Store
import Text

/// Reads the journal back, for `l402 report`; never to decide.
package struct JournalReader: JournalHistory {
    private let directory: StateDirectory

    /// How much of a day is in memory at once.
    private static let chunkBytes = 1 << 16

    package init(_ directory: StateDirectory) {
        self.directory = directory
    }

    package func days() -> [String] { Set(files().map(\.day)).sorted() }

    /// File by file; a line is damaged when it was half written on a full disk, or edited.
    package func visit(day: String, _ body: (JournalEvent, _ count: UInt64) -> Void)
        throws(StateError) -> Int
    {
        guard CalendarText.isDate(day) else {
            throw StateError("\"\(day)\" is not a day; write it as YYYY-MM-DD")
        }
        var damaged = 0
        for file in files() where file.day == day {
            damaged += try visit("\(directory.path)/journal/\(file.name)") { event, count in
                body(event, count)
            }
        }
        return damaged
    }

    /// All files of the journal, the earliest first.
    func files() -> [JournalFormat.File] {
        Directory.names(in: "\(directory.path)/journal")
            .compactMap(JournalFormat.File.init).sorted()
    }

    /// Visits the events of one file.
    func visit(_ path: String, _ body: (JournalEvent, UInt64) throws(StateError) -> Void)
        throws(StateError) -> Int
    {
        guard let file = try Descriptor.openIfPresent(path, 0) else { return 0 }
        // Where the first line was damaged, what this release writes.
        var columns = JournalColumns(JournalFormat.head.dropLast())
        var isFirst = true
        var damaged = 0
        var offset = 0
        var rest: [UInt8] = []
        while true {
            let chunk = try file.read(at: offset, count: Self.chunkBytes)
            if chunk.isEmpty { break }
            offset += chunk.count
            rest += chunk
            let lines = rest.split(separator: 0x0a, omittingEmptySubsequences: false)
            for line in lines.dropLast() where !line.isEmpty {
                if isFirst {
                    isFirst = false
                    if let own = JournalColumns(line) {
                        columns = own
                        continue
                    }
                }
                if let read = columns?.event(line) {
                    try body(read.event, read.count)
                } else {
                    damaged += 1
                }
            }
            rest = Array(lines.last ?? [])
            // No line is that long; what this is, is not kept in memory.
            if rest.count > JournalFormat.maximumLineBytes { rest.removeLast(rest.count - 1) }
        }
        return damaged + (rest.isEmpty ? 0 : 1)
    }
}
