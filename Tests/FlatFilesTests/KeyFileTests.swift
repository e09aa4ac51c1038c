import Glibc
import L402
import Store
import TestTools
import Testing
import Text

@testable import FlatFiles

struct KeyFileTests {
    let state: TemporaryState
    let directory: StateDirectory

    init() throws {
        state = try TemporaryState()
        directory = try state.open()
    }

    @Test func `the first start makes one key that only its owner can read`() throws {
        let keys = try KeyFile(directory).keys()
        #expect(keys.count == 1)
        #expect(try KeyFile(directory).keys().first?.bytes == keys.first?.bytes)
        var status = stat()
        #expect(stat("\(state.path)/keys", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func `first starts in several processes agree on one key`() throws {
        let lines = try race(4, "keys", try TemporaryState(), [])
        #expect(lines.count == 4)
        #expect(Set(lines).count == 1)
    }

    @Test func `a new key signs, the old ones still verify, and running processes see it`() throws {
        let running = try KeyFile(directory)
        let first = try #require(try running.keys().first)
        let id = try KeyFile(directory).rotate(now: noon)
        let keys = try running.keys()
        #expect(keys.map(\.id) == [first.id, id])
        #expect(keys.last?.created == noon)
        #expect(keys.first?.bytes == first.bytes)
    }

    @Test func `rotations in several processes lose no key`() throws {
        _ = try KeyFile(directory)
        let made = try race(4, "rotate", state, [])
        #expect(Set(made).count == 4)
        #expect(Set(try KeyFile(directory).keys().map(\.id)).isSuperset(of: made))
    }

    @Test(arguments: [0o640, 0o604, 0o620] as [mode_t])
    func `keys that others may read or write are refused`(mode: mode_t) throws {
        _ = try KeyFile(directory)
        chmod("\(state.path)/keys", mode)
        #expect(throws: StateError.self) { try KeyFile(directory) }
    }

    @Test(
        arguments: [
            "", "# nothing\n", "id\tabcd\t2026-11-21T12:00:00Z\n", "garbage\n",
            "id\t\(String(repeating: "00", count: 32))\t2026-11-21T12:00:00Z\n",
            "id\t\(String(repeating: "0a", count: 31))0b\tyesterday\n",
        ])
    func `a damaged file is refused and rotation does not touch it`(text: String) throws {
        let keys = try KeyFile(directory)
        try state.write("keys", text)
        let error = #expect(throws: StateError.self) { try keys.keys() }
        #expect(error?.reason.contains("\(state.path)/keys") == true)
        #expect(error?.reason.contains("0a0a") == false)
        #expect(throws: StateError.self) { try keys.rotate(now: noon) }
        #expect(try state.read("keys") == Array(text.utf8))
    }

    @Test func `a key prints nothing of itself`() throws {
        let key = try #require(try KeyFile(directory).keys().first)
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "<master key \(key.id)>")
        #expect(!dumped.contains("bytes"))
        #expect(Mirror(reflecting: key).children.isEmpty)
    }
}

struct StateDirectoryTests {
    @Test func `it is made for its owner alone`() throws {
        let room = try TemporaryState()
        let path = "\(room.path)/state"
        _ = try StateDirectory(opening: path)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(try room.read("state/format") == Array("l402-state 1\n".utf8))
    }

    @Test(arguments: ["l402-state 2\n", "", "l402-state 1"])
    func `another format is refused and left alone`(text: String) throws {
        let state = try TemporaryState()
        try state.write("format", text)
        let error = #expect(throws: StateError.self) { try state.open() }
        #expect(error?.reason.contains("format") == true)
        #expect(state.names("") == ["format"])
    }

    @Test func `one that others may write to is refused`() throws {
        let state = try TemporaryState()
        chmod(state.path, 0o777)
        #expect(throws: StateError.self) { try state.open() }
    }

    @Test func `a file in its place is named`() throws {
        let state = try TemporaryState()
        try state.write("file", "")
        let error = #expect(throws: StateError.self) {
            try StateDirectory(opening: "\(state.path)/file")
        }
        #expect(error?.reason == "\(state.path)/file: is not a directory")
    }

    @Test func `a parent that is not there is named with the system's word`() throws {
        let error = #expect(throws: StateError.self) {
            try StateDirectory(opening: "/nonexistent/state")
        }
        #expect(error?.reason.contains("/nonexistent/state") == true)
        #expect(error?.reason.contains("ENOENT") == true)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can hand files over"))
    func `what root makes belongs to the directory's owner`() throws {
        let state = try TemporaryState()
        chown(state.path, 4711, 4712)
        let directory = try state.open()
        _ = try KeyFile(directory).rotate(now: noon)
        _ = try Payments(directory).open(try paymentClaim(), now: noon)
        _ = try FreeTier(directory).take(freeClaim(1), now: noon)
        for name in ["keys", "format", "free", "free/2026-11-21.day", "payments/2026-11-21"] {
            var status = stat()
            #expect(stat("\(state.path)/\(name)", &status) == 0)
            #expect(status.st_uid == 4711, "\(name)")
            #expect(status.st_gid == 4712, "\(name)")
        }
    }
}

struct CalendarTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_262_400, "2026-11-21T12:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(UInt64, String)]
    )
    func `times are written and read as ISO 8601`(seconds: UInt64, text: String) {
        #expect(CalendarText.time(seconds) == text)
        #expect(CalendarText.seconds(text) == seconds)
    }

    @Test(
        arguments: [
            "", "2026-11-21", "2026-11-21T12:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-11-21T25:00:00Z", "2026-11-21 12:00:00Z", "1969-12-31T23:59:59Z",
        ])
    func `other texts are no times`(text: String) {
        #expect(CalendarText.seconds(text) == nil)
    }
}
