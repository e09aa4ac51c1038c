import FoundationEssentials
import Lightning
import Paywall
import Synchronization

/// An LNbits wallet over its HTTP API, with an invoice/read key. Everything it says is checked.
///
/// Blocking; every call ends by its deadline. Tried with LNbits 0.12 to 1.6.
public final class LNbitsClient: InvoiceSource {
    /// What asking at the start shows.
    public enum StartState: Sendable {
        /// The key is a wallet's invoice/read key.
        case ready
        /// The key can spend.
        case adminKey
        /// LNbits does not know the key; in its status code.
        case badKey(String)
        /// Nothing can be said.
        case unavailable(WalletError)
    }

    let url: String
    let key: String
    let timeoutMilliseconds: UInt64
    private let http: HTTPClient
    private let limiter = CallLimiter()
    private let willWait: @Sendable () -> Void
    private let checks = Coalescer<PaymentHash, Result<WalletPayment?, WalletError>>()
    private let walletID = Mutex<String?>(nil)
    private let createsResumeAt = Mutex<MonotonicTime?>(nil)
    private let rates = RateCache()
    private let observe: @Sendable (_ call: String, _ result: String, _ seconds: Double) -> Void

    /// A client of one wallet.
    ///
    /// - Parameters:
    ///   - url: Base URL without a slash at its end.
    ///   - key: Invoice/read key.
    ///   - caFile: Certificates to trust instead of the system's.
    ///   - timeoutSeconds: The whole deadline of one call.
    ///   - observe: Told of each call: `create`, `check`, `conversion` or `wallet`; the status that
    ///     LNbits answered, or `failed`; the seconds it took.
    ///   - willWait: Called before the calling thread waits for LNbits.
    public init(
        url: String,
        key: String,
        caFile: String? = nil,
        timeoutSeconds: UInt64 = 10,
        observe: @escaping @Sendable (_ call: String, _ result: String, _ seconds: Double) -> Void =
            { _, _, _ in },
        willWait: @escaping @Sendable () -> Void = {}
    ) {
        self.willWait = willWait
        self.observe = observe
        self.url = url
        self.key = key
        timeoutMilliseconds = timeoutSeconds * 1000
        http = HTTPClient(caFile: caFile)
    }

    /// Makes an invoice; never repeated blindly, since each is a row in LNbits for ever.
    public func makeInvoice(_ order: InvoiceOrder) throws(WalletError) -> Invoice {
        if let resume = createsResumeAt.withLock({ $0 }), resume > .now() {
            throw WalletError(
                .rateLimited,
                "LNbits' limit of invoices per minute is used up",
                retryAfterSeconds: resume.millisecondsFromNow() / 1000 + 1
            )
        }
        let request = CreateRequest(
            amount: order.sats,
            memo: order.memo,
            expiry: order.expirySeconds,
            extra: order.extra
        )
        let reply = try call("POST", "/api/v1/payments", body: request, kind: .create)
        try accept(reply, status: 201, what: "create")
        let created: CreateReply = try decode(reply, what: "create")
        let invoice = try InvoiceCheck.check(created, against: order)
        walletID.withLock { $0 = created.wallet_id ?? $0 }
        return invoice
    }

    /// Asks of a payment; equal questions under way are asked once.
    public func payment(_ hash: PaymentHash, for question: Question) throws(WalletError)
        -> WalletPayment?
    {
        let deadline = MonotonicTime.now().adding(milliseconds: timeoutMilliseconds)
        willWait()
        let result = checks.value(for: hash, deadline: deadline) {
            () -> Result<WalletPayment?, WalletError> in
            do throws(WalletError) {
                return .success(try self.askPayment(hash))
            } catch {
                return .failure(error)
            }
        }
        guard let result else { throw WalletError(.timeout, "check: no answer in time") }
        return try result.get()
    }

    private func askPayment(_ hash: PaymentHash) throws(WalletError) -> WalletPayment? {
        // `{id}` also matches other columns; only 64 lower-case hex digits are ever asked for.
        let reply = try call("GET", "/api/v1/payments/\(hash.hex)", kind: .check)
        if reply.status == 404 { return nil }
        try accept(reply, status: 200, what: "check")
        let checked: CheckReply = try decode(reply, what: "check")
        guard let details = checked.details else {
            // LNbits answers 200 without details to a key that it does not know.
            throw WalletError(
                .badKey,
                "check: LNbits does not know LNBITS_KEY (no details in its answer)"
            )
        }
        if let ours = walletID.withLock({ $0 }), let theirs = details.wallet_id, ours != theirs {
            throw WalletError(.malformed, "check: the payment is of another wallet")
        }
        // A negative amount is a payment that we made.
        guard details.amount > 0 else { return nil }
        return WalletPayment(
            isPaid: checked.paid,
            amount: Millisatoshis(msat: UInt64(details.amount)),
            invoice: details.invoice.flatMap { InvoiceCheck.read($0, hash: hash) },
            extra: details.extra
        )
    }

