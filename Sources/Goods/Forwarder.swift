import CCurl
import Curl
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

    /// How often a silent transfer looks whether its client is still there.
    private static let millisecondsBetweenLooks: Int32 = 300

    private let pool = CurlPool(maximumIdle: 32)
    private let timeoutSeconds: Int

    /// - Parameter timeoutSeconds: Seconds without a byte in either direction after which a backend
    ///   is given up.
    package init(timeoutSeconds: UInt64) {
        self.timeoutSeconds = Int(clamping: timeoutSeconds)
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
        guard let handle = pool.take() else {
            return try delivery.fail(
                503,
                code: "backend_unavailable",
                "the service cannot be asked right now",
                cause: .failure,
                detail: "libcurl.so.4 cannot be loaded; install libcurl4"
            )
        }
        defer { pool.giveBack(handle) }
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
        let result = perform(target, delivery, transfer, body, origin, on: handle)
        return try transfer.conclude(result)
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
        on handle: CurlHandle
    ) -> TransferResult {
        handle.set(CURLOPT_URL, target.url.base + "/")
        // As it is: libcurl's own reading of a URL plays no part.
        handle.set(CURLOPT_REQUEST_TARGET, target.path)
        if let socket = target.url.socket { handle.set(CURLOPT_UNIX_SOCKET_PATH, socket) }
        handle.set(CURLOPT_PATH_AS_IS, 1)
        handle.set(CURLOPT_HTTP_VERSION, 2)  // CURL_HTTP_VERSION_1_1
        handle.set(CURLOPT_BUFFERSIZE, 64 * 1024)
        handle.set(CURLOPT_UPLOAD_BUFFERSIZE, 64 * 1024)
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, min(5, timeoutSeconds) * 1000)
        handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
        handle.set(CURLOPT_LOW_SPEED_TIME, timeoutSeconds)
        handle.set(CURLOPT_CUSTOMREQUEST, delivery.method)
        // On a kept connection that turns out to be closed libcurl sends again by itself.
        if !delivery.isReading { handle.set(CURLOPT_FRESH_CONNECT, 1) }
        if delivery.method == "HEAD" { handle.set(CURLOPT_NOBODY, 1) }
        let fields = HeaderFilter.toBackend(
            delivery.exchange,
            origin: origin,
            isToldHost: target.url.isNameless,
            sale: delivery.sale
        )
        // Without these libcurl would say something of its own.
        let silent = ["Expect:", "Accept:", "User-Agent:"].map { Array($0.utf8) }
        handle.setHeaders(silent + fields)
        var posted: [UInt8]?
        if body.bytes != 0 {
            handle.setUpload(bytes: body.bytes)
        } else if ["POST", "PUT", "PATCH"].contains(delivery.method) {
            posted = []
        }
        return handle.run(
            transfer,
            posting: posted,
            lookMilliseconds: Self.millisecondsBetweenLooks
        )
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
