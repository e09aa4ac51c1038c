import Glibc
import POSIX

extension SettingsFiles {
    /// A settings file is never larger.
    private static let maximumBytes = 1 << 20

    /// The files of this machine.
    package static var real: SettingsFiles {
        SettingsFiles(
            read: { path throws(FileReason) in
                do throws(WholeFile.Unreadable) {
                    return try WholeFile.read(path, limit: maximumBytes)
                } catch {
                    throw FileReason(error.words)
                }
            },
            isSafe: isSafe
        )
    }

    /// Whether what is at a path, and each directory on the way to it, belongs to root or to us and
    /// can be written by nobody else.
    package static func isSafe(_ path: String) -> Bool {
        guard let real = WholeFile.canonical(path) else { return false }
        var rest = real[...]
        while true {
            guard let status = FileStatus(rest.isEmpty ? "/" : String(rest)),
                [0, geteuid()].contains(status.owner.user), !status.isWritableByOthers
            else { return false }
            guard !rest.isEmpty, let slash = rest.lastIndex(of: "/") else { return true }
            rest = rest[..<slash]
        }
    }
}
