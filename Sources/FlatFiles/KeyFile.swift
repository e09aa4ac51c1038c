import Glibc
import L402
import POSIX
import Store
import Synchronization
import Text

/// The master keys, file `keys`: one per line, `id<TAB>64 hex digits<TAB>created`, `#` comments.
///
/// Made 0600 at the first start, whole or not at all, so that several first starts agree on one
/// key. The last line signs, all lines verify; a running process sees a new line at its next look.
package final class KeyFile: KeyRing {
    private struct Read {
        var keys: [MasterKey]
        var version: FileVersion
    }

    private static let head = """
        # Master keys of l402-fcgi: id, 32 bytes in hex, created. The last one signs new tokens, all
        # verify. Delete a line to make every token of that key worthless. Keep this file secret.

        """
    private static let limitBytes = 1 << 20

    private let directory: StateDirectory
    private let path: String
    private let read: Mutex<Read>

    /// Opens the keys, making the first one when there are none.
    package init(_ directory: StateDirectory) throws(StateError) {
        self.directory = directory
        let path = "\(directory.path)/keys"
        self.path = path
        if Self.version(path) == nil {
            try directory.create(path, Array((Self.head + Self.newLine(now: Clock.now())).utf8))
        }
        read = Mutex(try Self.load(path))
    }

    /// The keys of a directory that may not be there, for tools that only look.
    package static func read(at path: String) throws(StateError) -> [MasterKey] {
        try load(path).keys
    }

    /// The keys in force, the signing one last.
    package func keys() throws(StateError) -> [MasterKey] {
        let version = Self.version(path)
        let known: [MasterKey]? = read.withLock { $0.version == version ? $0.keys : nil }
        if let known { return known }
        let fresh = try Self.load(path)
        read.withLock { $0 = fresh }
        return fresh.keys
    }

    /// Appends a new key, which signs from now on; its id.
    package func rotate(now: UInt64) throws(StateError) -> String {
        while true {
            let old = try Descriptor(path, O_RDONLY)
            try old.lock()
            // Another rotation was faster and put a new file in the place of the one locked here.
            guard try old.identity.isStill(at: path) else { continue }
            // A damaged file is refused rather than made longer.
            _ = try Self.load(path)
            var text = String(decoding: try old.readAll(limit: Self.limitBytes), as: UTF8.self)
            if !text.hasSuffix("\n") { text += "\n" }
            let line = Self.newLine(now: now)
            try directory.replace(path, Array((text + line).utf8))
            old.unlock()
            return line.split(separator: "\t").first.map(String.init) ?? ""
        }
    }

    private static func newLine(now: UInt64) -> String {
        let id = Hex.encode(Randomness.bytes(4))
        return "\(id)\t\(Hex.encode(Randomness.bytes(32)))\t\(CalendarText.time(now))\n"
    }

    private static func version(_ path: String) -> FileVersion? {
        FileStatus(path, followingLinks: true)?.version
    }

    private static func load(_ path: String) throws(StateError) -> Read {
        guard let status = FileStatus(path, followingLinks: true) else {
            throw .system(path, "stat")
        }
        guard status.owner.user == geteuid() || geteuid() == 0 else {
            throw StateError(
                "\(path): belongs to user \(status.owner.user), not to \(geteuid()), which runs this"
            )
        }
        guard status.mode & 0o077 == 0 else {
            throw StateError("\(path): others may read or write it; chmod 0600 it")
        }
        let file = try Descriptor(path, O_RDONLY)
        let text = String(decoding: try file.readAll(limit: limitBytes), as: UTF8.self)
        var keys: [MasterKey] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let bytes = Hex.decode(Array(fields[1].utf8)),
                let created = CalendarText.seconds(String(fields[2])),
                let key = MasterKey(id: String(fields[0]), bytes: bytes, created: created),
                Set(bytes).count > 1
            else {
                throw StateError(
                    "\(path):\(index + 1): this line is not id<TAB>64 hex digits<TAB>YYYY-MM-DDTHH:MM:SSZ"
                )
            }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw StateError("\(path): holds no key; delete it to have a new one made")
        }
        return Read(keys: keys, version: status.version)
    }
}
