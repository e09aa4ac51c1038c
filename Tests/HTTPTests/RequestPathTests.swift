import TestTools
import Testing

@testable import HTTP

struct RequestPathTests {
    private func path(_ text: String) throws(RequestPathError) -> String {
        String(decoding: try RequestPath(requestURI: Array(text.utf8)).bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("/", "/"), ("/a/b", "/a/b"), ("/admin//x", "/admin/x"), ("/%61dmin/x", "/admin/x"),
        ("/a/../admin/x", "/admin/x"), ("/a/%2e%2E/b", "/b"), ("/a/./b/.", "/a/b/"),
        ("/a/b/..", "/a/"), ("/a/..%2fb", "/b"), ("/a%2F%2f/b", "/a/b"), ("/.hidden", "/.hidden"),
        ("/...", "/..."), ("/a..", "/a.."), ("/..a", "/..a"), ("/a%2525", "/a%25"),
        ("/a%23b", "/a#b"), ("/a%3Fb?c", "/a?b"), ("/a#b?c", "/a"), ("/a?b/../c", "/a"),
        ("/a+b%20c", "/a+b c"), ("/a\\..\\b", "/a\\..\\b"), ("/é", "/é"), ("/a;b/c", "/a;b/c"),
        ("/A", "/A"), ("/a.", "/a."), ("/a/", "/a/"), ("//", "/"), ("/a//../b", "/b"),
        ("http://h/a/../b?c", "/b"), ("HTTPS://h:1/%61", "/a"), ("http://h", "/"),
        ("http://h?q", "/"),
    ])
    func `a path is read as nginx reads it`(uri: String, expected: String) throws {
        #expect(try path(uri) == expected)
    }

    @Test(arguments: [
        ("", RequestPathError.notAbsolute), ("a/b", .notAbsolute), ("*", .notAbsolute),
        ("?a", .notAbsolute), ("http:/a", .notAbsolute), ("http:///a", .notAbsolute),
        ("http://u@h/a", .notAbsolute), ("http://h#f", .notAbsolute), ("://h/a", .notAbsolute),
        ("/%", .badEscape), ("/%4", .badEscape), ("/%zz", .badEscape),
        ("/%4g", .badEscape), ("/a%?41", .badEscape), ("/a%00b", .nul),
        ("/..", .aboveRoot), ("/../a", .aboveRoot), ("/a/../../b", .aboveRoot),
        ("/%2e%2e/a", .aboveRoot), ("//..", .aboveRoot), ("/a b", .controlByte),
        ("/a\u{0}", .nul), ("/a\n", .controlByte),
        ("/a?\u{7f}", .controlByte),
        ("/a#\r", .controlByte),
    ])
    func `what nginx answers with 400 is refused`(uri: String, error: RequestPathError) {
        #expect(throws: error) { try path(uri) }
    }

    @Test(
        arguments: [
            ("/group%2Fname", "/group%2Fname"), ("/a+b", "/a+b"), ("/a%20b", "/a%20b"),
            ("/a;v=1/b", "/a;v=1/b"), ("/a//b", "/a//b"), ("/%61", "/%61"), ("/a?", "/a?"),
            ("/q?s=a%2Fb+c&s=%26", "/q?s=a%2Fb+c&s=%26"), ("http://h/a%2Fb", "/a%2Fb"),
            ("http://h?q", "/?q"), ("/.well-known/x", "/.well-known/x"), ("/a#b?c", "/a"),
            ("/ä?ä", "/%C3%A4?ä"), ("/a..b/...", "/a..b/..."),
            // Dot segments of any spelling never leave.
            ("/a/../b%20", "/b%20"), ("/a/./b", "/a/b"), ("/a/%2e%2e/b", "/b"), ("/a/b/..", "/a/"),
            ("/a/..;x/b", "/a/..%3Bx/b"), ("/a/..%2fb", "/b"), ("/a\\..\\b", "/a%5C..%5Cb"),
            // What could begin an authority neither.
            ("//x/paid", "/x/paid"), ("///x", "/x"), ("/\\x/y", "/x/y"),
            // The proof is no part of the goods' address.
            ("/a?payment_hash=00", "/a"), ("/a?b=1&payment_hash=00&&c", "/a?b=1&&c"),
            ("/a?l402=wait&x=%7e", "/a?x=%7e"), ("/a?xl402=1&l402x=2", "/a?xl402=1&l402x=2"),
            ("/a?payment_hash", "/a"), ("/a?&", "/a?&"),
        ]
    )
    func `a backend gets what came, but for what could be read in two ways`(
        uri: String,
        expected: String
    ) throws {
        let path = try RequestPath(requestURI: Array(uri.utf8))
        #expect(String(decoding: path.forBackend, as: UTF8.self) == expected)
    }

