import Glibc
import Paywall

/// The directory of `L402_STATE_DIR`, opened and checked, and the few operations on whole files
/// that everything in it is made of.
///
/// Its file `format` holds `l402-state 1`; a directory of another format is refused.
public struct StateDirectory: Sendable {
    /// Absolute, without a slash at its end.
    public let path: String

    static let format = "l402-state 1\n"
    private static let rooms = ["payments", "payments/tmp", "free", "pending", "journal"]

    /// Opens the directory, making it (0700) and what belongs in it when they are not there.
    ///
    /// - Throws: ``StateError`` naming what is wrong: not a directory, not ours, open to others,
    ///   another format, not writable.
    public init(opening path: String) throws(StateError) {
        self.path = path
        try makeDirectory(path)
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(path, "stat") }
        guard status.st_uid == geteuid() || geteuid() == 0 else {
            throw StateError("\(path): belongs to user \(status.st_uid), not to \(geteuid()), which runs this")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw StateError("\(path): others may write to it; chmod 0700 it")
        }
        try checkFormat()
        for room in Self.rooms { try makeDirectory("\(path)/\(room)") }
    }

    private func checkFormat() throws(StateError) {
        let file = "\(path)/format"
        if try read("format", limit: 64) == nil {
            try create(file, Array(Self.format.utf8))
        }
        let found = try read("format", limit: 64).map { String(decoding: $0, as: UTF8.self) }
        guard found == Self.format else {
            throw StateError("\(file): this state is not of format \"l402-state 1\"; it is left alone")
        }
    }

    /// Makes a directory (0700) when it is not there, and its entry durable.
    func makeDirectory(_ path: String) throws(StateError) {
        if mkdir(path, 0o700) == 0 {
            try synchronizeDirectory(Self.parent(of: path))
            return
        }
        let cause = errno
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            errno = cause
            throw .system(path, "make the directory")
        }
    }

    /// The bytes of a file below the directory; `nil` when it is not there.
    func read(_ name: String, limit: Int) throws(StateError) -> [UInt8]? {
        let file = "\(path)/\(name)"
        guard let descriptor = try Descriptor.openIfPresent(file, O_RDONLY) else { return nil }
        let bytes = try descriptor.read(at: 0, count: limit + 1)
        guard bytes.count <= limit else { throw StateError("\(file): is larger than \(limit) bytes") }
        return bytes
    }

    /// Makes a file (0600) of exactly these bytes, durable, unless it is there; whether it did.
    /// Nobody ever sees it half written.
    @discardableResult
    func create(_ file: String, _ bytes: [UInt8]) throws(StateError) -> Bool {
        let temporary = try writeTemporary(bytes)
        defer { unlink(temporary) }
        if link(temporary, file) != 0 {
            if errno == EEXIST { return false }
            throw .system(file, "create")
        }
        try synchronizeDirectory(Self.parent(of: file))
        return true
    }

    /// Puts a file of exactly these bytes in the place of another, durable.
    func replace(_ file: String, _ bytes: [UInt8]) throws(StateError) {
        let temporary = try writeTemporary(bytes)
        guard rename(temporary, file) == 0 else {
            let error = StateError.system(file, "replace")
            unlink(temporary)
            throw error
        }
        try synchronizeDirectory(Self.parent(of: file))
    }

    /// A new file beside the others, whole and on disk, under a name nobody else uses.
    private func writeTemporary(_ bytes: [UInt8]) throws(StateError) -> String {
        let name = UInt64.random(in: .min ... .max)
        let room = access("\(path)/payments/tmp", F_OK) == 0 ? "\(path)/payments/tmp" : path
        let temporary = "\(room)/.\(getpid())-\(String(name, radix: 16))"
        do throws(StateError) {
            let descriptor = try Descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL)
            try descriptor.write(bytes, at: 0)
            try descriptor.synchronize()
        } catch {
            unlink(temporary)
            throw error
        }
        return temporary
    }

    /// Makes the entries of a directory durable.
    func synchronizeDirectory(_ path: String) throws(StateError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path, "open") }
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            guard errno == EINTR else { throw .system(path, "sync") }
        }
    }

    /// The names in a directory, unsorted; none when it is not there.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func parent(of path: String) -> String {
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return directory.isEmpty ? "/" : String(directory)
    }
}
