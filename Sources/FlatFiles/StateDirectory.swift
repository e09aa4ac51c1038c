import Glibc
import POSIX
import Store

/// The directory of `L402_STATE_DIR`, opened and checked, and the few operations on whole files
/// that everything in it is made of.
///
/// Its file `format` holds `l402-state 1`; a directory of another format is refused.
package struct StateDirectory: Sendable {
    /// Absolute, without a slash at its end.
    package let path: String
    /// Whom everything in it shall belong to.
    let owner: Owner

    static let format = "l402-state 1\n"
    static let rooms = ["payments", "payments/tmp", "free", "pending", "journal", "waiting"]

    /// Opens the directory, making it (0700) and what belongs in it when they are not there.
    ///
    /// - Throws: ``StateError`` naming what is wrong: not a directory, not ours, open to others,
    ///   another format, not writable.
    package init(opening path: String) throws(StateError) {
        self.path = path
        if unsafe mkdir(path, 0o700) == 0 {
            try Self.synchronizeDirectory(Directory.parent(of: path))
        }
        let cause = errno
        guard let status = FileStatus(path, followingLinks: true) else {
            errno = cause
            throw .system(path, "make the directory")
        }
        guard status.kind == .directory else {
            throw StateError("\(path): is not a directory")
        }
        owner = status.owner
        guard owner.user == geteuid() || geteuid() == 0 else {
            throw StateError(
                "\(path): belongs to user \(owner.user), not to \(geteuid()), which runs this"
            )
        }
        guard !status.isWritableByOthers else {
            throw StateError("\(path): others may write to it; chmod 0700 it")
        }
        try checkFormat()
        try checkLocks()
        for room in Self.rooms { try makeDirectory("\(path)/\(room)") }
    }

    private func checkFormat() throws(StateError) {
        let file = "\(path)/format"
        if try read("format", limit: 64) == nil {
            try create(file, Array(Self.format.utf8))
        }
        let found = try read("format", limit: 64).map { String(decoding: $0, as: UTF8.self) }
        guard found == Self.format else {
            throw StateError(
                "\(file): this state is not of format \"l402-state 1\"; it is left alone"
            )
        }
    }

    /// Everything here is shared by locks: without them nothing is counted right, so nothing begins.
    private func checkLocks() throws(StateError) {
        // A shared one, which no other start waits for.
        let file = try Descriptor("\(path)/format", O_RDONLY)
        try file.tryLock()
    }

    /// Makes a directory (0700) when it is not there; whether it did, its entry then being durable.
    @discardableResult
    func makeDirectory(_ path: String) throws(StateError) -> Bool {
        if unsafe mkdir(path, 0o700) == 0 {
            if isForeign, unsafe chown(path, owner.user, owner.group) != 0 {
                throw .system(path, "change the owner of")
            }
            try Self.synchronizeDirectory(Directory.parent(of: path))
            return true
        }
        let cause = errno
        guard FileStatus(path, followingLinks: true)?.kind == .directory else {
            errno = cause
            throw .system(path, "make the directory")
        }
        return false
    }

    /// Root runs the tools on a directory that belongs to the gate's user: what root makes there
    /// must be the gate's, or the gate could not read its own keys any more.
    private var isForeign: Bool { geteuid() == 0 && owner.user != 0 }

    /// Gives a file that was just made to whom the directory belongs.
    func handOver(_ file: borrowing Descriptor) throws(StateError) {
        if isForeign { try file.handOver(to: owner) }
    }

    /// The bytes of a file below the directory; `nil` when it is not there.
    func read(_ name: String, limit: Int) throws(StateError) -> [UInt8]? {
        let file = "\(path)/\(name)"
        guard let descriptor = try Descriptor.openIfPresent(file, O_RDONLY) else { return nil }
        let bytes = try descriptor.read(at: 0, count: limit + 1)
        guard bytes.count <= limit else {
            throw StateError("\(file): is larger than \(limit) bytes")
        }
        return bytes
    }

    /// Makes a file (0600) of exactly these bytes, durable, unless it is there; whether it did.
    /// Nobody ever sees it half written.
    @discardableResult
    func create(_ file: String, _ bytes: [UInt8]) throws(StateError) -> Bool {
        let temporary = try writeTemporary(bytes)
        defer { unsafe unlink(temporary) }
        // Opened first: with the last descriptor gone, the file must not appear and then fail.
        let room = try Descriptor(Directory.parent(of: file), O_RDONLY | O_DIRECTORY)
        if unsafe link(temporary, file) != 0 {
            if errno == EEXIST { return false }
            throw .system(file, "create")
        }
        try room.synchronizeEntries()
        return true
    }

    /// Puts a file of exactly these bytes in the place of another, durable.
    func replace(_ file: String, _ bytes: [UInt8]) throws(StateError) {
        let temporary = try writeTemporary(bytes)
        // Nothing is left to remove once it is renamed.
        defer { unsafe unlink(temporary) }
        let room = try Descriptor(Directory.parent(of: file), O_RDONLY | O_DIRECTORY)
        guard unsafe rename(temporary, file) == 0 else { throw .system(file, "replace") }
        try room.synchronizeEntries()
    }

    /// A new file beside the others, whole and on disk, under a name nobody else uses.
    private func writeTemporary(_ bytes: [UInt8]) throws(StateError) -> String {
        let name = UInt64.random(in: .min ... .max)
        let room = unsafe access("\(path)/payments/tmp", F_OK) == 0 ? "\(path)/payments/tmp" : path
        let temporary = "\(room)/.\(getpid())-\(String(name, radix: 16))"
        do throws(StateError) {
            let descriptor = try Descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL)
            try handOver(descriptor)
            try descriptor.write(bytes, at: 0)
            try descriptor.synchronize()
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        return temporary
    }

    /// Makes the entries of a directory durable.
    static func synchronizeDirectory(_ path: String) throws(StateError) {
        try Descriptor(path, O_RDONLY | O_DIRECTORY).synchronizeEntries()
    }
}
