import TestTools
import Testing
import Text

@testable import Paywall

struct RulesChangeTests {
    private func rules(_ text: String) throws -> Rules {
        try Rules(parsing: Array(text.utf8), fileName: "rules")
    }

    private func ended(_ old: String, _ new: String) throws -> [String] {
        try rules(old).ended(by: rules(new)).map { $0.text(oldFileName: "rules") }
    }

    @Test func `a pass that an edit ends is named with what keeps it`() throws {
        let old = "# news\n\nGET /news/** price=50 valid=30d\nGET /a price=1\n"
        let name = try rules(old).rules[0].service
        for new in [
            "GET,POST /news/** price=50 valid=30d", "GET /news/* price=50 valid=30d",
            "GET /news/** free", "",
        ] {
            #expect(
                try ended(old, "GET /a price=2 uses=5\n" + new) == [
                    "rules:3: service \"\(name)\" is no longer sold: tokens bought for it open "
                        + "nothing from now on; add service=\(name) to the rule that replaces it"
                ]
            )
        }
        #expect(try ended(old, "GET /a price=1\nPOST /news/** price=9 service=\(name)") == [])
        #expect(try ended(old, old) == [])
    }

    @Test func `a service that is sold no longer path by path is told`() throws {
        let single = "GET /a/* price=1 service=s per=path"
        let told = try ended(single, "GET /a/* price=1 service=s")
        #expect(
            told == [
                "rules:1: service \"s\" is no longer sold path by path: tokens bought for one path of "
                    + "it open nothing from now on; add service=s per=… to the rule that replaces it"
            ]
        )
        // What was bought as a whole opens each path.
        #expect(try ended("GET /a/* price=1 service=s", single) == [])
        #expect(try ended(single, "GET /b/* price=1 service=s per=url:id") == [])
        #expect(try ended(single, "GET /a/* price=1 service=s per=path tier=1").count == 1)
    }

    @Test func `a tier that nothing is left for is told`() throws {
        let told = try ended(
            "GET /a price=1 service=s\nGET /b price=2 service=s tier=3",
            "GET /b price=2 service=s tier=2"
        )
        #expect(
            told.count == 1
                && told[0].hasPrefix("rules:1: service \"s\" is no longer sold in tier 0")
        )
        #expect(try ended("GET /b price=2 service=s tier=3", "GET /a price=1 service=s") == [])
    }

    @Test(arguments: [
        ("", false), ("\n", true), ("GET /a free\n", true), ("GET /a free\r\n", true),
        ("GET /a free", false), ("GET /a price=1 \\\n", false), ("GET /a memo=\"x \\\n", false),
        ("# comment \\\n", true), ("GET /a free\n# half", false), ("\u{feff}", false),
        ("GET /a free # \\\n", true), ("GET /a price=1 \\\n  valid=1h\n", true),
    ])
    func `a text is whole when its last line is ended and no rule goes on`(text: String, is: Bool) {
        #expect(Rules.isEnded(Array(text.utf8)) == `is`)
    }

    // MARK: Names.

    @Test func `a name made for a rule never looks like that of another`() throws {
        let hashed = try rules("GET /api/ price=1").rules[0].service
        let digest = hashed.suffix(8)
        let other = try rules("GET /api/\(digest) price=1000").rules[0].service
        #expect(hashed == "get-api-\(digest)" && other != hashed)
    }

    @Test func `two rules behind one made name are an error`() {
        var check = ServiceCheck(wallets: nil)
        func read(_ path: String) -> ReadRule {
            ReadRule(
                rule: Rule(
                    line: 1,
                    methods: nil,
                    pattern: PathPattern(path),
                    access: .priced(Offer(price: .sats(1), validSeconds: 1)),
                    service: "same"
                ),
                place: TextPlace(line: 1, column: 1),
                terms: [:]
            )
        }
        #expect(check.problems(with: read("/a")).isEmpty)
        #expect(check.problems(with: read("/a")).isEmpty)
        #expect(
            check.problems(with: read("/b")).map(\.message) == [
                "the name made for this rule, \"same\", is also that of line 1; tokens of one would open "
                    + "the other: write service="
            ]
        )
    }

    // MARK: Wallets and secrets.

    @Test func `a wallet that has no key is an error where it stands`() throws {
        let text = Array("GET /a price=1 wallet=shop\nGET /b price=1 wallet=bar".utf8)
        do {
            _ = try Rules(parsing: text, fileName: "rules", wallets: ["BAR"])
            Issue.record("no error")
        } catch {
            #expect(
                error.errors.map(\.description) == [
                    "rules:1:23: wallet \"shop\" has no key: set LNBITS_KEY_shop or "
                        + "LNBITS_KEY_FILE_shop"
                ]
            )
        }
        for known in [["shop", "bar"], ["SHOP", "BAR"]] as [Set<String>] {
            _ = try Rules(parsing: text, fileName: "rules", wallets: known)
        }
        _ = try Rules(parsing: text, fileName: "rules")
    }

    @Test(arguments: [
        "LNBITS_KEY=K", "LNBITS_KEY = K", "LNBITS_KEY =K", "export LNBITS_KEY=K",
        "SetEnv LNBITS_KEY K", "Environment=LNBITS_KEY=K", "env LNBITS_KEY K", "password = K x",
        "fastcgi_param LNBITS_KEY K;", "\"LNBITS_KEY\" => \"K\",", "default K 1700000000", "K",
        "GET K free", "GET /x K", "GET /x price=K", "GET /x wallet=K-", "GET /x K=1",
    ])
    func `a file of settings or keys is refused without a word of it`(line: String) {
        let key = "3f2a9c81d47be605913ac7d8e0f14b26"
        let told = errors(
            line.replacingOccurrences(of: "K", with: key, unless: "LNBITS_KEY") + "\n"
        )
        #expect(!told.isEmpty)
        for text in told { #expect(!text.contains(key.prefix(12)), "\(text)") }
    }

    // MARK: grace=

    @Test func `grace is read, zero included, and nil when nothing is said`() throws {
        #expect(try rules("GET /a price=1").rules[0].grace == nil)
        #expect(try rules("GET /a price=1 grace=0").rules[0].grace == 0)
        #expect(try rules("GET /a price=1 grace=10m").rules[0].grace == 600)
        #expect(try rules("GET /a price=1 grace=1d").rules[0].grace == 86_400)
        for wrong in ["2d", "soon", "-1"] {
            #expect(
                errors("GET /a price=1 grace=\(wrong)") == [
                    "rules:1:22: grace is a duration from 0 (none) to 1d, as in 10m: \"\(wrong)\""
                ]
            )
        }
        #expect(
            errors("GET /a free grace=1m") == [
                "rules:1:13: \"grace\" has no meaning beside \"free\""
            ]
        )
    }
}

extension String {
    /// Every `text` that is not part of `exception`, replaced.
    fileprivate func replacingOccurrences(
        of text: Character,
        with other: String,
        unless exception: String
    ) -> String {
        split(separator: exception, omittingEmptySubsequences: false)
            .map { $0.map { $0 == text ? other : String($0) }.joined() }
            .joined(separator: exception)
    }
}
