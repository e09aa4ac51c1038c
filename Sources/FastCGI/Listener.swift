import CFastCGI
import Glibc

/// A listening socket, bound by us or inherited.
///
/// `FCGX_OpenSocket` is not used: it unlinks the path first and ends the process when bind fails.
public struct Listener: Sendable {
    /// The descriptor, non-blocking and closed on exec.
    let descriptor: Int32
    /// The unix socket's path, removed when serving ends; `nil` for others.
    let path: String?

    /// Connections the kernel holds while all workers are busy.
    private static let backlog: Int32 = 1024

    /// Binds `unix:/path` or `host:port`.
    ///
    /// A unix socket can be connected to by everybody and answers whom ``welcomes(user:)`` says: web
    /// servers run under many names, and a mode and group that fit them all do not exist.
    ///
    /// - Throws: ``FastCGIError``, among others when another process answers on the path.
    public init(address: String) throws(FastCGIError) {
        if address.hasPrefix("unix:") {
            let path = String(address.dropFirst(5))
            self.init(descriptor: try Self.bindUnix(path), path: path)
        } else {
            self.init(descriptor: try Self.bindTCP(address), path: nil)
        }
    }

    private init(descriptor: Int32, path: String?) {
        self.descriptor = descriptor
        self.path = path
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// The socket that a spawner passed: descriptor 3 of systemd's socket activation
    /// (`LISTEN_FDS`), or a listening descriptor 0; `nil` when there is neither.
    public static func inherited() throws(FastCGIError) -> Listener? {
        if let count = getenv("LISTEN_FDS"), let owner = getenv("LISTEN_PID"),
            Int32(String(cString: owner)) == getpid(), String(cString: count) != "0"
        {
            guard String(cString: count) == "1", isListening(3) else {
                throw FastCGIError(
                    "LISTEN_FDS names \(String(cString: count)) descriptors; give one listening socket"
                )
            }
            return Listener(descriptor: 3, path: nil)
        }
        return isListening(0) ? Listener(descriptor: 0, path: nil) : nil
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
    }

    /// Whether requests of a connection are taken: through a socket that we made ourselves only from
    /// root, our own user, and system accounts such as `www-data` or `nobody`. Requests carry
    /// settings, so that whoever may send them is trusted as much as whoever starts the process.
    func welcomes(user: Int64) -> Bool {
        guard path != nil else { return true }
        return user >= 0 && (user == Int64(geteuid()) || user < 1000 || user >= 65_534)
    }

    private static func bindUnix(_ path: String) throws(FastCGIError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else {
            throw FastCGIError("\(path): a socket's path has at most \(capacity - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return try withUnsafePointer(to: &address) { pointer throws(FastCGIError) -> Int32 in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                address throws(FastCGIError) -> Int32 in
                try bindUnix(path, address)
            }
        }
    }

    private static func bindUnix(_ path: String, _ address: UnsafePointer<sockaddr>)
        throws(FastCGIError) -> Int32
    {
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
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
        let isBound = descriptor >= 0 && bind(descriptor, address, size) == 0
        let cause = errno
        umask(mask)
        guard isBound, listen(descriptor, backlog) == 0 else {
            let reason = String(cString: strerror(isBound ? errno : cause))
            if descriptor >= 0 { close(descriptor) }
            throw FastCGIError("\(path): cannot listen: \(reason)")
        }
        return descriptor
    }

    private static func bindTCP(_ text: String) throws(FastCGIError) -> Int32 {
        guard let colon = text.lastIndex(of: ":") else { throw FastCGIError("\(text): no port") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(text[text.index(after: colon)...]), &hints, &found)
        guard status == 0, let info = found else {
            throw FastCGIError("\(text): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(info) }
        let descriptor = socket(info.pointee.ai_family, info.pointee.ai_socktype, 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard descriptor >= 0,
            bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0,
            listen(descriptor, backlog) == 0
        else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw FastCGIError("\(text): cannot listen: \(reason)")
        }
        return descriptor
    }
}
