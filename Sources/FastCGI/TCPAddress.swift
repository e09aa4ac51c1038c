import Glibc
import POSIX

/// An IP address and port that one can listen on.
struct TCPAddress: Equatable, Sendable {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    private let bytes: [UInt8]
    private let family: Int32

    private init(_ bytes: [UInt8], family: Int32) {
        self.bytes = bytes
        self.family = family
    }

    /// The address that a socket is bound to; `nil` for one of another kind.
    init?(of descriptor: Int32) {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        let family = Int32(storage.ss_family)
        guard status == 0, family == AF_INET || family == AF_INET6 else { return nil }
        bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0.prefix(Int(size))) }
        self.family = family
    }

    /// Whether only this machine reaches it: 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        guard family == AF_INET6 else { return ip.first == 127 }
        let mapped = Array(repeating: UInt8(0), count: 10) + [0xff, 0xff, 127]
        return ip.starts(with: mapped) || ip == Array(repeating: 0, count: 15) + [1]
    }

    /// The address itself: port and family come before it in both structures, and in that of IPv6
    /// four bytes of flow as well.
    private var ip: [UInt8] {
        Array(family == AF_INET6 ? bytes.dropFirst(8).prefix(16) : bytes.dropFirst(4).prefix(4))
    }

    /// `127.0.0.1:9402` or `[::1]:9402`.
    var text: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let size = (host: socklen_t(host.count), port: socklen_t(port.count))
        let status = unsafe withAddress {
            unsafe getnameinfo(
                $0,
                $1,
                &host,
                size.host,
                &port,
                size.port,
                NI_NUMERICHOST | NI_NUMERICSERV
            )
        }
        guard status == 0 else { return "an address" }
        let name = String(nullTerminated: host)
        return (name.contains(":") ? "[\(name)]" : name) + ":" + String(nullTerminated: port)
    }

    private func withAddress<Result>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result)
        -> Result
    {
        unsafe bytes.withUnsafeBytes {
            unsafe body($0.bindMemory(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
    }

    /// Why addresses are not listened on that other machines reach.
    static func refusal(of addresses: [TCPAddress]) -> SystemError {
        let text = addresses.map(\.text).joined(separator: " and ")
        return SystemError(
            "\(text) is no loopback address: whoever reaches that port is trusted as your web "
                + "server is, and says who a client is; give unix:/run/l402/l402.sock or "
                + "127.0.0.1:9402, or L402_LISTEN_ANYWHERE=on where a firewall or a private "
                + "network keeps others away"
        )
    }

    /// Listens on all addresses of `host:port`.
    ///
    /// An address that this machine does not have is left out with a note: many a name stands for
    /// an IPv6 address on machines without IPv6.
    ///
    /// - Throws: ``SystemError`` when there is none, or one that cannot be had.
    static func bind(_ text: String, anywhere: Bool) throws(SystemError)
        -> (descriptors: [Int32], addresses: [TCPAddress], notes: [String])
    {
        let all = try resolve(text)
        let open = all.filter { !$0.isLoopback }
        guard open.isEmpty || anywhere else { throw refusal(of: open) }
        var descriptors: [Int32] = []
        var addresses: [TCPAddress] = []
        var notes: [String] = []
        for address in all {
            let descriptor = address.listen()
            if descriptor >= 0 {
                descriptors.append(descriptor)
                addresses.append(address)
                continue
            }
            let reason = unsafe String(cString: strerror(errno))
            guard [EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno) else {
                for descriptor in descriptors { close(descriptor) }
                throw SystemError("\(address.text): cannot listen: \(reason)")
            }
            notes.append("\(text): \(address.text) is not listened on: \(reason)")
        }
        guard !descriptors.isEmpty else {
            throw SystemError("\(text): cannot listen: " + notes.joined(separator: "; "))
        }
        return (descriptors, addresses, notes)
    }

    /// A new listening socket; -1 with `errno` set.
    private func listen() -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // Else :: takes the IPv4 addresses as well, which may come next.
        if family == AF_INET6 {
            unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size)
        }
        guard unsafe withAddress({ unsafe Glibc.bind(descriptor, $0, $1) }) == 0,
            Glibc.listen(descriptor, Listener.backlog) == 0
        else {
            let cause = errno
            close(descriptor)
            errno = cause
            return -1
        }
        return descriptor
    }

    /// The addresses of `host:port`, each once; `[::1]:9402` with brackets.
    private static func resolve(_ text: String) throws(SystemError) -> [TCPAddress] {
        guard let colon = text.lastIndex(of: ":") else { throw SystemError("\(text): no port") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(
            host,
            String(text[text.index(after: colon)...]),
            &hints,
            &found
        )
        guard status == 0, let first = unsafe found else {
            throw SystemError(unsafe "\(text): \(String(cString: gai_strerror(status)))")
        }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [TCPAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while let info = unsafe next?.pointee {
            unsafe next = info.ai_next
            guard let raw = unsafe info.ai_addr,
                unsafe [AF_INET, AF_INET6].contains(info.ai_family)
            else {
                continue
            }
            let bytes = unsafe UnsafeRawBufferPointer(start: raw, count: Int(info.ai_addrlen))
            let address = unsafe TCPAddress(Array(bytes), family: info.ai_family)
            if !addresses.contains(address) { addresses.append(address) }
        }
        guard !addresses.isEmpty else { throw SystemError("\(text): has no IP address") }
        return addresses
    }
}

extension String {
    /// The text before the first null.
    fileprivate init(nullTerminated text: [CChar]) {
        self.init(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
