import Foundation
import HTTP
import Paywall
import Testing

@testable import Goods

@Suite("Header fields between client, gate and backend") struct HeaderFilterTests {
    private func toBackend(
        _ parameters: [String: String],
        isToldHost: Bool = false,
        sale: [(String, String)] = []
    ) -> [String] {
        let exchange = FakeExchange(parameters)
        return HeaderFilter.toBackend(
            exchange,
            origin: PublicOrigin(parameter: exchange.parameter),
            isToldHost: isToldHost,
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
                "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 443",
                "X-Forwarded-Proto: https", "L402-Access: free",
            ]
        )
    }

    @Test(
        "the proof of payment stays here, any other Authorization goes on",
        arguments: [
            ("L402 abc:def", false), ("LSAT abc:def", false), ("l402\tabc", false),
            (" L402 x", false), (String(repeating: "a", count: 64), false),
            ("L402", false),
            ("L402 " + String(repeating: "a", count: 64), false), ("L402 L402 x:y", false),
            ("L402 " + String(repeating: "a", count: 20_000), false), ("L402 a,b:c", false),
            (String(repeating: "a", count: 63), true),
            ("Bearer abc", true), ("Basic bDQwMg==", true), ("L402x y", true),
        ]
    )
    func authorization(value: String, isPassed: Bool) {
        let fields = toBackend(["HTTP_AUTHORIZATION": value])
        #expect(fields.contains("Authorization: \(value)") == isPassed)
    }

    @Test("of what else a proof can come in, the rest goes on")
    func proofs() {
        let table: [(String, String, [String])] = [
            ("AUTHORIZATION", "Basic Zm9v, L402 a,b:c", ["Authorization: Basic Zm9v"]),
            ("AUTHORIZATION", "Digest a=\"b, c\"", ["Authorization: Digest a=\"b, c\""]),
            ("COOKIE", "a=1; l402-1234abcd=x:y; sid=l402=2", ["Cookie: a=1; sid=l402=2"]),
            ("COOKIE", "l402=x; a=1", ["Cookie: a=1"]), ("COOKIE", "a=1;l402=x", ["Cookie: a=1"]),
            ("COOKIE", "l402=x", []), ("COOKIE", "l402-1=x; l402-2=y", []),
            ("COOKIE", "a=1, l402-1=x; b=2", ["Cookie: a=1; b=2"]),
            ("COOKIE", "a=1;  b=2,3;xl402=4", ["Cookie: a=1;  b=2,3;xl402=4"]),
            ("X_PAYMENT_HASH", "00", []), ("MACAROON", "00", []),
            ("GRPC_METADATA_MACAROON", "00", []),
            ("REFERER", "http://h/a?b=c&payment_hash=0&d", ["Referer: http://h/a?b=c&d"]),
            ("REFERER", "http://h/a?payment_hash=0", ["Referer: http://h/a"]),
            ("REFERER", "http://h/a?b", ["Referer: http://h/a?b"]),
        ]
        for (name, value, left) in table {
            let fields = toBackend(["HTTP_" + name: value])
            #expect(fields == left + ["X-Forwarded-Proto: http"], "\(name): \(value)")
        }
    }

    @Test("no field names another path, method or host than the request line")
    func dangerous() {
        for name in DangerousFields.names.sorted() {
            let variable = "HTTP_" + name.uppercased().replacingOccurrences(of: "-", with: "_")
            #expect(toBackend([variable: "/paid"]) == ["X-Forwarded-Proto: http"], "\(name)")
            #expect(DangerousFields.contains(variable: Array(variable.utf8)))
        }
        for name in [
            "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Method-Override",
            "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Script-Name", "X-Envoy-Original-Path",
            "Base-Url", "X-Original-Host", "X-Accel-Mapping",
        ] { #expect(DangerousFields.names.contains(name.lowercased()), "\(name)") }
        for variable in ["HTTP_ACCEPT", "HTTP_X_REQUEST_ID", "X_ORIGINAL_URL", "REQUEST_URI"] {
            #expect(!DangerousFields.contains(variable: Array(variable.utf8)))
        }
    }

    @Test("the backend is told the public address")
    func address() {
        let table: [([String: String], [String])] = [
            // As the shipped nginx snippets say it.
            (
                ["HTTP_HOST": "h", "SERVER_PORT": "8402", "REQUEST_SCHEME": "http"],
                ["h:8402", "h:8402", "8402", "http"]
            ),
            (
                ["HTTP_HOST": "h", "SERVER_PORT": "443", "REQUEST_SCHEME": "https"],
                ["h", "h", "443", "https"]
            ),
            // The port of a container is not that of the site.
            (
                ["HTTP_HOST": "h", "SERVER_PORT": "80", "REQUEST_AUTHORITY": "H:8080"],
                ["h:8080", "h:8080", "8080", "http"]
            ),
            (
                ["HTTP_HOST": "h", "SERVER_PORT": "80", "REQUEST_AUTHORITY": "evil:8080"],
                ["h", "h", "80", "http"]
            ),
            // As Apache and lighttpd say it.
            (
                ["HTTP_HOST": "h:81", "SERVER_PORT": "80", "SERVER_SOFTWARE": "x"],
                ["h:81", "h:81", "81", "http"]
            ),
            (
                ["HTTP_HOST": "h", "SERVER_PORT": "8080", "SERVER_SOFTWARE": "x", "HTTPS": "1"],
                ["h", "h", "443", "https"]
            ),
            (["HTTP_HOST": "[::1]:81", "HTTPS": "off"], ["[::1]:81", "[::1]:81", "81", "http"]),
            (["SERVER_NAME": "n", "SERVER_PORT": "443"], ["n", "n", "443", "https"]),
            (
                ["HTTP_HOST": "h", "HTTPS": "on", "REQUEST_SCHEME": "http"],
                ["h", "h", "443", "https"]
            ),
        ]
        let names = ["Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto"]
        for (parameters, told) in table {
            #expect(
                toBackend(parameters, isToldHost: true) == zip(names, told).map { "\($0): \($1)" },
                "\(parameters)"
            )
        }
        #expect(
            toBackend(["HTTP_HOST": "a b", "HTTP_X_FORWARDED_HOST": "x"]) == [
                "X-Forwarded-Proto: http"
            ]
        )
    }

    @Test("no value begins another line")
    func injection() {
        let exchange = FakeExchange(bytes: [
            "HTTP_A": Array("x\r\nL402-Access: paid".utf8), "HTTP_B": Array("x\ny".utf8),
            "HTTP_C": [0x61, 0],
            "HTTP_D": [], "HTTP_E": [0xff],
        ])
        #expect(
            HeaderFilter.toBackend(exchange, origin: nil, sale: [])
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
            ("Variable-X", "1"), ("Upgrade", "h2"), ("Location", "/private"),
        ]
        let left = HeaderFilter.toClient(
            fields.map { (name: $0.0, value: $0.1) },
            status: 200,
            links: PublicLinks(backend: BackendURL("http://b"), origin: nil)
        )
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
        for nameless in [
            "http://127.0.0.1:3000", "http://localhost", "http://[::1]:1", "http://app:3000",
            "http+unix:/x", "http://10.0.0.7",
        ] { #expect(BackendURL(nameless).isNameless, "\(nameless)") }
        #expect(!BackendURL("https://api.example").isNameless)
    }
}
