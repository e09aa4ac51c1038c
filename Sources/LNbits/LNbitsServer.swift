import Curl
import FoundationEssentials
import POSIX
import Synchronization
import Wallets

/// One LNbits over its HTTP API: what all wallets in it share. Its calls are bounded together, its
/// limit of invoices per minute is one for all keys, its rates and its clock are the same.
///
/// Blocking; every call ends by its deadline. Tried with LNbits 0.12 to 1.6.
package final class LNbitsServer: Sendable {
    /// One question, and how its answer is told from somebody else's.
    struct Call {
        var method = "GET"
        let path: String
        var body: (any Encodable)?
        let kind: CallLimiter.Kind
        var timeoutMilliseconds: UInt64?
        let origin: AnswerOrigin
    }

    private let url: String
    let urlName: String
    let timeoutMilliseconds: UInt64
    let willWait: @Sendable () -> Void
    let rates = RateCache()
    private let http: HTTPClient
    private let limiter = CallLimiter()
    private let clock = SecondClock()
    private let createsResumeAt = Mutex<MonotonicTime?>(nil)
    private let observe: @Sendable (_ call: String, _ result: String, _ seconds: Double) -> Void

    /// An LNbits.
    ///
    /// - Parameters:
    ///   - url: Base URL without a slash at its end.
    ///   - urlName: The variable that holds it, for messages.
    ///   - caFile: Certificates to trust instead of the system's.
    ///   - timeoutSeconds: The whole deadline of one call.
    ///   - observe: Told of each call: `create`, `check`, `conversion`, `wallet` or `payments`; the
    ///     status that LNbits answered, or `failed`; the seconds it took.
    ///   - willWait: Called before the calling thread waits for LNbits.
    package init(
        url: String,
        urlName: String = "LNBITS_URL",
        caFile: String? = nil,
        timeoutSeconds: UInt64 = 10,
        observe: @escaping @Sendable (_ call: String, _ result: String, _ seconds: Double) -> Void =
            { _, _, _ in },
        willWait: @escaping @Sendable () -> Void = {}
    ) {
        self.url = url
        self.urlName = urlName
        self.willWait = willWait
        self.observe = observe
        timeoutMilliseconds = timeoutSeconds * 1000
        // Its server closes idle connections after 5 seconds; an answer is about 1 KiB.
        http = HTTPClient(HTTPClient.Options(caFile: caFile))
    }

    /// The base URL as it may be shown: without user and password.
    package var shownURL: String { SafeText.shownURL(url) }

    /// Whether the breaker is open: LNbits is not asked at present.
    package var isBreakerOpen: Bool { limiter.isOpen }

    /// Seconds since 1970 by the `Date` of LNbits' last answer and the time that has passed since;
    /// `nil` before the first. Answers that are not LNbits' own, or come from a cache, do not count.
    package var secondClock: UInt64? { clock.now }

    /// - Throws: ``WalletError`` while LNbits' limit of invoices is used up.
    func checkMayCreate() throws(WalletError) {
        guard let resume = createsResumeAt.withLock({ $0 }), resume > .now() else { return }
        throw WalletError(
            .rateLimited,
            "LNbits' limit of invoices per minute is used up",
            retryAfterSeconds: resume.millisecondsFromNow() / 1000 + 1
        )
    }

    /// Makes a call; its answer as the message that it should be.
    func answer<Message: Decodable>(_ call: Call, status: Int = 200) throws(WalletError) -> Message
    {
        try message(in: try reply(call), of: call, status: status)
    }

    /// What an answer says; its error when its status is another, or it is not LNbits' own.
    func message<Message: Decodable>(in reply: HTTPReply, of call: Call, status: Int = 200)
        throws(WalletError) -> Message
    {
        guard reply.status == status else { throw refusal(reply, call) }
        guard reply.startsLikeJSON else { throw call.origin.foreign(reply) }
        let data = Data(reply.body)
        if let message = try? JSONDecoder().decode(Message.self, from: data) {
            clock.set(reply.head.date)
            return message
        }
        if (try? JSONDecoder().decode(AnyJSON.self, from: data)) != nil {
            throw call.origin.foreign(reply)
        }
        throw WalletError(.malformed, "\(call.origin.what): the answer is not whole, or not JSON")
    }

    /// Whether an answer is LNbits' own 404 with these words.
    func isNotFound(_ reply: HTTPReply, _ words: String) -> Bool {
        guard reply.status == 404, AnswerOrigin.words(of: reply) == words else { return false }
        clock.set(reply.head.date)
        return true
    }

    /// LNbits' own words about a failure, or that they are somebody else's.
    private func refusal(_ reply: HTTPReply, _ call: Call) -> WalletError {
        let error = call.origin.error(reply)
        if error.kind != .notLNbits { clock.set(reply.head.date) }
        if error.kind == .rateLimited, call.kind == .create {
            createsResumeAt.withLock {
                $0 = .now().adding(milliseconds: error.retryAfterSeconds * 1000)
            }
        }
        return error
    }

    // MARK: - One call

    /// Whatever answers, with whatever status.
    func reply(_ call: Call) throws(WalletError) -> HTTPReply {
        let deadline = MonotonicTime.now().adding(
            milliseconds: min(call.timeoutMilliseconds ?? .max, timeoutMilliseconds)
        )
        willWait()
        try limiter.enter(call.kind, deadline: deadline)
        // A cache before LNbits must not answer in its place.
        var headers = [
            "X-Api-Key: \(call.origin.key)", "Accept: application/json", "Cache-Control: no-cache",
        ]
        var bytes: [UInt8] = []
        if let body = call.body {
            headers.append("Content-Type: application/json")
            bytes = (try? JSONEncoder().encode(body)).map(Array.init) ?? []
        }
        let what = call.origin.what
        let start = MonotonicTime.now().milliseconds
        func tell(_ result: String) {
            observe(what, result, Double(MonotonicTime.now().milliseconds &- start) / 1000)
        }
        do throws(HTTPFailure) {
            let reply = try performRepeatingStale(
                HTTPCall(method: call.method, url: url + call.path, headers: headers, body: bytes),
                deadline: deadline
            )
            limiter.leave(call.kind, answered: reply.status < 500)
            tell(String(reply.status))
            return reply
        } catch {
            limiter.leave(call.kind, answered: false)
            tell("failed")
            throw error.walletError(what, limitBytes: http.options.replyLimitBytes)
        }
    }

    /// A question may be asked again when a kept connection turns out to be closed; an order never.
    private func performRepeatingStale(_ call: HTTPCall, deadline: MonotonicTime)
        throws(HTTPFailure)
        -> HTTPReply
    {
        do throws(HTTPFailure) {
            return try http.perform(call, deadline: deadline)
        } catch {
            guard case .staleConnection = error, call.method == "GET" else { throw error }
            return try http.perform(call, deadline: deadline)
        }
    }
}

extension HTTPFailure {
    fileprivate func walletError(_ what: String, limitBytes: Int) -> WalletError {
        switch self {
        case .notLoaded:
            WalletError(.unreachable, "\(what): libcurl.so.4 cannot be loaded; install libcurl4")
        case .timeout: WalletError(.timeout, "\(what): no whole answer in time")
        case .unreachable(let why): WalletError(.unreachable, "\(what): \(why)")
        case .tooLarge:
            WalletError(
                .malformed,
                "\(what): the answer is larger than \(limitBytes) bytes"
            )
        case .staleConnection: WalletError(.unreachable, "\(what): LNbits closed the connection")
        }
    }
}

extension HTTPReply {
    /// HTML and plain text are told apart from JSON by their first byte; the content type is not
    /// trusted for that, since proxies send both.
    var startsLikeJSON: Bool {
        let first = body.first { $0 > 0x20 }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }
}
