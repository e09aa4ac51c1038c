import Glibc

/// An open file, closed when it goes away; closing gives up its lock too.
///
/// Every call repeats after `EINTR` and names the file and the system's reason when it fails. A
/// lock belongs to one open file, so that threads exclude each other as processes do. Errors are the
/// caller's own.
package struct Descriptor<Failure: SystemFailure>: ~Copyable {
    private let number: Int32
    private let path: String

    /// The corresponding C function is `open`, always with `O_CLOEXEC` and, for files, `O_NOFOLLOW`.
    package init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(Failure) {
        number = Self.opened(path, flags, mode)
        self.path = path
        guard number >= 0 else { throw .system(path, "open") }
    }

    /// Opens a regular file or whatever else a path of any bytes leads to, symbolic links included,
    /// for reading; never waits for the writer of a fifo. `nil` where there is nothing to read.
    package static func open(following path: [UInt8]) throws(Failure) -> Descriptor? {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let number = unsafe (path + [0]).withUnsafeBytes {
            unsafe $0.bindMemory(to: CChar.self).baseAddress.map { unsafe Glibc.open($0, flags) }
                ?? -1
        }
        let name = String(validating: path, as: UTF8.self) ?? "(a name that is no UTF-8)"
        if number >= 0 { return Descriptor(number: number, path: name) }
        if [ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, ENXIO].contains(errno) { return nil }
        throw .system(name, "open")
    }

    private init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    /// Opens a file that may not be there; `nil` then.
    package static func openIfPresent(_ path: String, _ flags: Int32) throws(Failure) -> Descriptor?
    {
        let number = opened(path, flags, 0)
        if number >= 0 { return Descriptor(number: number, path: path) }
        if errno == ENOENT { return nil }
        throw .system(path, "open")
    }

    private static func opened(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
        // A directory may be a link to another disk; a file may not lead anywhere else.
        let follow = flags & O_DIRECTORY != 0 ? 0 : O_NOFOLLOW
        while true {
            let number = unsafe Glibc.open(path, flags | O_CLOEXEC | follow, mode)
            if number >= 0 || errno != EINTR { return number }
        }
    }

    deinit { close(number) }

    /// How long a lock is waited for: whoever holds it does so for some microseconds, unless it was
    /// stopped or its disk does not answer.
    package static var lockMilliseconds: UInt64 { 5000 }

    /// Waits until no other open file of the same file is locked.
    ///
    /// - Parameter milliseconds: How long at most.
    package func lock(milliseconds: UInt64 = lockMilliseconds) throws(Failure) {
        var limit: MonotonicTime?
        var pause: UInt32 = 20
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw .lock(path) }
            let end = limit ?? .now().adding(milliseconds: milliseconds)
            limit = end
            guard end.millisecondsFromNow() > 0 else {
                throw Failure(
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
    package func tryLock() throws(Failure) {
        while flock(number, LOCK_SH | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return }
            guard errno == EINTR else { throw .lock(path) }
        }
        unlock()
    }

    /// Gives the lock up before the file is closed.
    package func unlock() { _ = flock(number, LOCK_UN) }

    /// The whole file, or its first `limit` bytes.
    package func readAll(limit: Int) throws(Failure) -> [UInt8] {
        // Not `limit` bytes of zeros for a few lines of text: plain CGI starts anew each time.
        try read(at: 0, count: min(limit, try size))
    }

    /// At most `count` bytes from `offset` on; fewer at the end of the file.
    package func read(at offset: Int, count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    number,
                    buffer.baseAddress.map { unsafe $0 + done },
                    count - done,
                    offset + done
                )
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
    package func write(_ bytes: [UInt8], at offset: Int) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    number,
                    buffer.baseAddress.map { unsafe $0 + done },
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
    package func append(_ bytes: [UInt8]) throws(Failure) {
        while true {
            let put = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(number, $0.baseAddress, $0.count)
            }
            if put < 0 && errno == EINTR { continue }
            guard put == bytes.count else { throw .system(path, "append") }
            return
        }
    }

    /// Waits until the content is on disk.
    package func synchronize() throws(Failure) {
        while fdatasync(number) != 0 {
            guard errno == EINTR else { throw .system(path, "sync") }
        }
    }

    /// Waits until the entries of this directory are on disk.
    package func synchronizeEntries() throws(Failure) {
        while fsync(number) != 0 {
            guard errno == EINTR else { throw .system(path, "sync") }
        }
    }

    /// Cuts the file off after so many bytes.
    package func truncate(to size: Int) throws(Failure) {
        while ftruncate(number, size) != 0 {
            guard errno == EINTR else { throw .system(path, "truncate") }
        }
    }

    /// Where the file really is, by the kernel's word (`/proc`); `nil` when it does not tell.
    package var place: [UInt8]? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe target.withUnsafeMutableBytes { buffer in
            unsafe buffer.bindMemory(to: CChar.self).baseAddress.map {
                unsafe readlink("/proc/self/fd/\(number)", $0, buffer.count)
            } ?? -1
        }
        return count > 0 ? Array(target.prefix(count)) : nil
    }

    /// Hands the file to another user; for `root`, who may run the tools.
    package func handOver(to owner: Owner) throws(Failure) {
        guard fchown(number, owner.user, owner.group) == 0 else {
            throw .system(path, "change the owner of")
        }
    }

    package var size: Int {
        get throws(Failure) { try status.size }
    }

    /// Which file this is; no other one has the same as long as this one is open.
    package var identity: FileIdentity {
        get throws(Failure) { try status.version.file }
    }

    /// What the system says of it.
    package var status: FileStatus {
        get throws(Failure) {
            guard let status = FileStatus(descriptor: number) else { throw .system(path, "stat") }
            return status
        }
    }
}
