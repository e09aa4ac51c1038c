import Testing

@testable import Paywall

/// Mistakes in rules that sell each address by itself.
struct RulesSingleTests {
    @Test(arguments: [
        ("GET /x price=1 per", 16, "\"per\" needs a value, as in per=path"),
        (
            "GET /x price=1 per=pth", 20,
            "per is path, or url: and the names in the query that count, as in url:id,page: "
                + "\"pth\"; did you mean \"path\"?"
        ),
        (
            "GET /x price=1 per=url:", 20,
            "url: takes 1 to 16 names of letters, digits and . _ - with commas between them and no "
                + "spaces: \"url:\""
        ),
        (
            "GET /x price=1 per=url:id,filter[x]", 20,
            "url: takes 1 to 16 names of letters, digits and . _ - with commas between them and no "
                + "spaces: \"url:id,filter[x]\""
        ),
        (
            "GET /x price=1 per=url:id,payment_hash", 20,
            "\"payment_hash\" is the gate's own word in a query and never part of an address"
        ),
        (
            "GET /x price=1 per=url:L402", 20,
            "\"L402\" is the gate's own word in a query and never part of an address"
        ),
        (
            "GET /x price=1 per=url:a.b,A_b", 20,
            "two of these names are one to many a server, which may not tell upper from lower case or "
                + "\".\" from \"_\": \"a_b\""
        ),
        ("GET /x free per=path", 13, "\"per\" has no meaning beside \"free\""),
        ("GET /x deny exists=/srv", 13, "\"exists\" has no meaning beside \"deny\""),
        (
            "GET /x price=1 teaser=texts", 23,
            "teaser is an absolute directory, as in teaser=/srv/teasers: \"texts\""
        ),
        (
            "GET /x price=1 exists=//srv", 23,
            "exists is an absolute directory, as in exists=/srv/articles: \"//srv\""
        ),
        ("GET /x price=1 exists=/", 23, "/ would sell the whole machine; name a directory"),
        (
            "GET /x price=1 exists=/a/../b", 23,
            "a path here has no \"//\", \".\" or \"..\": \"/a/../b\""
        ),
    ])
    func `a mistake is told with its column and what to write`(
        text: String,
        column: Int,
        message: String
    ) {
        #expect(errors(text) == ["rules:1:\(column): \(message)"])
    }

    private func isFine(_ text: String) throws -> Bool {
        _ = try Rules(parsing: Array(text.utf8), fileName: "rules")
        return true
    }

    @Test func `the whole of a service is dearer than each path of it`() throws {
        let single = "GET /a/* price=100 per=path service=s"
        for whole in ["price=101", "price=1000 unlimited valid=30d"] {
            #expect(try isFine("\(single)\nGET /pass \(whole) service=s"))
            #expect(try isFine("GET /pass \(whole) service=s\n\(single)"))
        }
        let message =
            "as a whole, and 100 sats for each path in line %(/a/*), which the whole opens too: the "
            + "whole has to be the dearer one, in the same currency, or has to have another service="
        for price in ["100 sats", "1 sat", "0.25 USD"] {
            let term = price.replacing(" sats", with: "").replacing(" sat", with: "")
                .replacing(" ", with: "")
            let whole = "GET /pass price=\(term) service=s"
            let text = "service \"s\" costs \(price) here, " + message
            // The error stands at the whole, wherever it stands.
            #expect(
                errors("\(single)\n\(whole)") == ["rules:2:11: " + text.replacing("%", with: "1 ")]
            )
            #expect(
                errors("\(whole)\n\(single)") == ["rules:1:11: " + text.replacing("%", with: "2 ")]
            )
        }
        // A lower tier does not open the higher one; a higher one does.
        #expect(try isFine("\(single) tier=1\nGET /pass price=1 service=s"))
        #expect(
            errors("\(single)\nGET /pass price=1 service=s tier=1")[0].hasPrefix("rules:2:11: ")
        )
        let twice = errors("\(single)\nGET /p price=1 service=s\nGET /q price=1 service=s")
        #expect(twice.count == 1 && twice[0].hasPrefix("rules:2:8: "))
        #expect(
            errors("\(single)\nGET /b/* price=99 per=url:id service=s") == [
                "rules:2:10: service \"s\" tier 0 costs 100 sats in line 1 and 99 sats here; a "
                    + "service has one price per tier for its single paths"
            ]
        )
        #expect(
            errors("\(single)\nGET /pass price=1000 service=s wallet=w")[0].contains("one wallet")
        )
        #expect(try isFine("GET /a/* price=100 per=path\nGET /b price=1"))
    }
}
