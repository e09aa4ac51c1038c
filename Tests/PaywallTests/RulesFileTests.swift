import TestTools
import Testing
import Text
import Wallets

@testable import Paywall

struct RulesFileTests {
    private func rules(_ text: String) throws -> [Rule] {
        try Rules(parsing: Array(text.utf8), fileName: "rules").rules
    }

    private func rule(_ text: String) throws -> Rule {
        let rules = try rules(text)
        try #require(rules.count == 1)
        return rules[0]
    }

    private func offer(_ text: String) throws -> Offer {
        guard case .priced(let offer) = try rule(text).access else {
            throw Failure("not a priced rule: \(text)")
        }
        return offer
    }

    @Test func `a price alone has all defaults`() throws {
        let rule = try rule("POST /api/dvm price=21")
        #expect(rule.line == 1)
        #expect(rule.methods == ["POST"])
        #expect(rule.pattern.text == "/api/dvm")
        #expect(rule.host == nil)
        #expect(rule.access == .priced(Offer(price: .sats(21), uses: 1, validSeconds: 3600)))
        #expect(rule.service.hasPrefix("post-api-dvm"))
        #expect(rule.memo == rule.service)
        #expect(rule.tier == 0)
        #expect(rule.require == [])
        #expect(rule.serve == nil)
        #expect(rule.acceptsHash)
        #expect(rule.wallet == nil)
        #expect(rule.cors == nil)
    }

