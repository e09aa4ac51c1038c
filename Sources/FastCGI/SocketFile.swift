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
        if identity.isStill(at: path) { unlink(path) }
    }

    /// Makes a socket at a path and listens on it.
    ///
    /// - Throws: ``FastCGIError``, among others when another process answers on the path.
    static func bind(_ path: String) throws(FastCGIError) -> (Int32, SocketFile?) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else {
            throw FastCGIError("\(path): a socket's path has at most \(capacity - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = try withUnsafePointer(to: &address) {
            pointer throws(FastCGIError) -> Int32 in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                address throws(FastCGIError) -> Int32 in
                try bind(path, address)
            }
        }
        return (descriptor, SocketFile(path))
    }

    private static func bind(_ path: String, _ address: UnsafePointer<sockaddr>)
        throws(FastCGIError) -> Int32
    {
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        if let status = FileStatus(path) {
            guard status.kind == .socket else {
                throw FastCGIError("\(path): exists and is no socket")
            }
            let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let isAnswered = connect(probe, address, size) == 0
            close(probe)
            if isAnswered { throw FastCGIError("\(path): another process answers on it") }
            unlink(path)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let mask = umask(0o111)
        let isBound = descriptor >= 0 && Glibc.bind(descriptor, address, size) == 0
        let cause = errno
        umask(mask)
        guard isBound, listen(descriptor, Listener.backlog) == 0 else {
            let reason = String(cString: strerror(isBound ? errno : cause))
            if descriptor >= 0 { close(descriptor) }
            throw FastCGIError("\(path): cannot listen: \(reason)")
        }
        return descriptor
    }
}
