import Curl
import FoundationEssentials
import Wallets

/// Whose words an answer is. What stands before LNbits (a bot check, a login, a router that has
/// lost its way) answers too, and must never be taken for LNbits' word about a payment or a key.
struct AnswerOrigin {
    private static let wordsLimit = 120
    private static let titleLimit = 60
    private static let nameLimit = 40

    /// `POST /api/v1/payments` and so on, as it is named in messages: `create`, `check`.
    let what: String
    /// The variables that hold the key and the address.
    let keyName: String
    let urlName: String
    /// Never told, whoever repeats it.
    let key: String

    /// What LNbits says when it has no row for a hash, 0.12 to 1.6.
    static let noPayment = "Payment does not exist."
    /// What it says to a key that it does not know, 0.12 to 1.6.
    private static let noWallet = "Wallet not found."
    /// Where it sends everybody until its administrator has an account.
    private static let setup = "/first_install"

    /// The error of an answer whose status is not the one that the call has when it succeeds.
    func error(_ reply: HTTPReply) -> WalletError {
        let words = Self.words(of: reply)
        let told =
            words.map { ": " + SafeText.clean($0, limit: Self.wordsLimit, secret: key) } ?? ""
        switch reply.status {
        case 429 where words != nil:
            // LNbits counts by the minute of the clock and sends no Retry-After.
            return WalletError(
                .rateLimited,
                "\(what): LNbits answered 429\(told)",
                retryAfterSeconds: 60 - UInt64(max(0, Date().timeIntervalSince1970)) % 60
            )
        case 401 where words != nil, 403 where words?.contains("key") == true,
            404 where words == Self.noWallet:
            return WalletError(
                .badKey,
                "\(what): LNbits answered \(reply.status)\(told): is \(keyName) its invoice/read key?",
                retryAfterSeconds: 30
            )
        case 300..<400 where reply.head.location == Self.setup:
            return WalletError(
                .refused,
                "\(what): LNbits waits to be set up: open its \(Self.setup) in a browser",
                retryAfterSeconds: 30
            )
        case 300..<400, 404:
            return foreign(reply)
        case 500 where Self.isPlainFailure(reply):
            return WalletError(.refused, "\(what): LNbits answered 500 without a reason")
        case let status:
            guard words != nil else { return foreign(reply) }
            return WalletError(.refused, "\(what): LNbits answered \(status)\(told)")
        }
    }

    /// The error of an answer that LNbits never gives.
    func foreign(_ reply: HTTPReply) -> WalletError {
        let clean = { SafeText.clean($0, limit: $1, secret: key) }
        let head = reply.head
        var looks = ["status \(reply.status)"]
        let type = head.contentType.prefix { $0 != ";" }
        looks.append(type.isEmpty ? "no content type" : clean(String(type), Self.nameLimit))
        if let title = Self.title(reply.body) {
            looks.append("title \"\(clean(title, Self.titleLimit))\"")
        }
        if let words = Self.words(of: reply) {
            looks.append("\"\(clean(words, Self.wordsLimit))\"")
        }
        if !head.server.isEmpty { looks.append("server \(clean(head.server, Self.nameLimit))") }
        if !head.location.isEmpty {
            looks.append("leads to \(clean(head.location, Self.wordsLimit))")
        }
        return WalletError(
            .notLNbits,
            "\(what): what answered is not LNbits (\(looks.joined(separator: ", "))): look at "
                + "\(urlName) and at what stands before LNbits"
        )
    }

    /// The words of an error as LNbits gives them: `detail` for nearly all, a text or a list;
    /// `error` for its limit of requests. `nil` for anything else.
    static func words(of reply: HTTPReply) -> String? {
        guard reply.startsLikeJSON,
            let error = try? JSONDecoder().decode(ErrorReply.self, from: Data(reply.body))
        else { return nil }
        return error.words
    }

    /// LNbits' server says so of a fault that LNbits does not catch.
    private static func isPlainFailure(_ reply: HTTPReply) -> Bool {
        reply.body == Array("Internal Server Error".utf8)
    }

    /// The title of an HTML page.
    private static func title(_ body: [UInt8]) -> String? {
        let page = body.prefix(8192)
        let lower = page.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        guard let tag = lower.firstRange(of: Array("<title".utf8)) else { return nil }
        let rest = page[tag.upperBound...].drop { $0 != UInt8(ascii: ">") }.dropFirst()
        let title = rest.prefix { $0 != UInt8(ascii: "<") }
        return title.isEmpty ? nil : String(decoding: title, as: UTF8.self)
    }
}
