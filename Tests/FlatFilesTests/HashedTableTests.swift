import Store
import Testing
import Text

@testable import FlatFiles

struct HashedTableTests {
    let state: TemporaryState
    let directory: StateDirectory

    init() throws {
        state = try TemporaryState()
        directory = try state.open()
    }

    func table(_ name: String = "free/t", maximumSlots: Int = 1 << 20) throws -> HashedTable {
        try HashedTable(directory, name, meaning: "a test", maximumSlots: maximumSlots)
    }

    func set(_ table: HashedTable, _ hash: UInt64, _ value: UInt32) throws {
        try table.exclusively { (access) throws(StateError) in try access.set(hash, to: value) }
    }

    func value(_ table: HashedTable, _ hash: UInt64) throws -> UInt32? {
        try table.exclusively { (access) throws(StateError) in try access.value(hash) }
    }

    @Test func `what was set is found, however many there are`() throws {
        let table = try table()
        for count in [1, 100, 6000] {
            for number in 0..<count {
                try set(table, table.hash(Array(String(number).utf8)), UInt32(number))
            }
            let right = try (0..<count).filter {
                try value(table, table.hash(Array(String($0).utf8))) == UInt32($0)
            }
            #expect(right.count == count)
            #expect(try value(table, table.hash(Array("nobody".utf8))) == nil)
        }
        #expect(try HashedTable.examine("\(state.path)/free/t") == .sound)
        // A page of head, and from 35 to 70 bytes for a slot.
        #expect(try state.read("free/t").count <= 4096 + 70 * 6000)
    }

    @Test func `another process that opens it finds the same`() throws {
        let first = try table()
        for number: UInt64 in 0..<500 {
            try set(first, first.hash([UInt8(number % 256), UInt8(number / 256)]), 5)
        }
        let second = try table()
        for number: UInt64 in 0..<500 {
            #expect(
                try value(second, second.hash([UInt8(number % 256), UInt8(number / 256)])) == 5
            )
        }
    }

    @Test func `a split that is cut short at any page loses nothing`() throws {
        var table = try table()
        var hashes: [UInt64] = []
        var splits = 0
        while splits < 3 {
            let before = try pageCount()
            let hash = table.hash(Array(String(hashes.count).utf8))
            try set(table, hash, UInt32(hashes.count))
            hashes.append(hash)
            let after = try pageCount()
            guard after > before else { continue }
            splits += 1
            let whole = try state.read("free/t")
            // Splits write new pages and then the count: every count between is a moment at which
            // the process can have been killed.
            for count in before...after {
                try state.write("free/t", withPages(count, whole))
                table = try self.table()
                for (number, hash) in hashes.enumerated() {
                    #expect(try value(table, hash) == UInt32(number))
                }
            }
            // Go on from the earliest of them.
            try state.write("free/t", withPages(before, whole))
            table = try self.table()
        }
    }

    @Test func `a page that only some slots crowd is split until it has room`() throws {
        let table = try table()
        let hashes = (0..<1000).map { UInt64($0) * 128 + 3 }
        for hash in hashes { try set(table, hash, 1) }
        for hash in hashes { #expect(try value(table, hash) == 1) }
    }

    @Test func `a full table refuses newcomers and keeps the others`() throws {
        let table = try table(maximumSlots: 128)
        let hashes = (0..<2000).map { table.hash(Array(String($0).utf8)) }
        var kept: [UInt64] = []
        var refused = 0
        for hash in hashes {
            do {
                try set(table, hash, 1)
                kept.append(hash)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000)
        for hash in kept {
            try set(table, hash, 2)
            #expect(try value(table, hash) == 2)
        }
    }

    @Test func `a damaged head, count, page or slot is named and refused`() throws {
        let table = try table()
        let hash = table.hash([1])
        try set(table, hash, 1)
        let whole = try state.read("free/t")
        var slot = whole
        slot[4096 + 18] = 0x78
        for bytes in [
            [], Array(whole.prefix(100)), Array(whole.prefix(4096 + 50)),
            [UInt8](repeating: 0, count: whole.count), try withPages(2, whole),
            try withPages(0, whole),
            slot,
        ] {
            try state.write("free/t", bytes)
            let error = #expect(throws: StateError.self) {
                for number: UInt64 in 0..<8 { _ = try value(try self.table(), hash &+ number) }
            }
            #expect(error?.reason.hasPrefix("\(state.path)/free/t: ") == true)
            #expect(try HashedTable.examine("\(state.path)/free/t") != .sound)
        }
    }

    private func pageCount() throws -> Int {
        let bytes = try state.read("free/t")
        let offset = try #require(TableHead(Array(bytes.prefix(4096)))).pagesOffset
        return try #require(HashedTable.pages(bytes[offset..<offset + 10]))
    }

    private func withPages(_ count: Int, _ bytes: [UInt8]) throws -> [UInt8] {
        let offset = try #require(TableHead(Array(bytes.prefix(4096)))).pagesOffset
        return Array(bytes[..<offset]) + Array(Digits.padded(UInt64(count), 10).utf8)
            + Array(bytes[(offset + 10)...])
    }
}
