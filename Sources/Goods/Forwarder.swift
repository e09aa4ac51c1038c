import CCurl
import FastCGI
import Synchronization

/// Forwards requests to HTTP backends, streaming both ways in constant memory.
///
/// A backend that cannot be reached, or that answers 5xx, is not paid for: what the request took
/// is given back. A backend's 4xx is an answer and is sold as one.
public final class Forwarder: Sendable {
    /// A request for a backend.
    public struct Target {
        let url: BackendURL
        let path: [UInt8]

        /// - Parameters:
        ///   - base: `http://…`, `https://…` or `http+unix:…`, as `serve=` has it.
        ///   - path: Percent-encoded path, and the query behind `?`.
        public init(base: String, path: [UInt8]) {
            url = BackendURL(base)
            self.path = path
        }
    }

    private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

    /// Kept for their connections.
    private static let maximumIdle = 32

    private let idle = Mutex<[Handle]>([])
    private let timeoutSeconds: Int

    /// - Parameter timeoutSeconds: Seconds without a byte in either direction after which a backend
    ///   is given up.
    public init(timeoutSeconds: UInt64) {
        self.timeoutSeconds = Int(clamping: timeoutSeconds)
    }

    deinit {
        idle.withLock { handles in
            for handle in handles { ccurl_easy_cleanup(handle.pointer) }
        }
    }

    /// Forwards one request and sends the answer on as it comes.
    ///
    /// - Throws: ``FastCGI/ExchangeError`` when the web server hangs up.
    public func forward(_ target: Target, _ delivery: Delivery) throws(ExchangeError)
        -> DeliveryReport
    {
        guard ccurl_load() == 1,
            let handle = idle.withLock({ $0.popLast() })?.pointer ?? ccurl_easy_init()
        else {
            return try delivery.fail(
                503,
                code: "backend_unavailable",
                "the service cannot be asked right now",
                detail: "libcurl.so.4 cannot be loaded; install libcurl4"
            )
        }
        defer {
            let isKept = idle.withLock { handles in
                guard handles.count < Self.maximumIdle else { return false }
                handles.append(Handle(pointer: handle))
                return true
            }
            if !isKept { ccurl_easy_cleanup(handle) }
        }
        let transfer = BackendTransfer(delivery)
        let code = perform(target, delivery, transfer, on: handle)
        return try transfer.conclude(code)
    }

    private func perform(
        _ target: Target,
        _ delivery: Delivery,
        _ transfer: BackendTransfer,
        on handle: UnsafeMutableRawPointer
    ) -> CURLcode {
        ccurl_easy_reset(handle)
        ccurl_setopt_string(handle, CURLOPT_URL, target.url.base + "/")
        // As it is: libcurl's own reading of a URL plays no part.
        withCString(target.path) { ccurl_setopt_string(handle, CURLOPT_REQUEST_TARGET, $0) }
        if let socket = target.url.socket {
            ccurl_setopt_string(handle, CURLOPT_UNIX_SOCKET_PATH, socket)
        }
        ccurl_setopt_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_setopt_string(handle, CURLOPT_PROXY, "")
        ccurl_setopt_long(handle, CURLOPT_PATH_AS_IS, 1)
        ccurl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        ccurl_setopt_long(handle, CURLOPT_HTTP_VERSION, 2)  // CURL_HTTP_VERSION_1_1
        ccurl_setopt_long(handle, CURLOPT_BUFFERSIZE, 64 * 1024)
        ccurl_setopt_long(handle, CURLOPT_UPLOAD_BUFFERSIZE, 64 * 1024)
        ccurl_setopt_long(handle, CURLOPT_CONNECTTIMEOUT_MS, min(5, timeoutSeconds) * 1000)
        ccurl_setopt_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
        ccurl_setopt_long(handle, CURLOPT_LOW_SPEED_TIME, timeoutSeconds)
        ccurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, delivery.method)
        let isRepeatable = delivery.method == "GET" || delivery.method == "HEAD"
        // On a kept connection that turns out to be closed libcurl sends again by itself.
        if !isRepeatable { ccurl_setopt_long(handle, CURLOPT_FRESH_CONNECT, 1) }
        if delivery.method == "HEAD" { ccurl_setopt_long(handle, CURLOPT_NOBODY, 1) }

