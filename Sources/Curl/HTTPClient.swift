import CCurl
import POSIX

/// One HTTP call, whole, within bounds.
package struct HTTPCall: Sendable {
    package let method: String
    package let url: String
    /// `Name: value`.
    package let headers: [String]
    /// Sent with POST.
    package let body: [UInt8]

    package init(method: String, url: String, headers: [String], body: [UInt8]) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// An answer, read whole.
package struct HTTPReply: Sendable {
    package let status: Int
    package let head: ReplyHead
    package let body: [UInt8]

    package init(status: Int, head: ReplyHead, body: [UInt8]) {
        self.status = status
        self.head = head
        self.body = body
    }
}

/// Why there is no answer. The words are curl's and carry no part of the call.
package enum HTTPFailure: Error {
    case notLoaded
    case timeout
    case unreachable(String)
    case tooLarge
    /// A kept connection turned out to be closed before anything came back.
    case staleConnection
}

/// Makes HTTP calls over kept connections, one handle per call under way.
package final class HTTPClient: Sendable {
    /// What a client is told once for all its calls.
    package struct Options: Sendable {
        /// A file of certificates to trust instead of the system's.
        package var caFile: String?
        /// Bytes of an answer.
        package var replyLimitBytes = 256 * 1024
        /// A connection that was idle for so many seconds is not used again.
        package var idleSeconds = 4
        package var userAgent = "l402-fcgi"

        package init(caFile: String?) { self.caFile = caFile }
    }

    package let options: Options
    private let pool = CurlPool(maximumIdle: 64)

    package init(_ options: Options) { self.options = options }

    package func perform(_ call: HTTPCall, deadline: MonotonicTime) throws(HTTPFailure)
        -> HTTPReply
    {
        guard let handle = pool.take() else { throw .notLoaded }
        defer { pool.giveBack(handle) }
        let left = deadline.millisecondsFromNow()
        guard left > 0 else { throw .timeout }
        handle.set(CURLOPT_URL, call.url)
        handle.set(CURLOPT_USERAGENT, options.userAgent)
        handle.set(CURLOPT_TIMEOUT_MS, Int(clamping: left))
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: min(left, 3000)))
        handle.set(CURLOPT_MAXFILESIZE, options.replyLimitBytes)
        handle.set(CURLOPT_MAXAGE_CONN, options.idleSeconds)
        // libcurl sends a request again by itself when a kept connection turns out to be closed: an
        // order of an invoice must not be.
        let isOrder = call.method == "POST"
        if isOrder { handle.set(CURLOPT_FRESH_CONNECT, 1) }
        if let file = options.caFile { handle.set(CURLOPT_CAINFO, file) }
        handle.setHeaders((call.headers + ["Expect:"]).map { Array($0.utf8) })
        let sink = Sink(limit: options.replyLimitBytes)
        let result = handle.run(sink, posting: isOrder ? call.body : nil, lookMilliseconds: 1000)
        if sink.isOverfull { throw .tooLarge }
        try check(result, received: sink.bytes.count)
        return HTTPReply(status: result.status, head: sink.head, body: sink.bytes)
    }

    private func check(_ result: TransferResult, received: Int) throws(HTTPFailure) {
        switch result.code {
        case CURLE_OK:
            return
        case CURLE_OPERATION_TIMEDOUT:
            throw .timeout
        case CURLE_FILESIZE_EXCEEDED:
            throw .tooLarge
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            if result.openedConnections == 0, received == 0 { throw .staleConnection }
            throw .unreachable(result.reason)
        default:
            throw .unreachable(result.reason)
        }
    }
}

/// Collects an answer up to a limit.
private final class Sink: Transfer {
    private(set) var head = ReplyHead()
    private(set) var bytes: [UInt8] = []
    private(set) var isOverfull = false
    private var headBytes = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func take(body: [UInt8]) -> Bool {
        guard bytes.count + body.count <= limit else {
            isOverfull = true
            return false
        }
        bytes += body
        return true
    }

    func take(headerLine line: [UInt8]) -> Bool {
        headBytes += line.count
        guard headBytes <= ReplyHead.limitBytes else {
            isOverfull = true
            return false
        }
        head.read(line)
        return true
    }
}
