import Glibc
import POSIX

/// A unix socket that we made, known by its inode: what another process puts in its place later is
/// not ours.
struct SocketFile: Sendable {
    let path: String
    private let identity: FileIdentity

    /// The socket at a path just bound; `nil` when it is not there.
    private init?(_ path: String) {
        guard let status = FileStatus(path) else { return nil }
        self.path = path
        identity = status.version.file
    }

    /// Removes the socket from the directory, unless something else is there by now.
    func unlinkIfOurs() {
        if identity.isStill(at: path) { unsafe unlink(path) }
    }

    /// Makes a socket at a path and listens on it.
    ///
    /// - Throws: ``SystemError``, among others when another process answers on the path.
    static func bind(_ path: String) throws(SystemError) -> (Int32, SocketFile?) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else {
            throw SystemError("\(path): a socket's path has at most \(capacity - 1) bytes")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = try unsafe withUnsafePointer(to: &address) {
            pointer throws(SystemError) -> Int32 in
            try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                address throws(SystemError) -> Int32 in
                try unsafe bind(path, address)
            }
        }
        return (descriptor, SocketFile(path))
    }

    private static func bind(_ path: String, _ address: UnsafePointer<sockaddr>)
        throws(SystemError) -> Int32
    {
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        if let status = FileStatus(path) {
            guard status.kind == .socket else {
                throw SystemError("\(path): exists and is no socket")
            }
            let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let isAnswered = unsafe connect(probe, address, size) == 0
            close(probe)
            if isAnswered { throw SystemError("\(path): another process answers on it") }
            unsafe unlink(path)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let mask = umask(0o111)
        let isBound = unsafe descriptor >= 0 && Glibc.bind(descriptor, address, size) == 0
        let cause = errno
        umask(mask)
        guard isBound, listen(descriptor, Listener.backlog) == 0 else {
            let reason = unsafe String(cString: strerror(isBound ? errno : cause))
            if descriptor >= 0 { close(descriptor) }
            throw SystemError("\(path): cannot listen: \(reason)")
        }
        return descriptor
    }
}
