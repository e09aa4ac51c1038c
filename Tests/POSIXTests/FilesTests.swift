import Glibc
import POSIX
import Testing

struct FilesTests {
    private let room = "/tmp/l402-posix-\(getpid())-\(UInt64.random(in: .min ... .max))"

    init() { mkdir(room, 0o700) }

    @Test func `errors are the caller's own, with the file and the system's name for them`() throws
    {
        struct Own: SystemFailure {
            let words: String
            init(_ reason: String) { words = reason }
        }
        defer { rmdir(room) }
        do throws(Own) {
            _ = try Descriptor<Own>("\(room)/none", O_RDONLY)
            Issue.record("it was opened")
        } catch {
            #expect(
                error.words == "\(room)/none: cannot open: No such file or directory (ENOENT)"
            )
        }
        #expect(try Descriptor<Own>.openIfPresent("\(room)/none", O_RDONLY) == nil)
    }

    @Test func `a version tells a write, a rename and another file apart`() throws {
        let path = "\(room)/a"
        defer {
            unlink(path)
            rmdir(room)
        }
        let file = try Descriptor<SystemError>(path, O_RDWR | O_CREAT)
        try file.write([1], at: 0)
        let first = try file.status.version
        #expect(FileStatus(path)?.version == first)
        try file.write([1, 2], at: 0)
        #expect(try file.status.version != first)
        #expect(try file.identity.isStill(at: path))
        rename(path, "\(path)2")
        #expect(try !file.identity.isStill(at: path))
        rename("\(path)2", path)
    }

    @Test func `a fifo is waited for only where somebody says so`() throws {
        let path = "\(room)/fifo"
        mkfifo(path, 0o600)
        defer {
            unlink(path)
            rmdir(room)
        }
        #expect(throws: WholeFile.Unreadable.self) { try WholeFile.read(path, limit: 10) }
    }

    @Test func `what is larger than its limit is not read`() throws {
        let path = "\(room)/large"
        defer {
            unlink(path)
            rmdir(room)
        }
        try Descriptor<SystemError>(path, O_WRONLY | O_CREAT).write(
            [UInt8](repeating: 7, count: 9),
            at: 0
        )
        #expect(try WholeFile.read(path, limit: 9).count == 9)
        #expect(throws: WholeFile.Unreadable.self) { try WholeFile.read(path, limit: 8) }
    }

    @Test func `a monitor wakes who waits, and gives up at its deadline`() {
        let monitor = Monitor(0)
        #expect(WorkerThread.detach { monitor.change { $0 = 7 } })
        let late = MonotonicTime.now().adding(milliseconds: 20_000)
        #expect(monitor.wait(until: late) { $0 == 7 ? $0 : nil } == 7)
        let soon = MonotonicTime.now().adding(milliseconds: 5)
        #expect(monitor.wait(until: soon) { $0 == 8 ? $0 : nil } == nil)
    }
}
