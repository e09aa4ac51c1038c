import HTTP
import L402
import Testing
import Text

@testable import Paywall

/// What a request buys where each address is sold by itself, and where it lies to what was bought.
@Suite struct SoldAddressTests {
    private func sold(_ uri: String, _ per: SinglePer = .path) throws -> SoldAddress? {
        SoldAddress(try RequestPath(requestURI: Array(uri.utf8)), per: per)
    }

    @Test(
        "a path has one address, however it is spelled",
        arguments: [
            ("/articles/a", "/articles/a"), ("/articles/a/", "/articles/a"),
            ("/articles//a", "/articles/a"), ("/articles/x/../a", "/articles/a"),
            ("/%61rticles/%61", "/articles/a"), ("/articles/a?utm=1#x", "/articles/a"),
            ("/articles/A", "/articles/A"), ("/articles/%c3%a9", "/articles/%C3%A9"),
            ("/articles/a%3Fb", "/articles/a%3Fb"), ("/a%2520b", "/a%2520b"), ("/a+b", "/a%2Bb"),
            ("/", "/"), ("//", "/"), ("/articles/a%2f", "/articles/a"),
        ]
    )
    func path(uri: String, text: String) throws {
        #expect(try sold(uri)?.text == text)
    }

    @Test(
        "of a query the names count that the rule names, and no others",
        arguments: [
            ("/a", "/a"), ("/a?", "/a"), ("/a?id=1", "/a?id=1"), ("/a/?id=1", "/a?id=1"),
            ("/a?utm=x&id=1&z", "/a?id=1"), ("/a?page=2&id=1", "/a?id=1&page=2"),
            ("/a?id=1&page=2", "/a?id=1&page=2"), ("/a?id", "/a?id"), ("/a?id=", "/a?id="),
            ("/a?id=%61%7e", "/a?id=a~"), ("/a?id=%3a%2F", "/a?id=%3A%2F"),
            ("/a?id=:/", "/a?id=:/"),
            ("/a?id=a+b", "/a?id=a+b"), ("/a?id=a%20b", "/a?id=a%20b"),
            ("/a?id=a%2bb", "/a?id=a%2Bb"),
            ("/a?id=1=2", "/a?id=1=2"), ("/a?id=\u{e9}", "/a?id=%C3%A9"),
            ("/a?id=1#&id=2", "/a?id=1"),
            ("/a?payment_hash=1&l402=wait&id=1", "/a?id=1"), ("/a?ids=2&id=1", "/a?id=1"),
            ("/a?x[id]=2&id=1", "/a?id=1"), ("/a?x=1;y=2&id=1", "/a?id=1"),
            ("/a?id=%00", "/a?id=%00"),
        ]
    )
    func query(uri: String, text: String) throws {
        #expect(try sold(uri, .url(["id", "page"]))?.text == text)
    }

    @Test(
        "a query in which servers find different values has no address",
        arguments: [
            "id=1&id=2", "id=1&id=1", "id=1&%69d=2", "%69d=2", "ID=2", "id=1&Id=2", "id[]=2",
            "id[0]=2&id=1", "id%5B%5D=2", "id=1;id=2", "x=1;id=2", "id=1;x", "id=1&amp;id=2",
            "+id=2", "%20id=2", "id+=2", "id%00x=2", "id=%", "id=%2", "id=%zz", "a.b=1&a_b=2",
            "a.b=1", "a%20b=1", "id&id=1",
        ]
    )
    func ambiguous(query: String) throws {
        let per = SinglePer.url(["a_b", "id"])
        #expect(try sold("/a?" + query, per) == nil)
        #expect(try sold("/a?" + query)?.text == "/a")
    }

    @Test func `what lies below is told from what merely begins alike`() throws {
        let place = { (uri: String, bought: String, per: SinglePer) -> SoldAddress.Place? in
            let text = try #require(try sold(bought, per)).text
            let here = try #require(try sold(uri, per))
            let place = here.place(of: .text(text))
            // The hash says the same.
            #expect(here.place(of: .digested(text)) == place, "\(uri) \(bought)")
            return place
        }
        let above = { (path: String) in SoldAddress.Place.above(Array(path.utf8)) }
        #expect(try place("/a/b", "/a/b/", .path) == .itself)
        #expect(try place("/a/b/c/d", "/a/b", .path) == above("/a/b"))
        #expect(try place("/a/%C3%A9/d", "/a/%c3%a9", .path) == above("/a/\u{e9}"))
        for other in ["/a", "/a/bc", "/a/b.html", "/a/B", "/a/b%20", "/", "/x/a/b", "/a/c/b"] {
            #expect(try place(other, "/a/b", .path) == nil, "\(other)")
        }
        let url = SinglePer.url(["id"])
        #expect(try place("/a/b?id=1", "/a?id=1", url) == above("/a"))
        for (uri, bought) in [
            ("/a?id=1", "/a?id=2"), ("/a?id=1", "/a"), ("/a", "/a?id=1"), ("/a/b?id=1", "/a?id=11"),
            ("/a/b", "/a?id=1"), ("/a/b?id=1", "/a"), ("/a%3Fid=1", "/a?id=1"),
            ("/a?id=1/b", "/a?id=1"),
        ] {
            #expect(try place(uri, bought, url) == nil, "\(uri) \(bought)")
        }
    }

    @Test func `a stranger's address of any form is somewhere else`() throws {
        let here = try #require(try sold("/a/b/c"))
        for text in ["/", "/a/", "/a/b/", "//", "/a//b", "/a/b?x", "/a/b/c?", "a", ""] {
            #expect(here.place(of: .text(text)) == nil, "\(text)")
        }
        for digits in ["", "00", "zz", String(repeating: "0", count: 64)] {
            #expect(here.place(of: .digest(digits)) == nil)
        }
        #expect(try #require(try sold("/")).place(of: .text("/")) == .itself)
        #expect(here.place(of: .digested("/")) == nil)
    }

    @Test(
        "where the last wildcard stands for nothing, all else lies below",
        arguments: [
            ("/articles/*", "/articles", true), ("/articles/**", "/articles", true),
            ("/articles/**", "/articles/a", false), ("/**", "/", true), ("/*/**", "/a", true),
            ("/*/posts/**", "/a/posts", true), ("/*/posts/**", "/a/posts/b", false),
            ("/a**", "/a", true), ("/a**", "/ab", false), ("/a", "/a", false),
            ("/articles/**.html", "/articles", false),
        ]
    )
    func above(pattern: String, path: String, isAbove: Bool) {
        #expect(PathPattern(pattern).isAboveAll(Array(path.utf8)) == isAbove)
    }
}
