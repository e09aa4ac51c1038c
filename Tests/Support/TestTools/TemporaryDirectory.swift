import Glibc
import POSIX

/// A directory that goes away with the test.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// - Parameter parent: Where it is made; memory without it, where there is a file system of it.
    package init(in parent: String? = nil) throws {
        let parent = parent ?? (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
        var template = Array("\(parent)/l402-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw SystemError("\(parent): \(SystemReason.last.text)")
        }
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in Directory.names(in: path) {
            let entry = "\(path)/\(name)"
            if unlink(entry) != 0 { remove(entry) }
        }
        rmdir(path)
    }
}
