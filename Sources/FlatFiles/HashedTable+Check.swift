import Glibc
import POSIX
import Store

/// What a look at a whole table found.
enum TableState: Equatable {
    case sound
    /// In a few words, what is wrong.
    case damaged(String)
    /// A split was cut short; the table ends after so many bytes.
    case pagesBeyond(Int)
}

/// For `l402 state`, which reads every page.
extension HashedTable {
    static func examine(_ path: String) throws(StateError) -> TableState {
        guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else { return .sound }
        // Otherwise a split that is going on looks like one that was cut short.
        try file.lock()
        guard let pages = try pageCount(file) else { return .damaged("its head cannot be read") }
        let end = (pages + 1) * pageBytes
        let size = try file.size
        file.unlock()
        guard size >= end else { return .damaged("it ends at byte \(size) of \(end)") }
        for page in 1...pages {
            let bytes = try file.read(at: page * pageBytes, count: pageBytes)
            guard bytes.count == pageBytes, TablePage(bytes, path: path).isSound else {
                return .damaged("page \(page) cannot be read")
            }
        }
        return size == end ? .sound : .pagesBeyond(end)
    }

    /// Cuts off what lies beyond the last page, unless it has become one meanwhile.
    static func truncate(_ path: String, to bytes: Int) throws(StateError) {
        let file = try Descriptor(path, O_RDWR)
        try file.lock()
        defer { file.unlock() }
        guard try pageCount(file) == bytes / pageBytes - 1 else { return }
        try file.truncate(to: bytes)
    }

    private static func pageCount(_ file: borrowing Descriptor) throws(StateError) -> Int? {
        let head = try file.read(at: 0, count: pageBytes)
        return TableHead(head).flatMap { pages(head[$0.pagesOffset..<$0.pagesOffset + 10]) }
    }
}