    @Test func `every term is read`() throws {
        let rule = try rule(
            """
            GET,POST /x/** price=0.25USD free=5/hour uses=10 valid=7d service=reports tier=3 \
            require=prompt,model serve=@goods memo="a \\"b\\" \\\\ # c" hash=off wallet=shop \
            cors=https://a.example,http://b.example:81 host=API.Example.com. grace=2h
            """
        )
        let offer = Offer(
            price: .fiat(FiatAmount(hundredths: 25, currency: "USD")),
            uses: 10,
            validSeconds: 604_800,
            free: FreeAllowance(limit: 5, period: .hour)
        )
        #expect(
            rule
                == Rule(
                    line: 1,
                    methods: ["GET", "HEAD", "POST"],
                    pattern: PathPattern("/x/**"),
                    host: "api.example.com",
                    access: .priced(offer),
                    service: "reports",
                    tier: 3,
                    require: ["prompt", "model"],
                    serve: .named("@goods"),
                    memo: "a \"b\" \\ # c",
                    acceptsHash: false,
                    wallet: "shop",
                    cors: "https://a.example,http://b.example:81",
                    grace: 7200
                )
        )
    }

    @Test func `free and deny need nothing else`() throws {
        #expect(try rule("* /health free").access == .free)
        #expect(try rule("* /health free").methods == nil)
        #expect(try rule("* /admin/** deny").access == .deny)
    }

    @Test func `what is sold by itself is read, and where its texts are`() throws {
        let text = "GET /a/* price=1 per=url:page,id teaser=/srv/t/ exists=/srv/a"
        #expect(try rule(text).per == .url(["id", "page"]))
        #expect(try rule(text).teaser == "/srv/t" && rule(text).exists == "/srv/a")
        #expect(try rule("GET /a/* price=1 per=path").per == .path)
        #expect(try rule("GET /a/* price=1").per == nil)
    }

    @Test func `a made name tells the ways of selling apart, and not their spelling`() throws {
        func name(_ per: String) throws -> String { try rule("GET /a/* price=1" + per).service }
        let names = try [
            name(""), name(" per=path"), name(" per=url:id"), name(" per=url:id,page"),
        ]
        #expect(Set(names).count == 4)
        #expect(try name(" per=url:page,id") == name(" per=url:id,page"))
        #expect(names.dropFirst().allSatisfy { $0.utf8.count <= 19 })
        // The name of a rule without per= is what it was before there was per=.
        #expect(names[0] == "get-a-35ff37ff")
    }

    @Test func `GET includes HEAD and nothing else does`() throws {
        #expect(try rule("GET /x free").methods == ["GET", "HEAD"])
        #expect(try rule("POST /x free").methods == ["POST"])
        #expect(try rule("HEAD /x free").methods == ["HEAD"])
    }

    @Test(arguments: [
        ("21", Price.sats(21)), ("1", .sats(1)), ("10000000", .sats(10_000_000)),
        ("0.25USD", .fiat(FiatAmount(hundredths: 25, currency: "USD"))),
        ("1EUR", .fiat(FiatAmount(hundredths: 100, currency: "EUR"))),
        ("1.5CHF", .fiat(FiatAmount(hundredths: 150, currency: "CHF"))),
        ("0.01USD", .fiat(FiatAmount(hundredths: 1, currency: "USD"))),
        ("12.05USD", .fiat(FiatAmount(hundredths: 1205, currency: "USD"))),
    ])
    func `a price is read`(text: String, price: Price) throws {
        #expect(try offer("GET /x price=\(text)").price == price)
    }

    @Test func `unlimited is written in two ways and switches the bare hash off`() throws {
        for term in ["uses=unlimited", "unlimited"] {
            let text = "GET /x price=1 \(term) valid=1d"
            #expect(try offer(text).uses == nil)
            #expect(try rule(text).acceptsHash == false)
            #expect(try rule(text + " hash=on").acceptsHash == true)
        }
        #expect(try rule("GET /x price=1 uses=5 hash=off").acceptsHash == false)
        #expect(try rule("GET /x price=1 uses=5").acceptsHash == true)
    }

    @Test(arguments: [
        ("@goods", ServeTarget.named("@goods")),
        ("/internal/", .internal("/internal/")),
        ("file:/var/www/paid", .file("/var/www/paid")),
        ("file:/var/www/paid/", .file("/var/www/paid")),
        ("http://127.0.0.1:9000", .proxy("http://127.0.0.1:9000")),
        ("http://[::1]:9000", .proxy("http://[::1]:9000")),
        ("https://backend.example", .proxy("https://backend.example")),
        ("http+unix:/run/app.sock", .proxy("http+unix:/run/app.sock")),
        ("pass", .pass), ("demo", .demo),
    ])
    func `a target is read`(text: String, target: ServeTarget) throws {
        #expect(try rule("GET /x price=1 serve=\(text)").serve == target)
    }

    @Test func `comments, blank lines, continuations, tabs, CRLF and a mark are tolerated`() throws
    {
        let text =
            "\u{feff}# a comment with \"quotes\" and a \\\r\n\r\n"
            + "GET\t/a#b  price=1 \\\r\n\tmemo=\"x # y\" # the end\r\n"
            + "  * /c free #\\\n"
            + "POST /d free \\\n  # nothing more\n"
            + "* /e deny \\"
        let rules = try rules(text)
        #expect(rules.map(\.line) == [3, 5, 6, 8])
        #expect(rules.map(\.pattern.text) == ["/a#b", "/c", "/d", "/e"])
        #expect(rules.first?.memo == "x # y")
    }

    @Test func `a quoted value goes on in the next line`() throws {
        #expect(try rule("GET /x price=1 memo=\"one \\\ntwo\"").memo == "one two")
    }

    @Test func `a file without rules warns`() throws {
        for text in ["", "\n\n", "# nothing\n"] {
            let file = try Rules(parsing: Array(text.utf8), fileName: "etc/rules")
            #expect(file.rules.isEmpty)
            #expect(
                file.warnings.map(\.description) == [
                    "etc/rules:1:1: there is no rule: every request is answered 404"
                ]
            )
        }
    }

    @Test func `services made from rules are stable, different and fit for caveats`() throws {
        let texts = [
            "GET /api/x price=1", "POST /api/x price=1", "* /api/x price=1",
            "GET /api-x price=1", "GET /api/x price=1 host=a.example", "GET /** price=1",
            "GET /\u{e9}t\u{e9}/é price=1", "GET /\(String(repeating: "long/", count: 40)) price=1",
        ]
        let services = try texts.map { try rule($0).service }
        #expect(Set(services).count == texts.count)
        for service in services {
            #expect(service.utf8.count <= 64)
            #expect(service.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        }
        #expect(try rule("GET,HEAD  /api/x  price=2 memo=\"m\"").service == services[0])
    }

    @Test func `a memo of 639 bytes fits and one more does not`() throws {
        let long = String(repeating: "é", count: 319) + "x"
        #expect(try rule("GET /x price=1 memo=\"\(long)\"").memo == long)
        #expect(
            errors("GET /x price=1 memo=\"\(long)x\"") == [
                "rules:1:22: memo has 640 bytes, at most 639 fit in an invoice"
            ]
        )
    }

    @Test func `rules of one service may share price, tier and wallet`() throws {
        let rules = try rules(
            """
            GET /a price=5 service=s
            GET /b price=5 service=s
            GET /c price=9 service=s tier=1
            GET /d price=0.10USD service=t wallet=w
            GET /e price=0.1USD service=t wallet=w
            """
        )
        #expect(rules.count == 5)
    }

    @Test(arguments: [
        ("GET /a free\nGET /a price=1", 2, "line 1 (/a) takes"),
        ("* /** free\nGET /a/*/b price=1", 2, "line 1 (/**) takes"),
        ("GET /a/** price=1\n\nHEAD /a/b price=1", 3, "line 1 (/a/**) takes"),
        ("GET,POST /a free\nPOST /a free host=x.example", 2, "line 1 (/a) takes"),
        ("GET /a/* free\nGET /a/b price=1", 2, "line 1 (/a/*) takes"),
        ("GET /**.html free\nGET /a/*.html price=1", 2, "line 1 (/**.html) takes"),
    ])
    func `a rule that never matches is a warning`(text: String, line: Int, phrase: String) throws {
        let file = try Rules(parsing: Array(text.utf8), fileName: "rules")
        #expect(
            file.warnings.map(\.description) == [
                "rules:\(line):1: this rule never matches: \(phrase) all its requests"
            ]
        )
    }

    @Test(arguments: [
        "GET /a free\nPOST /a price=1", "GET /a free\n* /a price=1",
        "GET /a/** free\nGET /a price=1", "GET /a free host=x.example\nGET /a price=1",
        "GET /a/* free\nGET /a/** price=1",
        "GET /a free host=x.example\nGET /a price=1 host=y.example",
    ])
    func `a rule that can match is no warning`(text: String) throws {
        #expect(try Rules(parsing: Array(text.utf8), fileName: "rules").warnings.isEmpty)
    }

    @Test func `random files are read or refused and never trap`() {
        var random = SplitMix(seed: 402)
        let pieces = [
            "GET", "POST", "*", ",", " ", " ", "\t", "\n", "\r\n", "\\", "\\\n", "#", "\"", "=",
            "/", "/a", "/**", "*", "price=", "21", "0.25USD", "free", "deny", "uses=", "unlimited",
            "valid=", "1h30m", "service=", "tier=", "require=", "serve=", "@x", "memo=", "\"m\"",
            "hash=", "on", "wallet=", "cors=", "host=", "a.example", "é", "\u{0}", "%2f", "?", "..",
            "99999999999999999999", "free=1/day",
        ]
        var read = 0
        for _ in 0..<4000 {
            var text = Array(random.text(of: pieces, most: 24).utf8)
            if Int.random(in: 0..<20, using: &random) == 0 { text.append(0xff) }
            do {
                read += try Rules(parsing: text, fileName: "f").rules.isEmpty ? 0 : 1
            } catch {
                #expect(!error.errors.isEmpty)
                for issue in error.errors {
                    #expect(issue.line >= 1 && issue.column >= 1)
                    #expect(!issue.message.contains("\n"))
                }
            }
        }
        for _ in 0..<1000 {
            let text = "GET /a/\(random.text(of: ["*", "b", "/"], most: 3))b price=1 "
            let more = random.text(of: ["uses=2 ", "valid=1h ", "tier=1 ", "hash=on "], most: 2)
            read += (try? rules(text + more)) != nil ? 1 : 0
        }
        #expect(read > 100)
    }
}

/// The errors of a file as the operator sees them.
func errors(_ text: String) -> [String] {
    errors(Array(text.utf8))
}

/// The errors of a file as the operator sees them.
func errors(_ text: [UInt8]) -> [String] {
    do {
        let file = try Rules(parsing: text, fileName: "rules")
        return ["no error, \(file.rules.count) rules"]
    } catch {
        return error.errors.map(\.description)
    }
}

private struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
