import HTTP
import Paywall
import Testing

@testable import Goods

@Suite("The head that the client gets") struct HeadFieldsTests {
    @Test("no link leads to an inner address")
    func links() {
        func value(_ name: String, _ text: String, _ backend: String, isKnown: Bool = true)
            -> String
        {
            let origin = PublicOrigin { ["HTTP_HOST": Array("shop.example:8402".utf8)][$0] }
            return PublicLinks(backend: BackendURL(backend), origin: isKnown ? origin : nil)
                .value(of: name, text)
        }
        let inner = "http://127.0.0.1:3000"
        for (from, to) in [
            ("http://127.0.0.1:3000/a?b#c", "http://shop.example:8402/a?b#c"),
            ("HTTP://LOCALHOST:3000/a", "http://shop.example:8402/a"),
            ("https://[::1]:3000/a", "http://shop.example:8402/a"),
            ("http://127.0.0.1:3000", "http://shop.example:8402"),
            ("http://127.0.0.1:3000?a", "http://shop.example:8402?a"),
            ("//0.0.0.0:3000/a", "http://shop.example:8402/a"),
            // Not the backend's.
            ("/a", "/a"), ("http://127.0.0.1:3001/a", "http://127.0.0.1:3001/a"),
            ("http://127.0.0.1:3000@evil/a", "http://127.0.0.1:3000@evil/a"),
            ("http://127.0.0.1:30000/a", "http://127.0.0.1:30000/a"),
            ("http://127.0.0.1:3000\\a", "http://127.0.0.1:3000\\a"),
            ("https://pay.example/127.0.0.1:3000/", "https://pay.example/127.0.0.1:3000/"),
            ("http://shop.example:8402/x", "http://shop.example:8402/x"), ("", ""),
        ] {
            #expect(value("Location", from, inner) == to)
            #expect(value("content-location", from, inner) == to)
            #expect(value("Refresh", "5; URL=\(from)", inner) == "5; URL=\(to)")
            #expect(value("Link", "<\(from)>; rel=next, </x>", inner) == "<\(to)>; rel=next, </x>")
            #expect(value("X-Other", from, inner) == from)
        }
        #expect(
            value("Refresh", "5;url='\(inner)/a'", inner) == "5;url='http://shop.example:8402/a'"
        )
        #expect(value("Refresh", "5", inner) == "5")
        #expect(value("Location", "\(inner)//evil/a", inner, isKnown: false) == "/evil/a")
        #expect(
            value("Location", "https://api.example/a", "https://api.example")
                == "http://shop.example:8402/a"
        )
        #expect(
            value("Location", "http://localhost/a", "http+unix:/run/x")
                == "http://shop.example:8402/a"
        )
        #expect(
            value("Location", "http://app:3000/a", "http://app:3000")
                == "http://shop.example:8402/a"
        )
    }

    @Test("no shared cache may keep what was paid for")
    func caching() {
        let table: [([(String, String)], String)] = [
            ([], "private"),
            ([("Cache-Control", "public, max-age=60, s-maxage=9")], "private, max-age=60"),
            ([("Cache-Control", "no-store")], "no-store"),
            ([("cache-control", "Private"), ("Cache-Control", "no-cache")], "private, no-cache"),
            ([("Cache-Control", "private=\"Set-Cookie, X\", max-age=5")], "private, max-age=5"),
            ([("Cache-Control", "must-understand, no-store")], "no-store"),
            (
                [
                    ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
                    ("Surrogate-Control", "max-age=9"),
                    ("CDN-Cache-Control", "public"), ("Cloudflare-CDN-Cache-Control", "public"),
                    ("Edge-Control", "x"),
                ], "private"
            ),
        ]
        for (goods, expected) in table {
            let left = HeadFields.merge(
                goods.map { (name: $0.0, value: $0.1) } + [(name: "ETag", value: "x")],
                with: [("Cache-Control", "private")]
            )
            #expect(
                left.map { "\($0.name): \($0.value)" } == ["ETag: x", "Cache-Control: \(expected)"]
            )
        }
        let open = HeadFields.merge([("Cache-Control", "public"), ("Expires", "0")], with: [])
        #expect(open.map(\.value) == ["public", "0"])
    }

    @Test("what the backend shows to other origins stays, and off means that the gate says nothing")
    func origins() {
        let goods = [
            (name: "Access-Control-Allow-Origin", value: "https://b"),
            (name: "Access-Control-Expose-Headers", value: "X-Total-Count, RateLimit"),
            (name: "Access-Control-Max-Age", value: "5"),
        ]
        func merged(_ own: [(String, String)]) -> [String] {
            HeadFields.merge(goods, with: own.map { (name: $0.0, value: $0.1) })
                .map { "\($0.name): \($0.value)" }
        }
        #expect(
            merged([
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Expose-Headers", "L402-Price, ratelimit"),
            ]) == [
                "Access-Control-Max-Age: 5", "Access-Control-Allow-Origin: *",
                "Access-Control-Expose-Headers: L402-Price, ratelimit, X-Total-Count",
            ]
        )
        #expect(merged([]) == goods.map { "\($0.name): \($0.value)" })
        // A list of origins, and this one is not of it.
        #expect(
            !merged([("Vary", "Origin")]).contains { $0.hasPrefix("Access-Control-Allow-Origin") }
        )
    }
}