        let context = Unmanaged.passUnretained(transfer).toOpaque()
        ccurl_setopt_callback(handle, CURLOPT_HEADERFUNCTION, takeHeader)
        ccurl_setopt_pointer(handle, CURLOPT_HEADERDATA, context)
        ccurl_setopt_callback(handle, CURLOPT_WRITEFUNCTION, takeBody)
        ccurl_setopt_pointer(handle, CURLOPT_WRITEDATA, context)
        announceBody(delivery, context, on: handle)

        var list: UnsafeMutablePointer<curl_slist>?
        let fields = HeaderFilter.toBackend(delivery.exchange, sale: delivery.headers)
        // Without these libcurl would say something of its own.
        for line in ["Expect:", "Accept:", "User-Agent:"].map({ Array($0.utf8) }) + fields {
            withCString(line) { list = ccurl_slist_append(list, $0) ?? list }
        }
        defer { ccurl_slist_free(list) }
        ccurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, list)
        return withExtendedLifetime(transfer) { ccurl_easy_perform(handle) }
    }

    private func announceBody(
        _ delivery: Delivery,
        _ context: UnsafeMutableRawPointer,
        on handle: UnsafeMutableRawPointer
    ) {
        let exchange = delivery.exchange
        let declared = exchange.parameter("CONTENT_LENGTH").flatMap {
            Int(String(decoding: $0, as: UTF8.self))
        }
        let isChunked = exchange.parameter("HTTP_TRANSFER_ENCODING") != nil && declared == nil
        if let declared, declared > 0 {
            ccurl_setopt_long(handle, CURLOPT_UPLOAD, 1)
            ccurl_setopt_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(declared))
        } else if isChunked {
            ccurl_setopt_long(handle, CURLOPT_UPLOAD, 1)
        } else {
            if ["POST", "PUT", "PATCH"].contains(delivery.method) {
                ccurl_setopt_long(handle, CURLOPT_POST, 1)
                ccurl_setopt_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, 0)
                ccurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, delivery.method)
            }
            return
        }
        ccurl_setopt_callback(handle, CURLOPT_READFUNCTION, giveBody)
        ccurl_setopt_pointer(handle, CURLOPT_READDATA, context)
    }
}

/// The bytes with a zero behind them; they hold none.
private func withCString(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Void) {
    (bytes + [0]).withUnsafeBytes { buffer in
        if let start = buffer.bindMemory(to: CChar.self).baseAddress { body(start) }
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> BackendTransfer? {
    context.map { Unmanaged<BackendTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func bytes(_ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int)
    -> UnsafeMutableRawBufferPointer?
{
    let (total, overflow) = size.multipliedReportingOverflow(by: count)
    guard let start, !overflow, total >= 0 else { return nil }
    return UnsafeMutableRawBufferPointer(start: start, count: total)
}

/// What libcurl brings; the number of bytes taken, where another one than that of all stops.
private func take(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?,
    by taking: (BackendTransfer, [UInt8]) -> Bool
) -> Int {
    guard let bytes = bytes(start, size, count), let transfer = transfer(context) else { return 0 }
    return taking(transfer, Array(bytes)) ? bytes.count : 0
}

private func takeHeader(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    take(start, size, count, context) { $0.take(headerLine: $1) }
}

private func takeBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    take(start, size, count, context) { $0.take(body: $1) }
}

/// What libcurl takes for "stop": `CURL_READFUNC_ABORT`.
private let stopReading = 0x1000_0000

private func giveBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let room = bytes(start, size, count), let transfer = transfer(context),
        let chunk = transfer.readBody(upTo: room.count), chunk.count <= room.count
    else { return stopReading }
    room.copyBytes(from: chunk)
    return chunk.count
}
