import FastCGI
import HTTP
import Store
import Text

/// One request that may pass and whose goods the gate itself hands over.
///
/// It knows whether bytes of the answer are out, which decides what a failure costs, and returns what
/// the request took at most once. Used by one thread.
package final class Delivery {
    let exchange: any Exchange
    let method: String
    /// What the gate says of the sale; sent with the answer, to the backend the `L402-…` of it.
    let sale: Fields
    private let judge: (Int, String?) -> ReturnCause?
    private let returning: (ReturnCause) -> Bool
    /// What returning gave; `nil` while nothing has been returned.
    private var returned: Bool?
    /// Whether bytes of the answer are with the web server.
    private(set) var isBegun = false
    /// Whether bytes of its body are.
    private(set) var isBodyBegun = false

    /// A delivery.
    ///
    /// - Parameters:
    ///   - exchange: The request and the way for its answer.
    ///   - method: The request's method, in upper case.
    ///   - headers: Header fields of the gate's own.
    ///   - judge: Why an answer of this status and, where it has one, `Location` takes nothing; `nil`
    ///     when it is taken. Asked at most once, before the head of the answer goes out.
    ///   - giveBack: Returns what the request took; called at most once. Says whether there was
    ///     anything to return.
    package init(
        exchange: any Exchange,
        method: String,
        headers: Fields,
        judge: @escaping (_ status: Int, _ location: String?) -> ReturnCause?,
        giveBack: @escaping (ReturnCause) -> Bool
    ) {
        self.exchange = exchange
        self.method = method
        self.sale = headers
        self.judge = judge
        self.returning = giveBack
    }

    /// Whether the method asks and changes nothing.
    var isReading: Bool { method == "GET" || method == "HEAD" }

    /// A request header field such as `If-None-Match`; `nil` when absent or empty.
    func header(_ name: String) -> String? {
        let variable = "HTTP_" + name.uppercased().replacing("-", with: "_")
        guard let value = exchange.parameter(variable), !value.isEmpty else { return nil }
        return String(foreign: value)
    }

    /// Returns what the request took, once; whether there was anything.
    @discardableResult
    func giveBack(_ cause: ReturnCause) -> Bool {
        if let returned { return returned }
        let isBack = returning(cause)
        returned = isBack
        return isBack
    }

    /// The web server has hung up: what was taken goes back where nothing can have been delivered.
    ///
    /// - Parameter isAsked: Whether a backend has the request, which may have changed something.
    func clientLeft(whenAsked isAsked: Bool = false) {
        if !isBegun, isReading || !isAsked { giveBack(.failure) }
    }

    // MARK: - Answers

    /// Whether the head of an answer, the gate's own fields included, is one that every web server
    /// takes.
    func fits(_ status: Int, _ fields: Fields) -> Bool {
        let head = Response(status: status, headers: HeadFields.merge(fields, with: sale))
        return head.serialized(withBody: false).count <= HeadFields.limitBytes
            && fields.allSatisfy {
                $0.name.utf8.count + $0.value.utf8.count <= HeadFields.lineLimitBytes
            }
    }

    /// Sends the head of an answer and the first bytes of its body.
    ///
    /// What the answer does not take is given back before. When this throws, no byte is out.
    func begin(
        _ status: Int,
        _ fields: Fields,
        body: [UInt8] = []
    ) throws(ExchangeError) {
        let location = fields.first { $0.name.lowercased() == "location" }?.value
        var own = sale
        if let cause = judge(status, location) {
            let isBack = giveBack(cause)
            own = saleTakingNothing
            if status >= 500 { own.append(("L402-Refunded", isBack ? "1" : "0")) }
        }
        guard !exchange.isPeerGone else { throw ExchangeError("the web server hung up") }
        let head = Response(status: status, headers: HeadFields.merge(fields, with: own))
        try exchange.write(head.serialized(withBody: false) + body)
        try exchange.flush()
        isBegun = true
        isBodyBegun = !body.isEmpty
    }

    /// Sends more of the body.
    func send(_ bytes: [UInt8]) throws(ExchangeError) {
        try exchange.write(bytes)
        isBodyBegun = true
    }

    /// Answers something that nobody pays for, without a body.
    func answerTakingNothing(
        _ status: Int,
        _ fields: Fields
    ) throws(ExchangeError) {
        giveBack(.nothingDelivered)
        let head = Response(
            status: status,
            headers: HeadFields.merge(fields, with: saleTakingNothing)
        )
        try exchange.write(head.serialized(withBody: false))
        isBegun = true
    }

    /// Answers that the goods failed, as long as nothing has been sent.
    func fail(
        _ status: Int,
        code: String,
        _ message: String,
        cause: ReturnCause,
        detail: String = "",
        adding fields: Fields = []
    ) throws(ExchangeError) -> DeliveryReport {
        let isBack = giveBack(cause)
        var answer = Response.error(status, code: code, message)
        answer.headers += fields
        answer.headers += saleTakingNothing.filter { $0.name != "Cache-Control" }
        answer.headers.append(("L402-Refunded", isBack ? "1" : "0"))
        if method == "HEAD" { answer.body = [] }
        try exchange.write(answer.serialized(withBody: method != "HEAD"))
        isBegun = true
        return DeliveryReport(status: status, code: code, detail: detail)
    }

    /// The gate's own fields without what counts: nothing has been taken.
    private var saleTakingNothing: Fields {
        let counts = ["L402-Uses-Left", "L402-Free-Left", "RateLimit", "RateLimit-Policy"]
        return sale.filter { !counts.contains($0.name) }
    }
}

/// What became of a delivery, for the log.
package struct DeliveryReport: Sendable, Equatable {
    /// The status that the client got.
    package let status: Int
    /// The stable code of a failure, or empty.
    package let code: String
    /// Words for the log only.
    package let detail: String

    init(status: Int, code: String = "", detail: String = "") {
        self.status = status
        self.code = code
        self.detail = detail
    }
}
