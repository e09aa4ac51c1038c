import CCurl
import FastCGI
import Paywall

/// One request on its way to a backend and back: what libcurl's callbacks write to.
final class BackendTransfer {
    private static let headLimitBytes = 64 * 1024

    private let delivery: Delivery
    private var status = 0
    private var fields: [(name: String, value: String)] = []
    private var headBytes = 0
    private var isTooLarge = false
    private var isHeadSent = false
    /// The web server, not the backend, hung up.
    private var clientError: ExchangeError?

    init(_ delivery: Delivery) { self.delivery = delivery }

    // MARK: - What libcurl asks for and brings

    /// A part of the request's body; `nil` when it cannot be read.
    func readBody(upTo count: Int) -> [UInt8]? {
        do throws(ExchangeError) {
            return try delivery.exchange.read(upTo: count)
        } catch {
            clientError = error
            return nil
        }
    }

    /// One line of the answer's head, with its line end; false stops.
    func take(headerLine line: [UInt8]) -> Bool {
        headBytes += line.count
        guard headBytes <= Self.headLimitBytes else {
            isTooLarge = true
            return false
        }
        let text = String(foreign: line)
        if text.hasPrefix("HTTP/") {
            // Another one follows an interim answer such as 100 or 103.
            status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            fields = []
        } else if line == [0x0d, 0x0a] || line == [0x0a] {
            return (100...199).contains(status) || isHeadSent || sendHead()
        } else if !isHeadSent, let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((String(text[..<colon]), String(value.prefix { !$0.isNewline })))
        }
        return true
    }

    /// A part of the answer's body; false stops.
    func take(body: [UInt8]) -> Bool {
        send { exchange throws(ExchangeError) in
            try exchange.write(body)
            // As it comes: whoever waits for one event does not wait for a buffer to fill.
            try exchange.flush()
        }
    }

    private func sendHead() -> Bool {
        isHeadSent = true
        var head = HeaderFilter.toClient(fields)
        var own = status >= 500 ? delivery.headersAfterGivingBack() : delivery.headers
        let caching = head.filter { $0.name.lowercased() == "cache-control" }.map(\.value)
        if caching.contains(where: { $0.contains("no-store") || $0.contains("private") }) {
            own.removeAll { $0.name == "Cache-Control" }
        } else if own.contains(where: { $0.name == "Cache-Control" }) {
            // What one client paid for, no shared cache gives to others.
            head.removeAll { $0.name.lowercased() == "cache-control" }
        }
        let isEvents = head.contains {
            $0.name.lowercased() == "content-type" && $0.value.hasPrefix("text/event-stream")
        }
        // Tells nginx, and only nginx, to pass events on as they come.
        if isEvents { own.append(("X-Accel-Buffering", "no")) }
        return send { exchange throws(ExchangeError) in
            try self.delivery.begin(self.status, head + own)
            try exchange.flush()
        }
    }

    private func send(_ work: (any Exchange) throws(ExchangeError) -> Void) -> Bool {
        do throws(ExchangeError) {
            try work(delivery.exchange)
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
    func conclude(_ code: CURLcode) throws(ExchangeError) -> DeliveryReport {
        if let clientError {
            // Before the answer began no goods were released; afterwards they were, and a client
            // that hangs up at the last byte has them.
            if !isHeadSent { delivery.giveBackSilently() }
            throw clientError
        }
        if code == CURLE_OK, isHeadSent {
            let isFailed = status >= 500
            return DeliveryReport(status: status, code: isFailed ? "goods_failed" : "")
        }
        let reason = String(cString: ccurl_easy_strerror(code))
        if isHeadSent {
            if status < 500 { delivery.giveBackSilently() }
            // Only a broken connection tells the client that this was not all.
            delivery.exchange.abort()
            return DeliveryReport(
                status: status,
                code: "backend_broke_off",
                detail: "the backend stopped in the middle: \(reason)"
            )
        }
        if code == CURLE_OPERATION_TIMEDOUT {
            return try delivery.fail(
                504,
                code: "backend_timeout",
                "the service does not answer; nothing has been taken",
                detail: reason
            )
        }
        return try delivery.fail(
            502,
            code: "backend_unreachable",
            "the service cannot be reached; nothing has been taken",
            detail: isTooLarge ? "the head of its answer is too large" : reason
        )
    }
}
