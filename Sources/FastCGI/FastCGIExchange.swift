import CFastCGI
import Glibc

/// A request that came over FastCGI. The corresponding C type is `FCGX_Request`.
final class FastCGIExchange: Exchange {
    private let request: UnsafeMutablePointer<FCGX_Request>

    init(_ request: UnsafeMutablePointer<FCGX_Request>) { self.request = request }

    var hasBody: Bool { request.pointee.role != FCGI_AUTHORIZER }

    func parameter(_ name: String) -> [UInt8]? {
        guard let value = FCGX_GetParam(name, request.pointee.envp) else { return nil }
        return bytes(value, count: strlen(value))
    }

    func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        eachPair(request.pointee.envp, prefixes, body)
    }

    func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        guard hasBody, let stream = request.pointee.in else { return [] }
        // What the peer sent was too much for libfcgi.
        var isBroken = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let got = buffer.withMemoryRebound(to: CChar.self) { room in
                room.baseAddress.map { cfastcgi_read(request, $0, Int32(clamping: room.count)) }
            }
            isBroken = got == -1
            used = max(0, Int(got ?? 0))
        }
        if bytes.isEmpty, isBroken || FCGX_GetError(stream) != 0 {
            throw ExchangeError("the web server hung up")
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(ExchangeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(1 << 20)
            let written = part.withUnsafeBytes { bytes in
                bytes.bindMemory(to: CChar.self).baseAddress.map {
                    cfastcgi_write(request, $0, Int32(clamping: bytes.count))
                }
            }
            guard let written, written == part.count else {
                throw ExchangeError("the web server hung up")
            }
            rest = rest.dropFirst(part.count)
        }
    }

    func flush() throws(ExchangeError) {
        guard cfastcgi_flush(request) == 0 else {
            throw ExchangeError("the web server hung up")
        }
    }

    /// Also when what was sent before has not been read yet, or the web server has aborted the
    /// request (`FCGI_ABORT_REQUEST`).
    var isPeerGone: Bool { cfastcgi_is_gone(request.pointee.ipcFd) != 0 }

    /// A connection that ends without `FCGI_END_REQUEST` is an error to every web server.
    func abort() { shutdown(request.pointee.ipcFd, Int32(SHUT_RDWR)) }
}

/// Calls `body` with each `NAME=value` of a C environment whose name begins with a prefix.
func eachPair(
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ prefixes: [StaticString],
    _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
) {
    guard var next = environment else { return }
    while let pair = next.pointee {
        next += 1
        guard prefixes.contains(where: { begins(pair, with: $0) }),
            let equals = strchr(pair, 0x3d)
        else { continue }
        let value = equals + 1
        body(bytes(pair, count: equals - pair), bytes(value, count: strlen(value)))
    }
}

/// Every request asks this of all its parameters: as C strings it would take longer than the rest.
private func begins(_ text: UnsafePointer<CChar>, with prefix: StaticString) -> Bool {
    let wanted = prefix.utf8Start
    for at in 0..<prefix.utf8CodeUnitCount where UInt8(bitPattern: text[at]) != wanted[at] {
        return false
    }
    return true
}

/// The bytes of a C string.
private func bytes(_ text: UnsafePointer<CChar>, count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: count))
}
