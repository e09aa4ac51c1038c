import CCurl
import FastCGI
import HTTP
import Store
import Synchronization
import Text

/// Forwards requests to HTTP backends, streaming both ways in constant memory.
///
/// A backend that cannot be reached, or that answers 5xx, is not paid for: what the request took
/// is given back. A backend's 4xx is an answer and is sold as one.
package final class Forwarder: Sendable {
    /// A request for a backend.
    package struct Target {
        let url: BackendURL
        let path: [UInt8]

        /// - Parameters:
        ///   - base: `http://…`, `https://…` or `http+unix:…`, as `serve=` has it.
        ///   - path: Percent-encoded path, and the query behind `?`.
        package init(base: String, path: [UInt8]) {
            url = BackendURL(base)
            self.path = path
        }
    }

    /// A transfer's handle, and the one that runs it and keeps its connections.
    private struct Handle: @unchecked Sendable {
        let easy: UnsafeMutableRawPointer
        let multi: UnsafeMutableRawPointer

        init?() {
            guard let easy = ccurl_easy_init() else { return nil }
            guard let multi = ccurl_multi_init() else {
                ccurl_easy_cleanup(easy)
                return nil
            }
            self.easy = easy
            self.multi = multi
        }

        func free() {
            ccurl_easy_cleanup(easy)
            ccurl_multi_cleanup(multi)
        }
    }

    /// Kept for their connections.
    private static let maximumIdle = 32
    /// How often a silent transfer looks whether its client is still there.
    private static let millisecondsBetweenLooks: Int32 = 300

    private let idle = Mutex<[Handle]>([])
    private let timeoutSeconds: Int

    /// - Parameter timeoutSeconds: Seconds without a byte in either direction after which a backend
    ///   is given up.
    package init(timeoutSeconds: UInt64) {
        self.timeoutSeconds = Int(clamping: timeoutSeconds)
    }

    deinit {
        idle.withLock { handles in
            for handle in handles { handle.free() }
        }
    }

    /// Forwards one request and sends the answer on as it comes.
    ///
    /// - Throws: ``FastCGI/ExchangeError`` when the web server hangs up.
    package func forward(_ target: Target, _ delivery: Delivery) throws(ExchangeError)
        -> DeliveryReport
    {
        if wantsUpgrade(delivery) {
            return try delivery.fail(
                501,
                code: "upgrade_not_possible",
                "no connection can be upgraded on this way; nothing has been taken",
                cause: .nothingDelivered,
                detail:
                    "serve=http… cannot pass a WebSocket on: let the web server do it (serve=@name)"
            )
        }
        let address = delivery.exchange.parameter("REMOTE_ADDR").flatMap { ClientAddress($0) }
        let client = address?.client ?? []
        guard TransferPlaces.shared.enter(client) else {
            return try delivery.fail(
                503,
                code: "backend_busy",
                "too many answers are under way; nothing has been taken",
                cause: .nothingDelivered,
                adding: [("Retry-After", "5")]
            )
        }
        defer { TransferPlaces.shared.leave(client) }
        guard ccurl_load() == 1, let handle = idle.withLock({ $0.popLast() }) ?? Handle() else {
            return try delivery.fail(
                503,
                code: "backend_unavailable",
                "the service cannot be asked right now",
                cause: .failure,
                detail: "libcurl.so.4 cannot be loaded; install libcurl4"
            )
        }
        defer {
            let isKept = idle.withLock { handles in
                guard handles.count < Self.maximumIdle else { return false }
                handles.append(handle)
                return true
            }
            if !isKept { handle.free() }
        }
        if delivery.exchange.isPeerGone {
            delivery.clientLeft()
            throw ExchangeError("the web server hung up")
        }
        let origin = PublicOrigin(parameter: delivery.exchange.parameter)
        let body = RequestBodyLength(delivery)
        let transfer = BackendTransfer(
            delivery,
            links: PublicLinks(backend: target.url, origin: origin),
            bodyBytes: body.bytes
        )
        let code = perform(target, delivery, transfer, body, origin, on: handle)
        var sent = 0
        ccurl_getinfo_long(handle.easy, CURLINFO_REQUEST_SIZE, &sent)
        return try transfer.conclude(code, isAsked: sent > 0)
    }

    /// FastCGI and CGI have no way for it, and an answer "upgrade first" is not what was bought. What
    /// a client merely offers, HTTP/2 without TLS, is left out of the request.
    private func wantsUpgrade(_ delivery: Delivery) -> Bool {
        if delivery.header("Sec-WebSocket-Key") != nil { return true }
        let protocols = (delivery.header("Upgrade") ?? "").lowercased().split(separator: ",")
        return protocols.contains { named in
            let name = named.filter { $0 != " " && $0 != "\t" }
            return !name.isEmpty && !["h2c", "h2", "http/2.0", "tls/1.2", "tls/1.0"].contains(name)
        }
    }

    private func perform(
        _ target: Target,
        _ delivery: Delivery,
        _ transfer: BackendTransfer,
        _ body: RequestBodyLength,
        _ origin: PublicOrigin?,
        on handles: Handle
    ) -> CURLcode {
        let handle = handles.easy
        ccurl_easy_reset(handle)
        ccurl_setopt_string(handle, CURLOPT_URL, target.url.base + "/")
        // As it is: libcurl's own reading of a URL plays no part.
        withCString(target.path) { ccurl_setopt_string(handle, CURLOPT_REQUEST_TARGET, $0) }
        if let socket = target.url.socket {
            ccurl_setopt_string(handle, CURLOPT_UNIX_SOCKET_PATH, socket)
        }
        ccurl_allow_http_only(handle)
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
        ccurl_setopt_progress(handle, isStillWanted)
        ccurl_setopt_pointer(handle, CURLOPT_XFERINFODATA, context)
        ccurl_setopt_long(handle, CURLOPT_NOPROGRESS, 0)
        announce(body, delivery, context, on: handle)

        var list: UnsafeMutablePointer<curl_slist>?
        let fields = HeaderFilter.toBackend(
            delivery.exchange,
            origin: origin,
            isToldHost: target.url.isNameless,
            sale: delivery.sale
        )
        // Without these libcurl would say something of its own.
        for line in ["Expect:", "Accept:", "User-Agent:"].map({ Array($0.utf8) }) + fields {
            withCString(line) { list = ccurl_slist_append(list, $0) ?? list }
        }
        defer { ccurl_slist_free(list) }
        ccurl_setopt_pointer(handle, CURLOPT_HTTPHEADER, list)
        return withExtendedLifetime(transfer) {
            ccurl_multi_run(handles.multi, handle, Self.millisecondsBetweenLooks)
        }
    }

    private func announce(
        _ body: RequestBodyLength,
        _ delivery: Delivery,
        _ context: UnsafeMutableRawPointer,
        on handle: UnsafeMutableRawPointer
    ) {
        guard body.bytes != 0 else {
            if ["POST", "PUT", "PATCH"].contains(delivery.method) {
                ccurl_setopt_long(handle, CURLOPT_POST, 1)
                ccurl_setopt_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, 0)
                ccurl_setopt_string(handle, CURLOPT_CUSTOMREQUEST, delivery.method)
            }
            return
        }
        ccurl_setopt_long(handle, CURLOPT_UPLOAD, 1)
        if let bytes = body.bytes {
            ccurl_setopt_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes))
        }
        ccurl_setopt_callback(handle, CURLOPT_READFUNCTION, giveBody)
        ccurl_setopt_pointer(handle, CURLOPT_READDATA, context)
    }
}

/// How long the body of a request is that a backend gets.
private struct RequestBodyLength {
    /// 0 for none; `nil` where it comes in chunks, whose end tells.
    let bytes: Int?

    init(_ delivery: Delivery) {
        let declared = delivery.exchange.parameter("CONTENT_LENGTH").flatMap {
            Int(String(foreign: $0))
        }
        if let declared {
            bytes = max(0, declared)
        } else {
            bytes = delivery.exchange.parameter("HTTP_TRANSFER_ENCODING") == nil ? 0 : nil
        }
    }
}
