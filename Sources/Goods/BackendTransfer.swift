import CCurl
import Curl
import FastCGI
import HTTP
import POSIX
import Store

/// One request on its way to a backend and back: what libcurl's callbacks write to.
///
/// The head of an answer is held until the first bytes of its body are there, so that a backend that
/// dies or falls silent between them is told to the client as what it is. Events go out at once.
final class BackendTransfer: Transfer {
    /// Goods are on their way from the first byte; the rest is written in one piece.
    private static let firstBytes = 4096
    private static let millisecondsBetweenLooks: UInt64 = 200

    private let delivery: Delivery
    private let links: PublicLinks
    private var head = BackendHead()
    /// Why the answer is none that can be passed on.
    private var problem: String?
    /// Why the client, not the backend, ended it.
    private var clientError: ExchangeError?
    /// Bytes of the request's body that are still to be read; `nil` when their number is not known.
    private var bodyLeft: Int?
    private var isBodyRead = false
    private var lastLook: UInt64 = 0

    /// - Parameter bodyBytes: The length of the request's body; `nil` when it is not known.
    init(_ delivery: Delivery, links: PublicLinks, bodyBytes: Int?) {
        self.delivery = delivery
        self.links = links
        bodyLeft = bodyBytes
        isBodyRead = bodyBytes == 0
    }

    // MARK: - What libcurl asks for and brings

    /// A part of the request's body; `nil` when it cannot be read.
    func body(upTo count: Int) -> [UInt8]? {
        do throws(ExchangeError) {
            let bytes = try delivery.exchange.read(upTo: count)
            if let left = bodyLeft {
                bodyLeft = max(0, left - bytes.count)
                isBodyRead = left <= bytes.count
                // The web server sent less than it said: no request to pass on.
                guard !bytes.isEmpty || left == 0 else {
                    throw ExchangeError("the body ended before its end")
                }
            } else {
                isBodyRead = bytes.isEmpty
            }
            return bytes
        } catch {
            clientError = error
            return nil
        }
    }

    /// One line of the answer's head, with its line end; false stops.
    func take(headerLine line: [UInt8]) -> Bool {
        let wasComplete = head.isComplete
        head.take(line)
        guard head.isComplete, !wasComplete else { return head.problem == nil }
        guard head.problem == nil, isPassable() else { return false }
        return !head.isEventStream || begin(with: [])
    }

    /// A part of the answer's body; false stops.
    func take(body: [UInt8]) -> Bool {
        guard head.isComplete, head.problem == nil else { return false }
        var rest = body
        if !delivery.isBegun {
            guard begin(with: Array(body.prefix(Self.firstBytes))) else { return false }
            rest = Array(body.dropFirst(Self.firstBytes))
        }
        guard !rest.isEmpty else { return true }
        return reach { () throws(ExchangeError) in
            try delivery.send(rest)
            // As it comes: whoever waits for one event does not wait for a buffer to fill.
            try delivery.exchange.flush()
        }
    }

    /// Whether somebody still waits for the answer; looked at a few times a second.
    func isWanted() -> Bool {
        let now = Clock.coarseMilliseconds()
        guard now >= lastLook + Self.millisecondsBetweenLooks else { return true }
        lastLook = now
        if delivery.exchange.isPeerGone, clientError == nil {
            clientError = ExchangeError("the web server hung up")
        }
        return clientError == nil
    }

    private var fields: Fields {
        let fields = HeaderFilter.toClient(head.fields, status: head.status, links: links)
        // Tells nginx, and only nginx, to pass events on as they come.
        return head.isEventStream ? fields + [("X-Accel-Buffering", "no")] : fields
    }

    private func isPassable() -> Bool {
        if delivery.fits(head.status, fields) { return true }
        problem = "the head of its answer is too large"
        return false
    }

    private func begin(with body: [UInt8]) -> Bool {
        reach { () throws(ExchangeError) in
            try delivery.begin(head.status, fields, body: body)
        }
    }

    private func reach(_ work: () throws(ExchangeError) -> Void) -> Bool {
        do throws(ExchangeError) {
            try work()
            return true
        } catch {
            clientError = error
            return false
        }
    }

    // MARK: - The end

    /// Says what became of it, and answers when nothing has been answered yet.
    ///
    /// - Throws: ``FastCGI/ExchangeError`` when it was the web server that hung up.
    func conclude(_ result: TransferResult) throws(ExchangeError) -> DeliveryReport {
        if clientError == nil, result.isWhole, head.isComplete, !delivery.isBegun {
            _ = begin(with: [])
        }
        if let clientError {
            delivery.clientLeft(whenAsked: result.sentBytes > 0 && isBodyRead)
            throw clientError
        }
        if result.isWhole, delivery.isBegun {
            return DeliveryReport(
                status: head.status,
                code: head.status >= 500 ? "goods_failed" : ""
            )
        }
        if delivery.isBegun {
            if !delivery.isBodyBegun, head.wantsBody(method: delivery.method) {
                delivery.giveBack(.failure)
            }
            // Only a broken connection tells the client that this was not all.
            delivery.exchange.abort()
            return DeliveryReport(
                status: head.status,
                code: "backend_broke_off",
                detail: "the backend stopped in the middle: \(result.reason)"
            )
        }
        return try fail(result.code, result.reason)
    }

    private func fail(_ code: CURLcode, _ reason: String) throws(ExchangeError) -> DeliveryReport {
        let problem = problem ?? head.problem
        if let problem = problem ?? (Self.isNonsense(code) ? reason : nil) {
            return try delivery.fail(
                502,
                code: "backend_answer_bad",
                "the service gave an answer that cannot be passed on; nothing has been taken",
                cause: .failure,
                detail: problem
            )
        }
        if code == CURLE_OPERATION_TIMEDOUT {
            return try delivery.fail(
                504,
                code: "backend_timeout",
                "the service does not answer; nothing has been taken",
                cause: .failure,
                detail: reason
            )
        }
        return try delivery.fail(
            502,
            code: "backend_unreachable",
            "the service cannot be reached; nothing has been taken",
            cause: .failure,
            detail: reason
        )
    }

    /// Whether there was an answer that libcurl does not take for HTTP.
    private static func isNonsense(_ code: CURLcode) -> Bool {
        code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL
            || code == CURLE_BAD_CONTENT_ENCODING
    }
}
