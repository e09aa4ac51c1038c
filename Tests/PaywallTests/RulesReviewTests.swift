import Foundation
import Testing
import Text

@testable import Paywall

struct RulesReviewTests {
    private func warnings(_ text: String, serve: ServeTarget? = .demo) throws -> [String] {
        try RulesReview(parsing: Array(text.utf8), fileName: "rules", defaultServe: serve)
            .warnings.map(\.description)
    }

    @Test(arguments: [
        (
            "GET /one price=10 service=s\nGET /bulk price=10 uses=100 service=s",
            "rules:2:20: service \"s\" tier 0 buys 1 request in line 1 and 100 requests here"
        ),
        (
            "GET /a price=10 service=s\nGET /b price=10 valid=2h service=s",
            "rules:2:17: service \"s\" tier 0 is good for 1h in line 1 and for 2h here"
        ),
        (
            "GET /a price=10 service=s\nGET /b price=10 service=s hash=off",
            "rules:2:27: service \"s\" tier 0 has hash=on in line 1 and hash=off here"
        ),
        (
            "GET /dear price=1000 service=t\nGET /vip price=1 tier=1 service=t",
            "rules:2:18: tier 1 of service \"t\" costs 1 sat for 1 request and opens tier 0 too"
        ),
        (
            "GET /vip price=0.10USD tier=7 service=t\nGET /dear price=0.20USD service=t",
            "rules:1:24: tier 7 of service \"t\" costs 0.10 USD for 1 request and opens tier 0 too"
        ),
        (
            "GET /a price=9 service=t\nGET /b price=9 uses=99 tier=1 service=t",
            "rules:2:24: tier 1 of service \"t\" costs 9 sats for 99 requests and opens tier 0"
        ),
        (
            "GET /news/** price=50 unlimited valid=30d",
            "rules:1:33: sold for 30d under a name that is made from methods, host and path"
        ),
        ("GET /a price=9 tier=1", "rules:1:16: a tier without service= is of no use"),
        (
            "GET /a price=9 unlimited valid=1h hash=on",
            "rules:1:35: whoever sees the invoice of this rule knows its payment hash"
        ),
        (
            "GET /a price=2 uses=2000",
            "rules:1:16: 2000 requests for 2 sats are a thousand or more for a sat"
        ),
        (
            "GET /a price=9 service=News\nGET /b price=9 service=news",
            "rules:2:16: service \"news\" is another one than \"News\" in line 1"
        ),
        (
            "GET /a/** price=9 per=path service=s",
            "rules:1:19: what is bought opens all that this rule covers below it, and so does a"
        ),
        (
            "GET /a/* price=9 per=path service=a-name-of-20-letters",
            "rules:1:27: each caveat of a token begins with the service's name"
        ),
        (
            "GET /a/* price=9 per=path valid=30d",
            "rules:1:27: sold for 30d under a name that is made from methods, host, path and per="
        ),
        (
            "GET /a/* price=9 uses=2 per=path service=s\nGET /b/* price=9 per=path service=s",
            "rules:2:10: service \"s\" tier 0 buys 2 requests in line 1 and 1 request here"
        ),
        (
            "POST /a price=9\nGET /b price=9 service=post-a",
            "rules:2:16: service \"post-a\" is also the name made for line 1"
        ),
    ])
    func `a service that opens more than it costs is told`(text: String, begin: String) throws {
        let told = try warnings(text)
        #expect(told.count == 1 && told.first?.hasPrefix(begin) == true, "\(told)")
    }

    @Test(arguments: [
        (
            "* /** price=5 host=shop.example\n* /** free",
            "rules:1:15: what this rule sells is free on any other host than \"shop.example\" by "
                + "line 2 (/**)"
        ),
        (
            "* /a/* price=5 host=shop.example\n* /** price=4",
            "rules:1:16: what this rule sells is sold for 4 sats on any other host"
        ),
        (
            "* /a/* price=5 host=shop.example\n* /**/b free host=b.example",
            "rules:1:16: what this rule sells is free on host \"b.example\" by line 2 (/**/b)"
        ),
        (
            "* /admin/** deny host=shop.example\n* /** free serve=@www",
            "rules:1:18: what this rule denies is free on any other host"
        ),
        (
            "GET /admin/** deny host=shop.example\n* /admin/** price=5",
            "rules:1:20: what this rule denies is sold for 5 sats on any other host"
        ),
        (
            "POST /a price=5\n* /** free",
            "rules:1:1: GET of the same paths is free by line 2 (/**)"
        ),
        (
            "GET /a/** price=5\nGET,POST /** free",
            "rules:1:1: POST of the same paths is free by line 2 (/**)"
        ),
    ])
    func `a way round a rule is told`(text: String, begin: String) throws {
        let told = try warnings(text)
        #expect(told.count == 1 && told.first?.hasPrefix(begin) == true, "\(told)")
    }

