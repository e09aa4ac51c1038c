import CCurl
import Synchronization

/// One HTTP call, whole, within bounds.
struct HTTPCall {
    let method: String
    let url: String
    let headers: [String]
    let body: [UInt8]
}

/// An answer, read whole.
struct HTTPReply {
    let status: Int
    let head: ReplyHead
    let body: [UInt8]

    /// HTML and plain text are told apart from JSON by their first byte; the content type is not
    /// trusted for that, since proxies send both.
    var startsLikeJSON: Bool {
        let first = body.first { $0 > 0x20 }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }
}

/// Why there is no answer. The words are curl's and carry no part of the call.
enum HTTPFailure: Error {
    case notLoaded
    case timeout
    case unreachable(String)
    case tooLarge
    /// A kept connection turned out to be closed before anything came back.
    case staleConnection
}

/// Makes HTTP calls over kept connections, one handle per call under way.
final class HTTPClient: Sendable {
    /// An answer of LNbits is about 1 KiB.
    static let replyLimitBytes = 256 * 1024

    private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

    private let idle = Mutex<[Handle]>([])
    private let caFile: String?

    init(caFile: String?) { self.caFile = caFile }

    deinit {
        idle.withLock { handles in
            for handle in handles { ccurl_easy_cleanup(handle.pointer) }
        }
    }

    func perform(_ call: HTTPCall, deadline: MonotonicTime) throws(HTTPFailure) -> HTTPReply {
        guard ccurl_load() == 1 else { throw .notLoaded }
        let known = idle.withLock { $0.popLast() }
        guard let handle = known?.pointer ?? ccurl_easy_init() else { throw .notLoaded }
        defer { idle.withLock { $0.append(Handle(pointer: handle)) } }
        return try perform(call, on: handle, deadline: deadline)
    }

    private func perform(
        _ call: HTTPCall,
        on handle: UnsafeMutableRawPointer,
        deadline: MonotonicTime
    ) throws(HTTPFailure) -> HTTPReply {
        let left = deadline.millisecondsFromNow()
        guard left > 0 else { throw .timeout }
        ccurl_easy_reset(handle)
        ccurl_setopt_string(handle, CURLOPT_URL, call.url)
        ccurl_allow_http_only(handle)
        ccurl_setopt_string(handle, CURLOPT_USERAGENT, "l402-fcgi")
        ccurl_setopt_string(handle, CURLOPT_PROXY, "")
        ccurl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        ccurl_setopt_long(handle, CURLOPT_TIMEOUT_MS, Int(clamping: left))
        ccurl_setopt_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: min(left, 3000)))
        ccurl_setopt_long(handle, CURLOPT_MAXFILESIZE, Self.replyLimitBytes)
        // LNbits' server closes idle connections after 5 seconds.
        ccurl_setopt_long(handle, CURLOPT_MAXAGE_CONN, 4)
        // libcurl sends a request again by itself when a kept connection turns out to be closed: an
        // order of an invoice must not be.
        if call.method == "POST" { ccurl_setopt_long(handle, CURLOPT_FRESH_CONNECT, 1) }
        if let caFile { ccurl_setopt_string(handle, CURLOPT_CAINFO, caFile) }

        var list: UnsafeMutablePointer<curl_slist>?
        for header in call.headers + ["Expect:"] { list = ccurl_slist_append(list, header) ?? list }
        defer { ccurl_slist_free(list) }
        ccurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, list)

        let sink = Sink(limit: Self.replyLimitBytes)
        let context = Unmanaged.passUnretained(sink).toOpaque()
        ccurl_setopt_callback(handle, CURLOPT_WRITEFUNCTION, collectBody)
        ccurl_setopt_pointer(handle, CURLOPT_WRITEDATA, context)
        ccurl_setopt_callback(handle, CURLOPT_HEADERFUNCTION, collectHead)
        ccurl_setopt_pointer(handle, CURLOPT_HEADERDATA, context)
        let code = withExtendedLifetime(sink) {
            call.body.withUnsafeBytes { body -> CURLcode in
                if call.method == "POST" {
                    ccurl_setopt_long(handle, CURLOPT_POST, 1)
                    ccurl_setopt_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
                    ccurl_setopt_pointer(
                        handle,
                        CURLOPT_POSTFIELDS,
                        UnsafeMutableRawPointer(mutating: body.baseAddress)
                    )
                }
                return ccurl_easy_perform(handle)
            }
        }
        if sink.isOverfull { throw .tooLarge }
        try check(code, handle, received: sink.bytes.count)
        var status = 0
        ccurl_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return HTTPReply(status: status, head: sink.head, body: sink.bytes)
    }

    private func check(_ code: CURLcode, _ handle: UnsafeMutableRawPointer, received: Int)
        throws(HTTPFailure)
    {
        switch code {
        case CURLE_OK:
            return
        case CURLE_OPERATION_TIMEDOUT:
            throw .timeout
        case CURLE_FILESIZE_EXCEEDED:
            throw .tooLarge
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            var opened = 1
            ccurl_getinfo_long(handle, CURLINFO_NUM_CONNECTS, &opened)
            if opened == 0, received == 0 { throw .staleConnection }
            throw .unreachable(String(cString: ccurl_easy_strerror(code)))
        case let other:
            throw .unreachable(String(cString: ccurl_easy_strerror(other)))
        }
    }
}

/// Collects an answer up to a limit.
private final class Sink {
    private(set) var head = ReplyHead()
    private(set) var bytes: [UInt8] = []
    private(set) var isOverfull = false
    private var headBytes = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Whether it goes on; false makes curl stop.
    func append(_ part: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count + part.count <= limit else {
            isOverfull = true
            return false
        }
        bytes.append(contentsOf: part)
        return true
    }

    /// The same for one line of the head.
    func appendLine(_ line: UnsafeRawBufferPointer) -> Bool {
        headBytes += line.count
        guard headBytes <= ReplyHead.limitBytes else {
            isOverfull = true
            return false
        }
        head.read(line)
        return true
    }
}

private func collectBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    collect(bytes, size, count, context) { $0.append($1) }
}

private func collectHead(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    collect(bytes, size, count, context) { $0.appendLine($1) }
}

private func collect(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?,
    into append: (Sink, UnsafeRawBufferPointer) -> Bool
) -> Int {
    let (total, overflow) = size.multipliedReportingOverflow(by: count)
    guard let bytes, let context, !overflow else { return 0 }
    let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
    return append(sink, UnsafeRawBufferPointer(start: bytes, count: total)) ? total : 0
}