    @Test(
        arguments: [
            ("/a", nil), ("/a?", ""), ("/a?b=c&d", "b=c&d"), ("/a?b?c", "b?c"), ("/a?b#c", "b"),
            ("/a#b?c", nil), ("/a?%00%zz", "%00%zz"), ("http://h?q", "q"),
        ] as [(String, String?)]
    )
    func `the query is raw`(uri: String, query: String?) throws {
        let path = try RequestPath(requestURI: Array(uri.utf8))
        #expect(path.query.map { String(decoding: $0, as: UTF8.self) } == query)
    }

    @Test(
        arguments: [
            ("/a/b", []), ("/a//b", []), ("/%61/b", []), ("/a/./b", ["/a/./b"]),
            ("/.well-known/x", []), ("/a%20b/c%3Fd", []),
            ("/admin/..%2ffree", ["/admin/..%2Ffree"]),
            ("/a/../b", ["/a/../b"]),
            ("/x/y//../../free", ["/x/free", "/x/y/../../free"]),
            ("/a%2fb", ["/a%2Fb"]),
            ("/free\\..\\paid", ["/paid"]),
            ("/a;x/b", ["/a/b"]),
            ("/a/..;/b", ["/b"]),
            // Two slashes begin an authority in a reference.
            ("//x/paid", ["/paid"]), ("/\\x/paid", ["/paid"]), ("///x/paid", ["/paid"]),
        ] as [(String, [String])]
    )
    func `other readings of a path are told`(uri: String, readings: [String]) throws {
        let path = try RequestPath(requestURI: Array(uri.utf8))
        let told = path.readings.map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(told).isSuperset(of: readings))
        #expect(path.isAmbiguous == !readings.isEmpty)
        #expect(Set(told).count == told.count)
        #expect(!path.readings.contains(path.bytes))
    }

    @Test func `a path is safe in a header and comes back whole`() throws {
        let path = try RequestPath(requestURI: Array("/a%0d%0aX:%20y/é%25%3F%23~-_.Z9%80".utf8))
        let header = String(decoding: path.encodedForHeader, as: UTF8.self)
        #expect(header == "/a%0D%0AX%3A%20y/%C3%A9%25%3F%23~-_.Z9%80")
        let again = try RequestPath(requestURI: path.encodedForHeader)
        #expect(again.bytes == path.bytes)
    }

    @Test func `random targets are read or refused, and the result is normal`() throws {
        var random = SplitMix(seed: 3)
        for _ in 0..<5000 {
            let uri = "/" + random.text(of: trickyPieces, most: 8)
            guard let path = try? RequestPath(requestURI: Array(uri.utf8)) else { continue }
            for bytes in [path.bytes] + path.readings {
                #expect(bytes.first == UInt8(ascii: "/"))
                #expect(!String(decoding: bytes, as: UTF8.self).contains("//"))
            }
            let segments = path.bytes.split(separator: UInt8(ascii: "/"))
            #expect(
                !segments.contains { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) }
            )
            let again = try RequestPath(requestURI: path.encodedForHeader)
            #expect(again.bytes == path.bytes)
        }
    }
}

/// Pieces that paths are made of to deceive.
let trickyPieces = [
    "/", "/", "//", ".", "..", "/.", "/..", "/../", "%2e", "%2E", "%2f", "%2F", "%5c", "\\", "a",
    "Bc", "%61", "%25", "%252e", "%3f", "%3F", "%23", "?", "#", ";x", "+", "%20", "%00", "%", "%4",
    "%zz", "é", "%c3%a9", "%ff", "\u{1}", " ", "~", ":", "*", "%0a", "%7f", ".html", "&=",
]
