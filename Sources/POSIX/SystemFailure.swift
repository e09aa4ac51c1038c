import Glibc

/// An error of the caller's own that a call to the system ends in, told in one line: what was tried
/// on what, and the system's reason.
package protocol SystemFailure: Error {
    init(_ reason: String)

    /// The same where the file system has no locks that processes share: what would be right is the
    /// caller's to say.
    static func withoutLocks(_ reason: String) -> Self
}

extension SystemFailure {
    package static func withoutLocks(_ reason: String) -> Self {
        Self("\(reason): this file system has no locks that processes share")
    }

    /// What the system said to the last call, as in
    /// `…/free: cannot open: No space left on device (ENOSPC)`.
    package static func system(_ path: String, _ call: String) -> Self {
        Self("\(path): cannot \(call): \(SystemReason.last.text)")
    }

    /// What the system said to a lock.
    static func lock(_ path: String) -> Self {
        let number = errno
        let reason = "\(path): cannot lock: \(SystemReason(number).text)"
        guard [EOPNOTSUPP, ENOTSUP, ENOLCK, ENOSYS, EINVAL].contains(number) else {
            return Self(reason)
        }
        return .withoutLocks(reason)
    }
}

/// The error of who has none of his own.
package struct SystemError: SystemFailure, Equatable, CustomStringConvertible {
    /// One line.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }

    package var description: String { reason }
}

/// Why a call failed (`errno`).
package struct SystemReason: Equatable, Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// Of the last call of this thread.
    package static var last: SystemReason { SystemReason(errno) }

    /// The system's words.
    package var words: String { unsafe String(cString: strerror(number)) }

    /// The words and the name, such as `No space left on device (ENOSPC)`.
    package var text: String {
        words + (Self.names[number].map { " (\($0))" } ?? " (errno \(number))")
    }

    private static let names: [Int32: String] = [
        EACCES: "EACCES", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG", EIO: "EIO",
        EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG",
        ENFILE: "ENFILE", ENOENT: "ENOENT", ENOLCK: "ENOLCK", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC",
        ENOSYS: "ENOSYS", ENOTDIR: "ENOTDIR", EOPNOTSUPP: "EOPNOTSUPP", EPERM: "EPERM",
        EROFS: "EROFS", ESTALE: "ESTALE",
    ]
}
