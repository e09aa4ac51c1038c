import Glibc
import Store

/// An open file, closed when it goes away; closing gives up its lock too.
///
/// Every call repeats after `EINTR` and names the file and the system's reason when it fails. A
/// lock belongs to one open file, so that threads exclude each other as processes do.
struct Descriptor: ~Copyable {
    private let number: Int32
    private let path: String

    /// The corresponding C function is `open`, always with `O_CLOEXEC` and, for files, `O_NOFOLLOW`.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(StateError) {
        number = Self.opened(path, flags, mode)
        self.path = path
        guard number >= 0 else { throw .system(path, "open") }
    }

    private init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    /// Opens a file that may not be there; `nil` then.
    static func openIfPresent(_ path: String, _ flags: Int32) throws(StateError) -> Descriptor? {
        let number = opened(path, flags, 0)
        if number >= 0 { return Descriptor(number: number, path: path) }
        if errno == ENOENT { return nil }
        throw .system(path, "open")
    }

    private static func opened(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
        // A directory may be a link to another disk; a file may not lead anywhere else.
        let follow = flags & O_DIRECTORY != 0 ? 0 : O_NOFOLLOW
        while true {
            let number = open(path, flags | O_CLOEXEC | follow, mode)
            if number >= 0 || errno != EINTR { return number }
        }
    }

    deinit { close(number) }

    /// How long a lock is waited for: whoever holds it does so for some microseconds, unless it was
    /// stopped or its disk does not answer.
    static let lockMilliseconds: UInt64 = 5000

    /// Waits until no other open file of the same file is locked.
    ///
    /// - Parameter milliseconds: How long at most.
    func lock(milliseconds: UInt64 = lockMilliseconds) throws(StateError) {
        var began: UInt64?
        var pause: UInt32 = 20
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw .lock(path) }
            let start = began ?? Self.monotonicMilliseconds()
            began = start
            guard Self.monotonicMilliseconds() - start < milliseconds else {
                throw StateError(
                    "\(path): is locked for longer than \(milliseconds) ms; is a process that uses it stopped, or the disk stuck?"
                )
            }
            // Nobody is woken when the lock is given up: `flock` itself has no time limit.
            usleep(.random(in: 1...pause))
            pause = min(pause * 2, 2000)
        }
    }

    /// Whether files here can be locked at all; the lock is given up at once.
    ///
    /// - Throws: ``StateError`` that says what would be right.
    func tryLock() throws(StateError) {
        while flock(number, LOCK_SH | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return }
            guard errno == EINTR else { throw .lock(path) }
        }
        unlock()
    }

    private static func monotonicMilliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Gives the lock up before the file is closed.
    func unlock() { _ = flock(number, LOCK_UN) }

    /// The whole file, or its first `limit` bytes.
    func readAll(limit: Int) throws(StateError) -> [UInt8] {
        // Not `limit` bytes of zeros for a few lines of text: plain CGI starts anew each time.
        try read(at: 0, count: min(limit, try size))
    }

    /// At most `count` bytes from `offset` on; fewer at the end of the file.
    func read(at offset: Int, count: Int) throws(StateError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(number, buffer.baseAddress.map { $0 + done }, count - done, offset + done)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw .system(path, "read") }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }

    /// All bytes to `offset`, or an error; then some may be there.
    func write(_ bytes: [UInt8], at offset: Int) throws(StateError) {
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes { buffer in
                pwrite(
                    number,
                    buffer.baseAddress.map { $0 + done },
                    bytes.count - done,
                    offset + done
                )
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw .system(path, "write") }
            done += put
        }
    }

    /// One write at the end, for files opened with `O_APPEND`; whole or an error.
    func append(_ bytes: [UInt8]) throws(StateError) {
        while true {
            let put = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if put < 0 && errno == EINTR { continue }
            guard put == bytes.count else { throw .system(path, "append") }
            return
        }
    }

    /// Waits until the content is on disk.
    func synchronize() throws(StateError) {
        while fdatasync(number) != 0 {
            guard errno == EINTR else { throw .system(path, "sync") }
        }
    }

    /// Waits until the entries of this directory are on disk.
    func synchronizeEntries() throws(StateError) {
        while fsync(number) != 0 {
            guard errno == EINTR else { throw .system(path, "sync") }
        }
    }

    /// Cuts the file off after so many bytes.
    func truncate(to size: Int) throws(StateError) {
        while ftruncate(number, size) != 0 {
            guard errno == EINTR else { throw .system(path, "truncate") }
        }
    }

    /// Hands the file to another user; for `root`, who may run the tools.
    func handOver(to owner: Owner) throws(StateError) {
        guard fchown(number, owner.user, owner.group) == 0 else {
            throw .system(path, "change the owner of")
        }
    }

    var size: Int {
        get throws(StateError) {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw .system(path, "stat") }
            return Int(status.st_size)
        }
    }

    /// When its content was last changed, in seconds since 1970 by the system's clock.
    var changed: UInt64 {
        get throws(StateError) {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw .system(path, "stat") }
            return UInt64(max(0, status.st_mtim.tv_sec))
        }
    }

    /// Which file this is; no other one has the same as long as this one is open.
    var identity: FileIdentity {
        get throws(StateError) {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw .system(path, "stat") }
            return FileIdentity(status)
        }
    }
}

/// A file by device and inode.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt

    fileprivate init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }

    /// Whether a directory entry leads to this very file.
    func isStill(at path: String) -> Bool {
        var there = stat()
        return lstat(path, &there) == 0 && FileIdentity(there) == self
    }
}

/// Whom the files of a state directory belong to.
struct Owner: Equatable, Sendable {
    let user: uid_t
    let group: gid_t
}

extension StateError {
    /// What the system said to a call on a file, as in
    /// `…/free: cannot open: No space left on device (ENOSPC)`.
    static func system(_ path: String, _ call: String) -> StateError {
        let number = errno
        let name = names[number].map { " (\($0))" } ?? " (errno \(number))"
        return StateError("\(path): cannot \(call): \(String(cString: strerror(number)))\(name)")
    }

    /// What the system said to a lock; where it has none, that this is no place for the state.
    static func lock(_ path: String) -> StateError {
        let error = system(path, "lock")
        guard [EOPNOTSUPP, ENOTSUP, ENOLCK, ENOSYS, EINVAL].contains(errno) else { return error }
        return StateError(
            "\(error.reason): this file system has no locks that processes share; put "
                + "L402_STATE_DIR on a disk of this machine (ext4, xfs, btrfs, tmpfs), or mount the "
                + "network's with its lock service"
        )
    }

    private static let names: [Int32: String] = [
        EACCES: "EACCES", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG", EIO: "EIO",
        EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG",
        ENFILE: "ENFILE", ENOENT: "ENOENT", ENOLCK: "ENOLCK", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC",
        ENOSYS: "ENOSYS", ENOTDIR: "ENOTDIR", EOPNOTSUPP: "EOPNOTSUPP", EPERM: "EPERM",
        EROFS: "EROFS", ESTALE: "ESTALE",
    ]
}
