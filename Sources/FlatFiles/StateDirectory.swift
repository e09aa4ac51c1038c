import Glibc
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
    static let rooms = ["payments", "payments/tmp", "free", "pending", "journal"]

    /// Opens the directory, making it (0700) and what belongs in it when they are not there.
    ///
    /// - Throws: ``StateError`` naming what is wrong: not a directory, not ours, open to others,
    ///   another format, not writable.
    package init(opening path: String) throws(StateError) {
        self.path = path
        if mkdir(path, 0o700) == 0 { try Self.synchronizeDirectory(Self.parent(of: path)) }
        let cause = errno
        var status = stat()
        guard stat(path, &status) == 0 else {
            errno = cause
            throw .system(path, "make the directory")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StateError("\(path): is not a directory")
        }
        owner = Owner(user: status.st_uid, group: status.st_gid)
        guard status.st_uid == geteuid() || geteuid() == 0 else {
            throw StateError(
                "\(path): belongs to user \(status.st_uid), not to \(geteuid()), which runs this"
            )
        }
        guard status.st_mode & 0o022 == 0 else {
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
        if mkdir(path, 0o700) == 0 {
            if isForeign, chown(path, owner.user, owner.group) != 0 {
                throw .system(path, "change the owner of")
            }
            try Self.synchronizeDirectory(Self.parent(of: path))
            return true
        }
        let cause = errno
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
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
        defer { unlink(temporary) }
        // Opened first: with the last descriptor gone, the file must not appear and then fail.
        let room = try Descriptor(Self.parent(of: file), O_RDONLY | O_DIRECTORY)
        if link(temporary, file) != 0 {
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
        defer { unlink(temporary) }
        let room = try Descriptor(Self.parent(of: file), O_RDONLY | O_DIRECTORY)
        guard rename(temporary, file) == 0 else { throw .system(file, "replace") }
        try room.synchronizeEntries()
    }

    /// A new file beside the others, whole and on disk, under a name nobody else uses.
    private func writeTemporary(_ bytes: [UInt8]) throws(StateError) -> String {
        let name = UInt64.random(in: .min ... .max)
        let room = access("\(path)/payments/tmp", F_OK) == 0 ? "\(path)/payments/tmp" : path
        let temporary = "\(room)/.\(getpid())-\(String(name, radix: 16))"
        do throws(StateError) {
            let descriptor = try Descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL)
            try handOver(descriptor)
            try descriptor.write(bytes, at: 0)
            try descriptor.synchronize()
        } catch {
            unlink(temporary)
            throw error
        }
        return temporary
    }

    /// Makes the entries of a directory durable.
    static func synchronizeDirectory(_ path: String) throws(StateError) {
        try Descriptor(path, O_RDONLY | O_DIRECTORY).synchronizeEntries()
    }

    /// The names in a directory, unsorted; none when it is not there.
    static func names(in path: String) -> [String] {
        var names: [String] = []
        eachName(in: path) {
            names.append($0)
            return true
        }
        return names
    }

    /// Visits the names in a directory one by one until `body` says `false`: a directory of a
    /// million entries is not read for the sake of a few.
    static func eachName(in path: String, _ body: (String) -> Bool) {
        guard let directory = opendir(path) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." && !body(name) { return }
        }
    }

    private static func parent(of path: String) -> String {
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return directory.isEmpty ? "/" : String(directory)
    }
}
