import CFastCGI
import Glibc

/// A request that came over FastCGI. The corresponding C type is `FCGX_Request`.
@safe final class FastCGIExchange: Exchange {
    private let request: UnsafeMutablePointer<FCGX_Request>

    init(_ request: UnsafeMutablePointer<FCGX_Request>) { unsafe self.request = request }

    var hasBody: Bool { unsafe request.pointee.role != FCGI_AUTHORIZER }

    func parameter(_ name: String) -> [UInt8]? {
        guard let value = unsafe FCGX_GetParam(name, request.pointee.envp) else { return nil }
        return unsafe bytes(value, count: strlen(value))
    }

    func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        unsafe eachPair(request.pointee.envp, prefixes, body)
    }

    func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        guard hasBody, let stream = unsafe request.pointee.in else { return [] }
        // What the peer sent was too much for libfcgi.
        var isBroken = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let got = unsafe buffer.withMemoryRebound(to: CChar.self) { room in
                unsafe room.baseAddress.map {
                    unsafe cfastcgi_read(request, $0, Int32(clamping: room.count))
                }
            }
            isBroken = got == -1
            used = max(0, Int(got ?? 0))
        }
        if bytes.isEmpty, unsafe isBroken || FCGX_GetError(stream) != 0 {
            throw ExchangeError("the web server hung up")
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(ExchangeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(1 << 20)
            let written = unsafe part.withUnsafeBytes { bytes in
                unsafe bytes.bindMemory(to: CChar.self).baseAddress.map {
                    unsafe cfastcgi_write(request, $0, Int32(clamping: bytes.count))
                }
            }
            guard let written, written == part.count else {
                throw ExchangeError("the web server hung up")
            }
            rest = rest.dropFirst(part.count)
        }
    }

    func flush() throws(ExchangeError) {
        guard unsafe cfastcgi_flush(request) == 0 else {
            throw ExchangeError("the web server hung up")
        }
    }

    /// Also when what was sent before has not been read yet, or the web server has aborted the
    /// request (`FCGI_ABORT_REQUEST`).
    var isPeerGone: Bool { unsafe cfastcgi_is_gone(request.pointee.ipcFd) != 0 }

    /// A connection that ends without `FCGI_END_REQUEST` is an error to every web server.
    func abort() { unsafe shutdown(request.pointee.ipcFd, Int32(SHUT_RDWR)) }
}

/// Calls `body` with each `NAME=value` of a C environment whose name begins with a prefix.
func eachPair(
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ prefixes: [StaticString],
    _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
) {
    guard var next = unsafe environment else { return }
    while let pair = unsafe next.pointee {
        unsafe next += 1
        guard prefixes.contains(where: { unsafe begins(pair, with: $0) }),
            let equals = unsafe strchr(pair, 0x3d)
        else { continue }
        let value = unsafe equals + 1
        unsafe body(bytes(pair, count: equals - pair), bytes(value, count: strlen(value)))
    }
}

/// Every request asks this of all its parameters: as C strings it would take longer than the rest.
private func begins(_ text: UnsafePointer<CChar>, with prefix: StaticString) -> Bool {
    let wanted = unsafe prefix.utf8Start
    for at in 0..<prefix.utf8CodeUnitCount where unsafe UInt8(bitPattern: text[at]) != wanted[at] {
        return false
    }
    return true
}

/// The bytes of a C string.
private func bytes(_ text: UnsafePointer<CChar>, count: Int) -> [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: text, count: count))
}
