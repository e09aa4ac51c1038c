import FastCGI
import Paywall

/// One request that may pass and whose goods the gate itself hands over.
public struct Delivery {
    let exchange: any Exchange
    let method: String
    /// What the gate says of the sale; sent with whatever answer there is.
    let headers: [(name: String, value: String)]
    private let giveBack: () -> Bool

    /// A delivery.
    ///
    /// - Parameters:
    ///   - exchange: The request and the way for its answer.
    ///   - method: The request's method, in upper case.
    ///   - headers: Header fields of the gate's own.
    ///   - giveBack: Returns what the request took, because its goods failed; called at most once.
    ///     Says whether there was anything to return.
    public init(
        exchange: any Exchange,
        method: String,
        headers: [(name: String, value: String)],
        giveBack: @escaping () -> Bool
    ) {
        self.exchange = exchange
        self.method = method
        self.headers = headers
        self.giveBack = giveBack
    }

    /// A request header field such as `If-None-Match`; `nil` when absent or empty.
    func header(_ name: String) -> String? {
        let variable = "HTTP_" + name.uppercased().replacing("-", with: "_")
        guard let value = exchange.parameter(variable), !value.isEmpty else { return nil }
        return String(foreign: value)
    }

    /// The gate's header fields for goods that failed: what was taken is back, and says so.
    func headersAfterGivingBack() -> [(name: String, value: String)] {
        let stale = ["L402-Uses-Left", "L402-Free-Left", "RateLimit", "RateLimit-Policy"]
        return headers.filter { !stale.contains($0.name) }
            + [("L402-Refunded", giveBack() ? "1" : "0")]
    }

    /// Returns what was taken when the answer can no longer say so.
    func giveBackSilently() { _ = giveBack() }

    /// Answers that the goods failed, as long as nothing has been sent.
    func fail(
        _ status: Int,
        code: String,
        _ message: String,
        detail: String = "",
        adding fields: [(name: String, value: String)] = []
    ) throws(ExchangeError) -> DeliveryReport {
        var answer = Answer.error(status, code: code, message)
        answer.headers += fields
        answer.headers += headersAfterGivingBack().filter { $0.name != "Cache-Control" }
        if method == "HEAD" { answer.body = [] }
        try exchange.write(answer.serialized(withBody: method != "HEAD"))
        return DeliveryReport(status: status, code: code, detail: detail)
    }

    /// Sends the head of an answer.
    func begin(_ status: Int, _ fields: [(name: String, value: String)]) throws(ExchangeError) {
        try exchange.write(Answer(status: status, headers: fields).serialized(withBody: false))
    }
}

/// What became of a delivery, for the log.
public struct DeliveryReport: Sendable, Equatable {
    /// The status that the client got.
    public let status: Int
    /// The stable code of a failure, or empty.
    public let code: String
    /// Words for the log only.
    public let detail: String

    init(status: Int, code: String = "", detail: String = "") {
        self.status = status
        self.code = code
        self.detail = detail
    }
}