    @Test(arguments: [
        "GET /one price=10 uses=1\nGET /bulk price=100 uses=100",
        "GET /low price=1 service=t\nGET /high price=10 tier=1 service=t",
        "GET /low price=1 service=t\nGET /high price=0.10USD tier=1 service=t",
        "GET /article price=5 service=t\nGET /pass price=50 unlimited valid=30d tier=1 service=t",
        "GET /a price=5 service=s\nGET /b price=5 service=s",
        "GET /news/** price=50 unlimited valid=30d service=news",
        "GET /news/** price=50 unlimited valid=1d",
        "GET /a/* price=9 unlimited valid=30d per=path service=s\nGET /p price=99 service=s",
        "GET /a/** price=9 per=path exists=/srv\nGET /b/** price=9 per=path teaser=/srv\n"
            + "GET /c/** price=9 per=path serve=file:/srv",
        "GET /a/* price=9 tier=1 per=path service=s\nGET /b price=8 service=s",
        // The same price for all other hosts, and goods of their own.
        "* /a/** price=5 host=shop.example\n* /a/** price=5\n* /** free",
        "* /** price=5 host=shop.example serve=@shop\n* /** free serve=@www",
        "* /a/** price=5 host=shop.example\n* /a/** deny\n* /** free",
        // What is free on its own host too.
        "* /logo free\n* /** price=5 host=shop.example",
        "* /a price=5 host=shop.example\n* /b free",
        "POST /a price=5\nGET /a deny\n* /** free",
        "POST /a price=5 serve=@api\n* /** free serve=@www",
        "POST /a price=5\nGET /b free",
        "* /** free",
    ])
    func `what is sold as it is meant is not doubted`(text: String) throws {
        #expect(try warnings(text) == [])
    }

    @Test func `rules without goods are told at the first of them`() throws {
        let told = try warnings(
            "GET /a price=1\n* /b free\n* /c deny\nGET /d free serve=@x",
            serve: nil
        )
        #expect(told.count == 1)
        #expect(
            told.first?.hasPrefix(
                "rules:1:1: this rule serves nothing where the gate is asked as a responder (so do "
                    + "lines 2): write serve=…"
            ) == true
        )
        #expect(try warnings("GET /a price=1\n* /b free serve=pass", serve: .pass) == [])
        #expect(try warnings("GET /a price=1 serve=pass", serve: nil) == [])
        #expect(
            try warnings("GET /a price=1 serve=pass\n* /b free serve=@x", serve: nil).count == 1
        )
    }

    @Test func `what is wrong with the file itself comes first`() {
        #expect(throws: RulesFileErrors.self) {
            try RulesReview(parsing: Array("GET /a prize=1".utf8), fileName: "rules")
        }
    }

    @Test func `the example is silent and shows every term, its commented rules too`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appending(path: "nginx/example.rules"),
            encoding: .utf8
        )
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map {
                $0.hasPrefix("# GET,POST") || $0.hasPrefix("# *  ")
                    ? String($0.dropFirst(2)) : String($0)
            }
            .joined(separator: "\n")
        for (text, count) in [(text, 15), (all, 17)] {
            let review = try RulesReview(parsing: Array(text.utf8), fileName: "rules")
            #expect(review.warnings == [])
            #expect(review.rules.rules.count == count)
        }
        // Another wallet has to be configured, so that rule is not in force as the file is shipped.
        #expect(
            try Rules(parsing: Array(text.utf8), fileName: "rules", wallets: []).rules.count == 15
        )
        let words = Set(DirectiveScanner(Array(all.utf8), plainWords: 2).lines.joined().map(\.name))
        for term in RuleTerm.allCases { #expect(words.contains(term.rawValue)) }
    }
}
