import Curl
import FoundationEssentials
import Lightning
import Testing
import Wallets

@testable import LNbits

private func reply(_ status: Int, _ body: String, head: [String] = []) -> HTTPReply {
    var read = ReplyHead()
    for line in ["HTTP/1.1 \(status) Words"] + head { read.read(Array("\(line)\r\n".utf8)) }
    return HTTPReply(status: status, head: read, body: Array(body.utf8))
}

private let key = "0123456789abcdef0123456789abcdef"

private let origin = AnswerOrigin(
    what: "check",
    keyName: "LNBITS_KEY_shop",
    urlName: "LNBITS_URL_shop",
    key: key
)

@Suite struct AnswerOriginTests {
    @Test(arguments: [
        (404, #"{"detail":"Wallet not found."}"#, WalletError.Kind.badKey),
        (401, #"{"detail":"No Api Key provided."}"#, .badKey),
        (403, #"{"detail":"Invoice (or Admin) key required."}"#, .badKey),
        (429, #"{"error":"Rate limit exceeded: 200 per 1 minute"}"#, .rateLimited),
        (520, #"{"detail":"Unable to connect to the node","status":"pending"}"#, .refused),
        (400, #"{"detail":[{"loc":["body"],"msg":"too long","type":"x"}]}"#, .refused),
        (500, "Internal Server Error", .refused),
    ])
    func `what LNbits says about a key, a limit or its node is taken for that`(
        status: Int,
        body: String,
        kind: WalletError.Kind
    ) {
        #expect(origin.error(reply(status, body)).kind == kind)
    }

    @Test(arguments: [
        (404, "404 page not found"), (404, "<html><title>404 Not Found</title></html>"),
        (404, #"{"detail":"Not Found"}"#), (404, #"{"message":"no Route matched"}"#), (404, ""),
        (401, "<html></html>"), (401, ""), (403, "<!DOCTYPE html><title>Just a moment</title>"),
        (403, #"{"success":false}"#), (301, ""), (302, "<html></html>"), (307, ""),
        (502, "<html><h1>502 Bad Gateway</h1></html>"), (429, "slow down"), (204, ""),
    ])
    func `what others say in its place is no word about key or payment`(status: Int, body: String) {
        let error = origin.error(reply(status, body))
        #expect(error.kind == .notLNbits)
        #expect(error.reason.contains("LNBITS_URL_shop"))
        #expect(!error.reason.contains("LNBITS_KEY"))
    }

    @Test func `the operator is told whose answer it looks like`() {
        let page = "<!DOCTYPE html><html><head><TITLE id=x>Just a\n moment\u{7}</TITLE>"
        let error = origin.error(
            reply(
                302,
                page,
                head: [
                    "Content-Type: text/html; charset=UTF-8",
                    "server: cloudflare" + String(repeating: "!", count: 100),
                    "Location: https://me:secret@wallet.example/login?token=\(key)#x",
                ]
            )
        )
        let told = error.reason
        for part in [
            "status 302", "text/html,", #"title "Just a moment""#, "server cloudflare!!!",
            "leads to https://wallet.example/login)",
        ] { #expect(told.contains(part), "\(part) in \(told)") }
        #expect(!told.contains("secret") && !told.contains(key) && !told.contains("charset"))
        #expect(told.allSatisfy { $0.isASCII })
        #expect(told.count < 500)
    }

    @Test func `LNbits that waits to be set up is told apart from a redirect`() {
        let error = origin.error(reply(307, "", head: ["Location: /first_install"]))
        #expect(error.kind == .refused && error.reason.contains("/first_install"))
    }

    @Test func `its reasons reach the log without what may be secret`() {
        let hex = String(repeating: "ab12", count: 16)
        let body =
            #"{"detail":"node http://u:pw@10.0.0.1:8080/v1?macaroon=00 said \#(hex) to \#(key) über "#
            + String(repeating: "long ", count: 100) + #"","status":"failed"}"#
        let told = origin.error(reply(520, body)).reason
        #expect(
            told.hasPrefix(
                "check: LNbits answered 520: node http://10.0.0.1:8080/v1 said ... to ..."
            )
        )
        #expect(!told.contains("pw") && told.count < 200 && told.allSatisfy { $0.isASCII })
    }
}

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("http://user:pass@host:5000/path?api-key=x#f", "http://host:5000/path"),
        ("https://host", "https://host"), ("http://a@b@host/x@y", "http://host/x@y"),
        ("see http://u:p@h/ and http://h2/?q", "see http://h/ and http://h2/"),
        ("user:pass@host refused", "...@host refused"),
        ("0123456789abcde", "0123456789abcde"), ("0123456789abcdef", "..."),
        ("id=0123456789ABCDEF, x", "..., x"), ("a\u{1b}[31m\tb", "a [31m b"),
        (String(repeating: "x", count: 40), "..."),
    ])
    func `what may be secret is left out`(text: String, shown: String) {
        #expect(SafeText.clean(text, limit: 200) == shown)
    }

    @Test func `the key is never told, whatever it looks like`() {
        #expect(
            SafeText.clean("no shop.key.1 here", limit: 99, secret: "shop.key.1") == "no ... here"
        )
    }
}

@Suite struct PaidPageTests {
    @Test(arguments: [
        (#"{"amount":5000,"status":"success"}"#, true),
        (#"{"amount":5000,"status":"complete"}"#, true),
        (#"{"amount":5000,"pending":false}"#, true),
        (#"{"amount":5000,"pending":true}"#, false),
        (#"{"amount":5000,"status":"pending"}"#, false),
        (#"{"amount":5000,"status":"failed"}"#, false),
        (#"{"amount":-5000,"status":"success"}"#, false),
        (#"{"amount":0,"status":"success"}"#, false),
        (#"{"status":"success"}"#, false),
        (#"{"amount":5000}"#, false),
    ])
    func `a row is taken for paid when it came in and is done`(row: String, isPaid: Bool) throws {
        let page = try JSONDecoder().decode(PaidPage.self, from: Data("{\"data\":[\(row)]}".utf8))
        #expect(page.data.map(\.isPaid) == [isPaid])
        #expect(page.data[0].madeAt == nil)
    }

    /// A row of LNbits 1.6.2, of 2026-11-25T19:29:37.
    @Test(arguments: ["bolt11", "payment_request"])
    func `when it was made stands in its invoice`(name: String) throws {
        let invoice =
            "lnbc50n1p4swdepdq2f38xy6t5wvxqrrsssp55etd06pa55t8vc8sc3xjcsjjugj7kenjp04l9xymtpdqlwuz0qj"
            + "qpp5xhr8wpe3de8x76adrlvt0thvghua3s5yggxpsm4cak6gzl3zrlwszxgqnaqyr83nkce2xkus5j2pk8umr2"
            + "hy6634hma8p4wts2f4wucx7qk495rqulpqhrua6vanuljesu8s95skmg2ycfqa9nchv5ap48qp44vhd4"
        let text =
            "{\"data\":[{\"\(name)\":\"\(invoice)\",\"time\":\"2026-11-25T19:29:37.228144+00:00\"}]}"
        let page = try JSONDecoder().decode(PaidPage.self, from: Data(text.utf8))
        #expect(page.data.first?.madeAt == 1_795_634_977)
    }
}

@Suite struct PaymentCheckTests {
    /// BOLT #11's "cup of coffee": 250,000 sats, hash 0001…0102.
    private static let hex = "0001020304050607080900010203040506070809000102030405060708090102"
    private static let bolt11 =
        "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"

    private func check(_ fields: String, paid: Bool = true, hash: String = hex, top: String = "")
        throws -> WalletPayment?
    {
        let text = #"{"paid":\#(paid)\#(top),"details":{\#(fields)}}"#
        let reply = try JSONDecoder().decode(CheckReply.self, from: Data(text.utf8))
        let details = try #require(reply.details)
        return try PaymentCheck.check(
            reply,
            details,
            isOf: try #require(PaymentHash(hex: hash))
        )
    }

    private static let whole =
        #""amount":250000000,"status":"success","payment_hash":"\#(hex)","bolt11":"\#(bolt11)","extra":{"a":"b"}"#

    @Test func `a paid row of the hash that was asked about is paid`() throws {
        let payment = try #require(try check(Self.whole))
        #expect(payment.isPaid && payment.amount.msat == 250_000_000 && payment.extra == ["a": "b"])
        #expect(payment.invoice?.paymentHash.hex == Self.hex)
    }

    @Test(arguments: [
        whole.replacing(hex, with: String(repeating: "11", count: 32)),
        #""amount":21000,"status":"success","payment_hash":"\#(String(repeating: "22", count: 32))""#,
        #""amount":21000,"status":"success","payment_hash":"nonsense""#,
        #""amount":250000000,"status":"success","payment_hash":"\#(String(repeating: "33", count: 32))","bolt11":"\#(bolt11)""#,
        #""amount":21000,"status":"success","checking_id":"\#(hex)""#,
        #""amount":21000,"status":"success","bolt11":"lnbc1""#,
    ])
    func `a row of another payment, or of none, opens nothing`(fields: String) {
        #expect(throws: WalletError.self) { _ = try check(fields) }
    }

    @Test func `an invoice of another payment under the right hash opens nothing`() {
        let other = String(repeating: "44", count: 32)
        let fields = Self.whole.replacing(Self.hex, with: other)
        #expect(throws: WalletError.self) { _ = try check(fields, hash: other) }
    }

    @Test(arguments: [
        whole.replacing("success", with: "pending"), whole.replacing("success", with: "failed"),
        whole.replacing("success", with: ""), whole + #","pending":true"#,
    ])
    func `a row that is not settled is not paid, whatever stands above it`(fields: String) throws {
        #expect(try #require(try check(fields)).isPaid == false)
    }

    @Test func `not paid is not paid, whatever stands in the row`() throws {
        #expect(try #require(try check(Self.whole, paid: false)).isPaid == false)
        #expect(try #require(try check(Self.whole, top: #","status":"failed""#)).isPaid == false)
    }

    @Test func `what went out or is nothing is no payment of ours`() throws {
        for amount in ["-250000000", "0", "-9223372036854775808"] {
            #expect(try check(Self.whole.replacing("250000000", with: amount)) == nil)
        }
    }

    private func life(_ secondsAfter: Int64, ordered: UInt64) throws -> Invoice {
        let text = #"{"payment_hash":"\#(Self.hex)","bolt11":"\#(Self.bolt11)"}"#
        return try InvoiceCheck.check(
            try JSONDecoder().decode(CreateReply.self, from: Data(text.utf8)),
            against: InvoiceOrder(sats: 250_000, memo: "", expirySeconds: ordered, extra: [:]),
            now: UInt64(1_496_314_658 + secondsAfter)
        )
    }

    @Test func `an invoice of a minute is taken as it is, whatever was ordered`() throws {
        for ordered: UInt64 in [6, 60, 600, 86_400] {
            #expect(try life(1, ordered: ordered).expiresAt == 1_496_314_658 + 60)
        }
    }

    @Test func `less than a minute by our clock is refused, unless less was ordered`() throws {
        #expect(throws: WalletError.self) { try life(20, ordered: 600) }
        #expect(try life(20, ordered: 30).expiresAt == 1_496_314_658 + 60)
        #expect(throws: WalletError.self) { try life(50, ordered: 30) }
        #expect(throws: WalletError.self) { try life(60, ordered: 1) }
    }

    @Test func `an invoice of another time is refused`() throws {
        #expect(try life(-299, ordered: 600).expiresAt == 1_496_314_658 + 60)
        #expect(throws: WalletError.self) { try life(-301, ordered: 600) }
        #expect(throws: WalletError.self) { try life(301, ordered: 600) }
    }
}
