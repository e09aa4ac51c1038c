import CFastCGI
import Glibc

/// One accepted connection and the libfcgi request that reads from it.
@safe struct Connection {
    let request: UnsafeMutablePointer<FCGX_Request>

    init(_ descriptor: Int32) {
        unsafe request = .allocate(capacity: 1)
        // Without a listening socket libfcgi cannot accept by itself when the peer hangs up.
        unsafe FCGX_InitRequest(request, -1, 0)
        unsafe request.pointee.ipcFd = descriptor
        // Else the first FCGX_Accept_r would close the connection as a finished one.
        unsafe request.pointee.keepConnection = 1
    }

    /// A connection that was put into the epoll under its address.
    init?(address: UInt64) {
        guard let pointer = unsafe UnsafeMutablePointer<FCGX_Request>(bitPattern: UInt(address))
        else {
            return nil
        }
        unsafe request = pointer
    }

    var address: UInt64 { unsafe UInt64(UInt(bitPattern: request)) }
    var descriptor: Int32 { unsafe request.pointee.ipcFd }

    /// Reads the parameters of the next request; false when the peer hung up or sent nonsense.
    /// The corresponding C function is `FCGX_Accept_r`.
    func readRequest() -> Bool {
        let accepted = unsafe cfastcgi_begin(request)
        // libfcgi closes with a select() that cannot hold descriptors above 1023, unless told that
        // the connection is none of its business.
        unsafe request.pointee.detached = 1
        return accepted == 0
    }

    /// Sends what is left of the answer; whether the connection stays open for another request.
    /// The corresponding C function is `FCGX_Finish_r`.
    func finishRequest() -> Bool {
        unsafe cfastcgi_end(request) == 0 && request.pointee.ipcFd >= 0
    }

    func free() {
        if unsafe request.pointee.ipcFd >= 0 { unsafe close(request.pointee.ipcFd) }
        // What is left of a request that was broken off.
        unsafe FCGX_Free(request, 0)
        unsafe request.deallocate()
    }
}
