import Glibc
import Settings

extension SettingsFiles {
    /// A settings file is never larger.
    static let maximumBytes = 1 << 20

    /// The files of this machine.
    static var real: SettingsFiles {
        SettingsFiles(
            read: { path throws(FileReason) in try contents(path) },
            isSafe: isSafe
        )
    }

    /// The bytes of a regular file; nothing else is waited for or read without end.
    static func contents(_ path: String) throws(FileReason) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw FileReason(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileReason("Not a file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileReason(String(cString: strerror(errno))) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= maximumBytes else {
                throw FileReason(String(cString: strerror(EFBIG)))
            }
        }
    }

    /// Whether what is at a path, and each directory on the way to it, belongs to root or to us and
    /// can be written by nobody else.
    static func isSafe(_ path: String) -> Bool {
        guard let real = canonical(path) else { return false }
        var rest = real[...]
        while true {
            var status = stat()
            let place = rest.isEmpty ? "/" : String(rest)
            guard lstat(place, &status) == 0, status.st_uid == 0 || status.st_uid == geteuid(),
                status.st_mode & 0o022 == 0
            else { return false }
            guard !rest.isEmpty, let slash = rest.lastIndex(of: "/") else { return true }
            rest = rest[..<slash]
        }
    }

    /// The path without symbolic links; `nil` when nothing is there.
    static func canonical(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
