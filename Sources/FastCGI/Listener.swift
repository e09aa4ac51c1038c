import CFastCGI
import Glibc
import POSIX

/// The listening sockets, bound by us or one that we inherited.
///
/// `FCGX_OpenSocket` is not used: it unlinks the path first and ends the process when bind fails.
package struct Listener: Sendable {
    /// Who can reach a gate, from the fewest to the most.
    package enum Reach: Int, Sendable, Comparable {
        /// Who may open a unix socket.
        case unixSocket
        /// Every program of this machine.
        case loopback
        /// Whoever reaches the port.
        case anywhere

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// The descriptors, non-blocking and closed on exec; at least one.
    let descriptors: [Int32]
    /// The unix socket that we made; `nil` for others.
    let file: SocketFile?
    /// Who can reach it.
    package let reach: Reach
    /// Where it listens, for people: a path or the addresses.
    package let place: String
    /// What the operator should know, one line each.
    package let notes: [String]

    /// Connections the kernel holds while all workers are busy.
    static let backlog: Int32 = 1024

    /// Binds `unix:/path` or `host:port`, all addresses of the host.
    ///
    /// A unix socket can be connected to by everybody and answers whom ``welcomes(user:)`` says: web
    /// servers run under many names, and a mode and group that fit them all do not exist.
    ///
    /// - Parameter anywhere: Whether addresses are taken that other machines reach.
    /// - Throws: ``SystemError``, among others when another process answers on the path.
    package init(address: String, anywhere: Bool = false) throws(SystemError) {
        if address.hasPrefix("unix:") {
            let path = String(address.dropFirst(5))
            let (descriptor, file) = try SocketFile.bind(path)
            self.init([descriptor], file: file, reach: .unixSocket, place: path)
        } else {
            let bound = try TCPAddress.bind(address, anywhere: anywhere)
            self.init(
                bound.descriptors,
                file: nil,
                reach: bound.addresses.contains { !$0.isLoopback } ? .anywhere : .loopback,
                place: bound.addresses.map(\.text).joined(separator: " and "),
                notes: bound.notes
            )
        }
    }

    private init(
        _ descriptors: [Int32],
        file: SocketFile?,
        reach: Reach,
        place: String,
        notes: [String] = []
    ) {
        self.descriptors = descriptors
        self.file = file
        self.reach = reach
        self.place = place
        self.notes = notes
        for descriptor in descriptors {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
    }

    /// The socket that a spawner passed: descriptor 3 of systemd's socket activation
    /// (`LISTEN_FDS`), or a listening descriptor 0; `nil` when there is neither.
    ///
    /// - Parameter anywhere: Whether one is taken that other machines reach.
    package static func inherited(anywhere: Bool = false) throws(SystemError) -> Listener? {
        if let count = unsafe getenv("LISTEN_FDS"), let owner = unsafe getenv("LISTEN_PID"),
            unsafe Int32(String(cString: owner)) == getpid(), unsafe String(cString: count) != "0"
        {
            guard unsafe String(cString: count) == "1", isListening(3) else {
                throw SystemError(
                    unsafe "LISTEN_FDS names \(String(cString: count)) descriptors; give one listening socket"
                )
            }
            return try inherited(3, anywhere: anywhere)
        }
        return isListening(0) ? try inherited(0, anywhere: anywhere) : nil
    }

    /// Whether a spawner passed one socket that listens, wherever it does.
    package static var isInherited: Bool {
        unsafe getenv("LISTEN_FDS") != nil ? isListening(3) || isListening(0) : isListening(0)
    }

    private static func inherited(_ descriptor: Int32, anywhere: Bool) throws(SystemError)
        -> Listener
    {
        guard let address = TCPAddress(of: descriptor) else {
            let place = "descriptor \(descriptor)"
            return Listener([descriptor], file: nil, reach: .unixSocket, place: place)
        }
        guard address.isLoopback || anywhere else { throw TCPAddress.refusal(of: [address]) }
        return Listener(
            [descriptor],
            file: nil,
            reach: address.isLoopback ? .loopback : .anywhere,
            place: "\(address.text) (descriptor \(descriptor))"
        )
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0
            && value != 0
    }

    /// Whether requests of a connection are taken: through a socket that we made ourselves only from
    /// root, our own user, and system accounts such as `www-data` or `nobody`. Requests carry
    /// settings, so that whoever may send them is trusted as much as whoever starts the process.
    func welcomes(user: Int64) -> Bool {
        guard file != nil else { return true }
        return user >= 0 && (user == Int64(geteuid()) || user < 1000 || user >= 65_534)
    }

    /// Lets the unix socket's path go, so that nobody new connects and another gate can take it.
    func releasePath() { file?.unlinkIfOurs() }

    /// Ends listening: lets the path go and closes what is ours of the sockets. Connections that
    /// nobody has accepted are refused, unless another process holds the socket too.
    package func letGo() {
        releasePath()
        for descriptor in descriptors {
            // What is opened next must not become a standard descriptor.
            let null =
                unsafe descriptor <= STDERR_FILENO ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1
            if null >= 0 {
                dup2(null, descriptor)
                close(null)
            } else {
                close(descriptor)
            }
        }
    }
}
