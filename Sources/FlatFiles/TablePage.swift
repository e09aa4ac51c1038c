import POSIX
import Store
import Text

/// One page of a ``HashedTable``: 170 slots of text.
struct TablePage {
    private let bytes: [UInt8]
    private let path: String

    /// A page of exactly `HashedTable.pageBytes` bytes.
    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// Which page a hash belongs to, of so many.
    static func index(of hash: UInt64, pages: Int) -> Int {
        let half = UInt64(powerOfTwo(notAbove: pages))
        let wide = hash % (half * 2)
        return Int(wide < UInt64(pages) ? wide : hash % half)
    }

    static func powerOfTwo(notAbove number: Int) -> Int {
        1 << (Int.bitWidth - 1 - max(1, number).leadingZeroBitCount)
    }

    /// `<16 hex digits> <6 decimal digits>\n`.
    static func slotText(_ hash: UInt64, _ value: UInt32) -> [UInt8] {
        let digits = Digits.padded(UInt64(min(value, HashedTable.maximumValue)), 6)
        return hashText(hash) + [0x20] + Array(digits.utf8) + [0x0a]
    }

    /// A page with these slots and no others.
    static func bytes(_ slots: [(hash: UInt64, text: ArraySlice<UInt8>)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for slot in slots.prefix(HashedTable.slotsPerPage) { bytes += slot.text }
        return bytes + [UInt8](repeating: 0, count: HashedTable.pageBytes - bytes.count)
    }

    private static func hashText(_ hash: UInt64) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: 16)
        for place in text.indices {
            let nibble = UInt8(truncatingIfNeeded: hash >> UInt64(60 - place * 4)) & 0x0f
            text[place] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
        }
        return text
    }

    /// The slot of a hash; `nil` when it is not on this page.
    func find(_ hash: UInt64) -> Int? {
        // Sixteen digits compared as two words: this loop is most of a decision's own time.
        unsafe Self.hashText(hash).withUnsafeBytes { wanted in
            let first = unsafe wanted.loadUnaligned(as: UInt64.self)
            let second = unsafe wanted.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            return unsafe bytes.withUnsafeBytes { page in
                for slot in 0..<HashedTable.slotsPerPage {
                    let start = slot * HashedTable.slotBytes
                    if unsafe page.loadUnaligned(fromByteOffset: start, as: UInt64.self) == first,
                        unsafe page.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self)
                            == second
                    {
                        return slot
                    }
                }
                return nil
            }
        }
    }

    /// A slot that is empty, or whose hash has moved to another page.
    func freeSlot(page: Int, pages: Int) -> Int? {
        for slot in 0..<HashedTable.slotsPerPage {
            let start = slot * HashedTable.slotBytes
            if bytes[start] == 0 { return slot }
            guard let hash = hash(slot) else { continue }
            if Self.index(of: hash, pages: pages) != page { return slot }
        }
        return nil
    }

    /// The number in a slot.
    func value(_ slot: Int) throws(StateError) -> UInt32 {
        let start = slot * HashedTable.slotBytes
        guard bytes[start + 16] == 0x20, bytes[start + 23] == 0x0a,
            let number = Digits.number(bytes[(start + 17)..<(start + 23)])
        else {
            throw StateError("\(path): has a damaged slot; l402 state repair moves the file aside")
        }
        return UInt32(number)
    }

    /// All slots that hold something.
    var slots: [(hash: UInt64, text: ArraySlice<UInt8>)] {
        (0..<HashedTable.slotsPerPage).compactMap { slot in
            hash(slot).map {
                ($0, bytes[(slot * HashedTable.slotBytes)..<((slot + 1) * HashedTable.slotBytes)])
            }
        }
    }

    private func hash(_ slot: Int) -> UInt64? {
        let start = slot * HashedTable.slotBytes
        return unsafe bytes.withUnsafeBufferPointer { page in
            var hash: UInt64 = 0
            for offset in start..<start + 16 {
                let byte = unsafe page[offset]
                let digit: UInt8
                if byte >= 0x30 && byte <= 0x39 {
                    digit = byte - 0x30
                } else if byte >= 0x61 && byte <= 0x66 {
                    digit = byte - 0x57
                } else {
                    return nil
                }
                hash = hash << 4 | UInt64(digit)
            }
            return hash
        }
    }

    /// Whether every slot is empty or well formed; for checks, not on the way of a request.
    var isSound: Bool {
        (0..<HashedTable.slotsPerPage).allSatisfy { slot in
            let start = slot * HashedTable.slotBytes
            let text = bytes[start..<start + HashedTable.slotBytes]
            return text.allSatisfy { $0 == 0 } || (hash(slot) != nil && (try? value(slot)) != nil)
        }
    }
}

/// Page 0 of a ``HashedTable``.
struct TableHead {
    /// The secret of this file's hashes; gone when the file is.
    let key: [UInt8]
    /// Where the ten digits of the number of pages stand.
    let pagesOffset: Int

    private static let magic = "l402-table 1\n"

    /// A new table: its head and one empty page.
    static func text(meaning: String) -> [UInt8] {
        let text =
            magic + "\(meaning)\n"
            + "A line below is a keyed hash and a number; the key is thrown away with this file.\n"
            + "key \(Hex.encode(Randomness.bytes(32)))\npages 0000000001\n"
        let head = Array(text.utf8)
        return head + [UInt8](repeating: 0, count: 2 * HashedTable.pageBytes - head.count)
    }

    /// Reads page 0 back; `nil` when it is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == HashedTable.pageBytes, bytes.starts(with: Self.magic.utf8),
            let keyAt = Self.offset(of: "\nkey ", in: bytes),
            let pagesAt = Self.offset(of: "\npages ", in: bytes), pagesAt + 10 < bytes.count,
            keyAt + 64 < bytes.count, let key = Hex.decode(bytes[keyAt..<keyAt + 64])
        else { return nil }
        self.key = key
        pagesOffset = pagesAt
    }

    private static func offset(of text: String, in bytes: [UInt8]) -> Int? {
        bytes.firstRange(of: Array(text.utf8))?.upperBound
    }
}
