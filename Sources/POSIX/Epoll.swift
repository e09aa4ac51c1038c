import CPOSIX
import Glibc

/// Waits for many descriptors at once, in any number of threads. The corresponding C functions are
/// those of `epoll(7)`.
package struct Epoll: Sendable {
    private let descriptor: Int32

    /// `nil` when the system has no more descriptors.
    package init?() {
        descriptor = cposix_epoll()
        guard descriptor >= 0 else { return nil }
    }

    /// Waits for a descriptor that is not waited for yet; false when that cannot be.
    ///
    /// - Parameters:
    ///   - once: Whether one event is told, and no other before ``rearm(_:data:)``.
    ///   - data: What ``next()`` gives for it.
    @discardableResult
    package func add(_ watched: Int32, once: Bool, data: UInt64) -> Bool {
        cposix_watch(descriptor, watched, 1, once ? 1 : 0, data) == 0
    }

    /// Waits for the next event of a descriptor that told one; false when that cannot be.
    @discardableResult
    package func rearm(_ watched: Int32, data: UInt64) -> Bool {
        cposix_watch(descriptor, watched, 0, 1, data) == 0
    }

    /// Forgets a descriptor: closing it does not where another process holds the socket.
    package func remove(_ watched: Int32) { _ = cposix_unwatch(descriptor, watched) }

    /// Waits for an event without end; `nil` when interrupted or broken, with `errno` set.
    package func next() -> UInt64? {
        var data: UInt64 = 0
        return unsafe cposix_wait(descriptor, &data) == 1 ? data : nil
    }
}

/// Something that one thread tells all that wait for it in an ``Epoll``. The corresponding C function
/// is `eventfd`.
package struct WakeEvent: Sendable {
    /// For ``Epoll/add(_:once:data:)``.
    package let descriptor: Int32

    /// `nil` when the system has no more descriptors.
    package init?() {
        descriptor = cposix_event()
        guard descriptor >= 0 else { return nil }
    }

    /// Tells it. It is never read: once told, it wakes everybody for good.
    package func tell() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }
}

/// Sockets, for what Swift's Glibc leaves out.
package enum Sockets {
    /// Accepts a connection, which no program that is started inherits; negative, with `errno` set,
    /// when there is none.
    package static func accept(_ listening: Int32) -> Int32 { cposix_accept(listening) }

    /// The user of the process at the other end of a unix socket (`SO_PEERCRED`), or -1.
    package static func peerUser(_ descriptor: Int32) -> Int64 { cposix_peer_user(descriptor) }

    /// Gives up a read or a write that waits for longer.
    package static func setTimeout(_ descriptor: Int32, seconds: Int) {
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
    }
}

/// The memory of this process.
package enum ProcessMemory {
    /// Takes the pages of code out of memory; what is run again comes back from the page cache. Most
    /// of what a start runs is never run again: a TLS library, parsers, the runtime.
    package static func forgetCode() { cposix_forget_code() }
}
