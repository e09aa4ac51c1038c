import Glibc

/// What the system says of a file. The corresponding C type is `stat`.
package struct FileStatus: Sendable {
    /// What kind of thing it is.
    package enum Kind: Sendable {
        case file, directory, socket, other
    }

    package let kind: Kind
    /// In bytes.
    package let size: Int
    /// Permission bits, `0o600` and the like.
    package let mode: mode_t
    /// Whom it belongs to.
    package let owner: Owner
    /// Which file it is, in which state.
    package let version: FileVersion

    /// What a path leads to; `nil`, with `errno` set, when that cannot be said.
    ///
    /// - Parameter followingLinks: Whether a symbolic link at the end of the path is followed.
    package init?(_ path: String, followingLinks: Bool = false) {
        var status = stat()
        let result = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
        guard result == 0 else { return nil }
        self.init(status)
    }

    /// An open file's; `nil` when that cannot be said.
    package init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFSOCK: kind = .socket
        default: kind = .other
        }
        size = Int(status.st_size)
        mode = status.st_mode & 0o7777
        owner = Owner(user: status.st_uid, group: status.st_gid)
        version = FileVersion(
            file: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            size: Int64(status.st_size),
            written: Self.nanoseconds(status.st_mtim),
            changed: Self.nanoseconds(status.st_ctim)
        )
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// When its content was last written, in seconds since 1970 by the system's clock.
    package var writtenSeconds: UInt64 { UInt64(max(0, version.written)) / 1_000_000_000 }

    /// Whether group or others may write to it.
    package var isWritableByOthers: Bool { mode & 0o022 != 0 }
}

/// Whom a file belongs to.
package struct Owner: Equatable, Sendable {
    package let user: uid_t
    package let group: gid_t

    package init(user: uid_t, group: gid_t) {
        self.user = user
        self.group = group
    }
}

/// A file by device and inode; no other one has the same as long as this one is open.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// Whether a directory entry leads to this very file.
    package func isStill(at path: String) -> Bool { FileStatus(path)?.version.file == self }
}

/// Which file, in which state: what tells one version of a file from the next.
package struct FileVersion: Hashable, Sendable {
    package var file: FileIdentity
    /// In bytes.
    package var size: Int64
    /// Nanoseconds since 1970 of the last write.
    package var written: Int64
    /// Nanoseconds since 1970 of the last change, renames and permissions included; nobody can set it.
    package var changed: Int64

    package init(file: FileIdentity, size: Int64, written: Int64, changed: Int64) {
        self.file = file
        self.size = size
        self.written = written
        self.changed = changed
    }
}
