import Testing

@testable import Goods

@Suite("Header fields between client, gate and backend") struct HeaderFilterTests {
    private func toBackend(_ parameters: [String: String], sale: [(String, String)] = [])
        -> [String]
    {
        HeaderFilter.toBackend(
            FakeExchange(parameters),
            sale: sale.map { (name: $0.0, value: $0.1) }
        )
        .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("what the client says of itself goes on, what concerns one connection does not")
    func hopByHop() {
        let fields = toBackend([
            "HTTP_ACCEPT": "text/html", "HTTP_X_CUSTOM_FIELD": "1",
            "HTTP_CONNECTION": "close, X-Custom-Hop",
            "HTTP_X_CUSTOM_HOP": "secret", "HTTP_TE": "trailers", "HTTP_UPGRADE": "h2c",
            "HTTP_TRANSFER_ENCODING": "chunked", "HTTP_KEEP_ALIVE": "5", "HTTP_PROXY": "evil",
            "HTTP_CONTENT_LENGTH": "9", "HTTP_EXPECT": "100-continue", "REMOTE_ADDR": "192.0.2.7",
        ])
        #expect(
            fields == [
                "Accept: text/html", "X-Custom-Field: 1", "X-Forwarded-For: 192.0.2.7",
                "X-Forwarded-Proto: http",
            ]
        )
    }

    @Test("nobody but the gate says what was sold and who asks")
    func forged() {
        let fields = toBackend(
            [
                "HTTP_L402_ACCESS": "paid", "HTTP_L402_TIER": "9",
                "HTTP_X_FORWARDED_FOR": "10.0.0.1",
                "HTTP_FORWARDED": "for=10.0.0.1", "HTTP_X_REAL_IP": "10.0.0.1",
                "HTTP_HOST": "shop.example",
                "HTTP_X_PAYMENT_HASH": "00", "REMOTE_ADDR": "192.0.2.7", "HTTPS": "on",
                "CONTENT_TYPE": "text/plain",
            ],
            sale: [("L402-Access", "free"), ("Cache-Control", "private")]
        )
        #expect(
            fields == [
                "Content-Type: text/plain", "X-Forwarded-For: 192.0.2.7",
                "X-Forwarded-Host: shop.example",
                "X-Forwarded-Proto: https", "L402-Access: free",
            ]
        )
    }

    @Test(
        "the proof of payment stays here, any other Authorization goes on",
        arguments: [
            ("L402 abc:def", false), ("LSAT abc:def", false), ("l402\tabc", false),
            (" L402 x", false),
            ("Bearer abc", true), ("Basic bDQwMg==", true), ("L402x y", true),
        ]
    )
    func authorization(value: String, isPassed: Bool) {
        let fields = toBackend(["HTTP_AUTHORIZATION": value])
        #expect(fields.contains("Authorization: \(value)") == isPassed)
    }

    @Test("no value begins another line")
    func injection() {
        let exchange = FakeExchange(bytes: [
            "HTTP_A": Array("x\r\nL402-Access: paid".utf8), "HTTP_B": Array("x\ny".utf8),
            "HTTP_C": [0x61, 0],
            "HTTP_D": [], "HTTP_E": [0xff],
        ])
        #expect(
            HeaderFilter.toBackend(exchange, sale: [])
                == [
                    Array("D;".utf8), Array("E: ".utf8) + [0xff],
                    Array("X-Forwarded-Proto: http".utf8),
                ]
        )
    }

    @Test("a backend gives the web server no orders and says nothing for the gate")
    func toClient() {
        let fields = [
            ("Content-Type", "text/plain"), ("X-Accel-Redirect", "/private"),
            ("X-Sendfile", "/etc/passwd"),
            ("x-sendfile2", "x"), ("Status", "200"), ("L402-Access", "paid"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"), ("Transfer-Encoding", "chunked"), ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Access-Control-Allow-Origin", "https://x"), ("Variable-X", "1"), ("Upgrade", "h2"),
        ]
        let left = HeaderFilter.toClient(fields.map { (name: $0.0, value: $0.1) })
        #expect(
            left.map { "\($0.name): \($0.value)" } == [
                "Content-Type: text/plain", "Set-Cookie: a=1", "Set-Cookie: b=2",
            ]
        )
    }

    @Test("where a backend is")
    func urls() {
        #expect(BackendURL("http://127.0.0.1:3000/").base == "http://127.0.0.1:3000")
        #expect(BackendURL("https://x.example").socket == nil)
        let unix = BackendURL("http+unix:/run/app.sock")
        #expect(unix.base == "http://localhost" && unix.socket == "/run/app.sock")
    }
}
