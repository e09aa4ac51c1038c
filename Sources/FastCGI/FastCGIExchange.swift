import CFastCGI
import Glibc

/// A request that came over FastCGI. The corresponding C type is `FCGX_Request`.
final class FastCGIExchange: Exchange {
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let beginLong: () -> Void

    /// - Parameter beginLong: Called when the answer may take long.
    init(_ request: UnsafeMutablePointer<FCGX_Request>, beginLong: @escaping () -> Void) {
        self.request = request
        self.beginLong = beginLong
    }

    var hasBody: Bool { request.pointee.role != FCGI_AUTHORIZER }

    func parameter(_ name: String) -> [UInt8]? {
        guard let value = FCGX_GetParam(name, request.pointee.envp) else { return nil }
        return Array(
            UnsafeBufferPointer(start: value, count: strlen(value)).lazy.map {
                UInt8(bitPattern: $0)
            }
        )
    }

    func forEachParameter(
        withPrefixes prefixes: [String],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        eachPair(request.pointee.envp, prefixes, body)
    }

    func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        guard hasBody, let stream = request.pointee.in else { return [] }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let got = buffer.withMemoryRebound(to: CChar.self) {
                FCGX_GetStr($0.baseAddress, Int32(clamping: $0.count), stream)
            }
            used = max(0, Int(got))
        }
        if bytes.isEmpty, FCGX_GetError(stream) != 0 {
            throw ExchangeError("the web server hung up")
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(ExchangeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(1 << 20)
            let written = part.withUnsafeBytes {
                FCGX_PutStr(
                    $0.bindMemory(to: CChar.self).baseAddress,
                    Int32(clamping: $0.count),
                    request.pointee.out
                )
            }
            guard written == part.count else { throw ExchangeError("the web server hung up") }
            rest = rest.dropFirst(part.count)
        }
    }

    func flush() throws(ExchangeError) {
        guard FCGX_FFlush(request.pointee.out) == 0 else {
            throw ExchangeError("the web server hung up")
        }
    }

    /// A connection that ends without `FCGI_END_REQUEST` is an error to every web server.
    func abort() { shutdown(request.pointee.ipcFd, Int32(SHUT_RDWR)) }

    func willTakeLong() { beginLong() }
}

/// Calls `body` with each `NAME=value` of a C environment whose name begins with a prefix.
func eachPair(
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ prefixes: [String],
    _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
) {
    guard var next = environment else { return }
    while let pair = next.pointee {
        next += 1
        let isWanted = prefixes.contains { prefix in
            strncmp(pair, prefix, prefix.utf8.count) == 0
        }
        guard isWanted, let equals = strchr(pair, 0x3d) else { continue }
        let bytes = UnsafeBufferPointer(start: pair, count: strlen(pair)).map {
            UInt8(bitPattern: $0)
        }
        let split = equals - pair
        body(Array(bytes.prefix(split)), Array(bytes.dropFirst(split + 1)))
    }
}