    /// What a fiat amount is in sats, rounded up; asked at most once a minute for each amount.
    public func sats(for price: FiatAmount) throws(WalletError) -> UInt64 {
        if let known = rates.value(for: price) { return known }
        let request = ConversionRequest(
            from_: price.currency,
            amount: Double(price.hundredths) / 100
        )
        let reply = try call("POST", "/api/v1/conversion", body: request, kind: .check)
        try accept(reply, status: 200, what: "conversion")
        let converted: ConversionReply = try decode(reply, what: "conversion")
        guard converted.sats.isFinite, converted.sats > 0, converted.sats <= 10_000_000 else {
            throw WalletError(.malformed, "conversion: \(price) is not between 1 and 10000000 sats")
        }
        let sats = max(1, UInt64(converted.sats.rounded(.up)))
        rates.keep(sats, for: price)
        return sats
    }

    /// Asks once who we are.
    public func checkAtStart() -> StartState {
        do throws(WalletError) {
            let reply = try call(
                "GET",
                "/api/v1/wallet",
                kind: .check,
                timeoutMilliseconds: min(3000, timeoutMilliseconds)
            )
            if reply.status == 404 || reply.status == 401 || reply.status == 403 {
                return .badKey("status \(reply.status)")
            }
            try accept(reply, status: 200, what: "wallet")
            let wallet: WalletReply = try decode(reply, what: "wallet")
            return wallet.id == nil ? .ready : .adminKey
        } catch {
            return .unavailable(error)
        }
    }

    /// Whether the breaker is open: LNbits is not asked at present.
    public var isBreakerOpen: Bool { limiter.isOpen }

    // MARK: - One call

    private func call(
        _ method: String,
        _ path: String,
        body: (any Encodable)? = nil,
        kind: CallLimiter.Kind,
        timeoutMilliseconds: UInt64? = nil
    ) throws(WalletError) -> HTTPReply {
        let deadline = MonotonicTime.now().adding(
            milliseconds: timeoutMilliseconds ?? self.timeoutMilliseconds
        )
        willWait()
        try limiter.enter(kind, deadline: deadline)
        var headers = ["X-Api-Key: \(key)", "Accept: application/json"]
        var bytes: [UInt8] = []
        if let body {
            headers.append("Content-Type: application/json")
            bytes = (try? JSONEncoder().encode(body)).map(Array.init) ?? []
        }
        let call = HTTPCall(method: method, url: url + path, headers: headers, body: bytes)
        let isCheck = path.hasPrefix("/api/v1/payments/")
        let name = isCheck ? "check" : kind == .create ? "create" : String(path.dropFirst(8))
        let start = MonotonicTime.now().milliseconds
        func tell(_ result: String) {
            observe(name, result, Double(MonotonicTime.now().milliseconds &- start) / 1000)
        }
        do throws(HTTPFailure) {
            let reply = try performRepeatingStale(call, deadline: deadline)
            limiter.leave(kind, answered: reply.status < 500)
            tell(String(reply.status))
            return reply
        } catch {
            limiter.leave(kind, answered: false)
            tell("failed")
            throw error.walletError("\(method) \(isCheck ? "/api/v1/payments/<hash>" : path)")
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

    private func accept(_ reply: HTTPReply, status: Int, what: String) throws(WalletError) {
        switch reply.status {
        case status:
            return
        case 429:
            // LNbits counts by the minute of the clock and sends no Retry-After.
            let seconds = 60 - UInt64(Date().timeIntervalSince1970) % 60
            if what == "create" {
                createsResumeAt.withLock { $0 = .now().adding(milliseconds: seconds * 1000) }
            }
            throw WalletError(
                .rateLimited,
                "\(what): LNbits answered 429",
                retryAfterSeconds: seconds
            )
        case 401, 403, 404:
            throw WalletError(
                .badKey,
                "\(what): LNbits answered \(reply.status): is LNBITS_KEY its invoice/read key?",
                retryAfterSeconds: 30
            )
        case let other:
            throw WalletError(.refused, "\(what): LNbits answered \(other), not \(status)")
        }
    }

    private func decode<Message: Decodable>(_ reply: HTTPReply, what: String) throws(WalletError)
        -> Message
    {
        guard reply.isJSON,
            let message = try? JSONDecoder().decode(Message.self, from: Data(reply.body))
        else {
            throw WalletError(.malformed, "\(what): the answer is not the JSON that LNbits sends")
        }
        return message
    }
}

extension HTTPFailure {
    fileprivate func walletError(_ what: String) -> WalletError {
        switch self {
        case .notLoaded:
            WalletError(.unreachable, "\(what): libcurl.so.4 cannot be loaded; install libcurl4")
        case .timeout: WalletError(.timeout, "\(what): no whole answer in time")
        case .unreachable(let why): WalletError(.unreachable, "\(what): \(why)")
        case .tooLarge:
            WalletError(
                .malformed,
                "\(what): the answer is larger than \(HTTPClient.replyLimitBytes) bytes"
            )
        case .staleConnection: WalletError(.unreachable, "\(what): LNbits closed the connection")
        }
    }
}
