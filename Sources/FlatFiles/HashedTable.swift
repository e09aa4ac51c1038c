import Crypto
import Glibc
import POSIX
import Store
import Synchronization
import Text

/// A file of counters by keyed hash, shared by processes, that grows a page at a time.
///
///     page 0     head text: format, meaning, key, number of pages; zeros behind it
///     page 1…    170 slots of 24 bytes, `<16 hex digits> <6 decimal digits>\n`; zeros where empty
///
/// Linear hashing: with P pages and 2^L the largest power of two not above P, a hash belongs to page
/// `hash mod 2^(L+1)`, or `hash mod 2^L` where that page is not there yet. So a slot is found with
/// one read however many there are. The table grows by splitting page P - 2^L into itself and page
/// P.
///
/// When to grow: pages that wait for their split hold twice what split ones hold, and differ among
/// themselves by the square root of it. So growth follows the crowded ones: every new slot that
/// lands at place 140 or later of its page splits 16 pages. With m slots a page waiting, at m = 110
/// one page in 300 is that crowded and at m = 116 one in 50, so that a round of splits is through
/// at about m = 117, while even the fullest of 2^17 pages (m + 4.4 √m) stays below 170. Should one
/// fill up nevertheless, pages are split until it has been. A slot costs 35 bytes just before a
/// round of splits and 70 just after it.
///
/// Killed at any instant, the file stays right: a split writes the new page first and the number of
/// pages second, so that until then nobody looks at the new page; slots that moved stay behind in
/// the old page and are known by their hash as not belonging there any more, which makes them free
/// places. A slot is written with one call inside one page.
final class HashedTable: Sendable {
    static let pageBytes = 4096
    static let slotBytes = 24
    static let slotsPerPage = pageBytes / slotBytes
    /// A new slot at this place of its page makes the table grow,
    private static let crowdedSlot = 140
    /// by so many pages.
    private static let pagesPerGrowth = 16
    /// Slots of a page on average when a round of splits is through.
    private static let slotsPerFreshPage = 64
    static let maximumValue: UInt32 = 999_999

    private let path: String
    /// With the key taken in, to be copied for each hash.
    private let keyed: HMAC<SHA256>
    private let pagesOffset: Int
    private let maximumPages: Int
    private let file: Descriptor
    private let identity: FileIdentity
    /// Threads share the open file, and with it the lock on it. Whether the last of them got it: who
    /// comes after one that waited in vain does not wait as long again.
    private let threads = Mutex(true)

    /// Opens a table, making it when it is not there.
    ///
    /// - Parameter maximumSlots: Beyond about so many ``Access/isFull`` holds, and callers should
    ///   add no more of the ordinary kind.
    /// - Throws: ``StateError`` when the file is damaged.
    init(_ directory: StateDirectory, _ name: String, meaning: String, maximumSlots: Int)
        throws(StateError)
    {
        path = "\(directory.path)/\(name)"
        maximumPages = max(1, maximumSlots / Self.slotsPerFreshPage)
        if unsafe access(path, F_OK) != 0 {
            try directory.create(path, TableHead.text(meaning: meaning))
        }
        file = try Descriptor(path, O_RDWR)
        identity = try file.identity
        let head = try file.read(at: 0, count: Self.pageBytes)
        guard let read = TableHead(head) else { throw Self.damaged(path) }
        keyed = HMAC(key: SymmetricKey(data: read.key))
        pagesOffset = read.pagesOffset
    }

    /// Whether the file is still the one that the name leads to.
    var isCurrent: Bool { identity.isStill(at: path) }

    /// How large it is, as a share of the size at which newcomers stop being counted by themselves.
    func fill() throws(StateError) -> Double { Double(try readHead().pages) / Double(maximumPages) }

