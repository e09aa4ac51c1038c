import CFastCGI
import Glibc

/// One accepted connection and the libfcgi request that reads from it.
struct Connection {
    let request: UnsafeMutablePointer<FCGX_Request>

    init(_ descriptor: Int32) {
        request = .allocate(capacity: 1)
        // Without a listening socket libfcgi cannot accept by itself when the peer hangs up.
        FCGX_InitRequest(request, -1, 0)
        request.pointee.ipcFd = descriptor
        // Else the first FCGX_Accept_r would close the connection as a finished one.
        request.pointee.keepConnection = 1
    }

    /// A connection that was put into the epoll under its address.
    init?(address: UInt64) {
        guard let pointer = UnsafeMutablePointer<FCGX_Request>(bitPattern: UInt(address)) else {
            return nil
        }
        request = pointer
    }

    var address: UInt64 { UInt64(UInt(bitPattern: request)) }
    var descriptor: Int32 { request.pointee.ipcFd }

    /// Reads the parameters of the next request; false when the peer hung up or sent nonsense.
    /// The corresponding C function is `FCGX_Accept_r`.
    func readRequest() -> Bool {
        let accepted = cfastcgi_begin(request)
        // libfcgi closes with a select() that cannot hold descriptors above 1023, unless told that
        // the connection is none of its business.
        request.pointee.detached = 1
        return accepted == 0
    }

    /// Sends what is left of the answer; whether the connection stays open for another request.
    /// The corresponding C function is `FCGX_Finish_r`.
    func finishRequest() -> Bool {
        cfastcgi_end(request) == 0 && request.pointee.ipcFd >= 0
    }

    func free() {
        if request.pointee.ipcFd >= 0 { close(request.pointee.ipcFd) }
        // What is left of a request that was broken off.
        FCGX_Free(request, 0)
        request.deallocate()
    }
}