    /// The keyed hash of some bytes, as slots hold it.
    func hash(_ message: [UInt8]) -> UInt64 {
        var code = keyed
        // As raw bytes: what swift-crypto does for other kinds of data takes longer than hashing.
        unsafe message.withUnsafeBytes { unsafe code.update(data: $0) }
        return unsafe code.finalize().withUnsafeBytes {
            unsafe UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self))
        }
    }

    /// Runs `body` while no other thread or process touches the table.
    func exclusively<Result>(_ body: (inout Access) throws(StateError) -> Result)
        throws(StateError) -> Result
    {
        let result: Swift.Result<Result, StateError> = threads.withLock { isFree in
            do throws(StateError) {
                let isLikely = isFree
                isFree = false
                try file.lock(milliseconds: isLikely ? Descriptor.lockMilliseconds : 20)
                isFree = true
                defer { file.unlock() }
                var access = Access(table: self, head: try readHead())
                return .success(try body(&access))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The number of pages, and whether ``Access/isMarked``.
    fileprivate struct Head {
        var pages: Int
        var isMarked: Bool
    }

    /// Where the mark stands: behind the line of the pages.
    private var markOffset: Int { pagesOffset + 11 }
    private static let mark = UInt8(ascii: "+")

    private func readHead() throws(StateError) -> Head {
        let bytes = try file.read(at: pagesOffset, count: 12)
        guard bytes.count == 12, let pages = Self.pages(bytes[..<10]) else {
            throw Self.damaged(path)
        }
        return Head(pages: pages, isMarked: bytes[11] == Self.mark)
    }

    /// Ten digits, as a number of pages that a file can have.
    static func pages(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 10, let pages = Digits.number(digits), (1...1 << 30).contains(pages)
        else { return nil }
        return Int(pages)
    }

    private static func damaged(_ path: String) -> StateError {
        StateError("\(path): is damaged; l402 state repair moves it aside")
    }

    /// The table while it is locked.
    struct Access {
        fileprivate let table: HashedTable
        fileprivate var pages: Int
        /// Whether ``mark()`` was called: something rare is in this table, which need not be looked
        /// for otherwise.
        private(set) var isMarked: Bool
        /// The page read last, as long as nothing is written: a decision looks at it twice.
        private var lastRead: (index: Int, page: TablePage)?

        fileprivate init(table: HashedTable, head: Head) {
            self.table = table
            pages = head.pages
            isMarked = head.isMarked
        }

        /// Makes ``isMarked`` hold for good.
        mutating func mark() throws(StateError) {
            if isMarked { return }
            try table.file.write([HashedTable.mark], at: table.markOffset)
            isMarked = true
        }

        /// The value of a slot; `nil` when there is none.
        mutating func value(_ hash: UInt64) throws(StateError) -> UInt32? {
            let page = try readPage(TablePage.index(of: hash, pages: pages))
            return try page.find(hash).map { (slot) throws(StateError) in try page.value(slot) }
        }

        /// Whether the documented number of slots is reached.
        var isFull: Bool { pages >= table.maximumPages }

        /// Sets the value of a slot, adding it when it is not there.
        mutating func set(_ hash: UInt64, to value: UInt32) throws(StateError) {
            while true {
                let index = TablePage.index(of: hash, pages: pages)
                let page = try readPage(index)
                if let slot = page.find(hash) {
                    return try write(hash, value, page: index, slot: slot)
                }
                if let slot = page.freeSlot(page: index, pages: pages) {
                    try write(hash, value, page: index, slot: slot)
                    if slot >= HashedTable.crowdedSlot { growALittle() }
                    return
                }
                guard pages < mostPages else { throw StateError("\(table.path): is full") }
                try grow()
            }
        }

        /// Above the number where newcomers stop there is as much room for those who are counted
        /// together.
        private var mostPages: Int { table.maximumPages * 2 }

        /// What was asked for is done already; when this fails, the next one tries again.
        private mutating func growALittle() {
            for _ in 0..<HashedTable.pagesPerGrowth where pages < mostPages {
                guard (try? grow()) != nil else { return }
            }
        }

        private mutating func write(_ hash: UInt64, _ value: UInt32, page: Int, slot: Int)
            throws(StateError)
        {
            lastRead = nil
            try table.file.write(
                TablePage.slotText(hash, value),
                at: (page + 1) * HashedTable.pageBytes + slot * HashedTable.slotBytes
            )
        }

        private mutating func grow() throws(StateError) {
            let half = TablePage.powerOfTwo(notAbove: pages)
            let old = try readPage(pages - half)
            let moved = old.slots.filter { TablePage.index(of: $0.hash, pages: pages + 1) == pages }
            lastRead = nil
            try table.file.write(TablePage.bytes(moved), at: (pages + 1) * HashedTable.pageBytes)
            try table.file.write(
                Array(Digits.padded(UInt64(pages + 1), 10).utf8),
                at: table.pagesOffset
            )
            pages += 1
        }

        private mutating func readPage(_ index: Int) throws(StateError) -> TablePage {
            if let lastRead, lastRead.index == index { return lastRead.page }
            let bytes = try table.file.read(
                at: (index + 1) * HashedTable.pageBytes,
                count: HashedTable.pageBytes
            )
            guard bytes.count == HashedTable.pageBytes else {
                throw HashedTable.damaged(table.path)
            }
            let page = TablePage(bytes, path: table.path)
            lastRead = (index, page)
            return page
        }
    }
}
