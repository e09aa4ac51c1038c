import Testing

@testable import Paywall

struct RulesErrorsTests {
    @Test(arguments: [
        ("POST /api/dvm prize=21", 15, "unknown term \"prize\"; did you mean \"price\"?"),
        ("POST /api/dvm fre", 15, "unknown term \"fre\"; did you mean \"free\"?"),
        (
            "GET /x price=1 colour=red", 16,
            "unknown term \"colour\"; a term is one of price, free, deny, uses, unlimited, valid, "
                + "service, tier, require, serve, memo, hash, wallet, cors, host, grace, per, teaser, "
                + "exists"
        ),
        ("GET /x price=1 \\ tier=1", 16, "nothing may follow the \"\\\" that continues a rule"),
        ("get /x free", 1, "unknown method \"get\"; did you mean \"GET\"?"),
        ("GET,PSOT /x free", 5, "unknown method \"PSOT\"; did you mean \"POST\"?"),
        (
            "FROBNICATE /x free", 1,
            "unknown method \"FROBNICATE\"; a method is GET, POST, PUT, … or *"
        ),
        ("GET,GET /x free", 5, "method GET is given twice"),
        ("GET,* /x free", 5, "\"*\" stands alone: it is every method"),
        ("GET,,POST /x free", 5, "methods have commas and no spaces between them, as in GET,POST"),
        ("GET", 1, "a rule is METHODS PATH TERMS, as in: GET /path price=21"),
        ("/x price=21", 1, "a rule is METHODS PATH TERMS, as in: GET /path price=21"),
        ("GET /x", 1, "the rule says neither price=… nor free nor deny"),
        ("GET x free", 5, "a path begins with \"/\": \"x\""),
        ("GET /a//b free", 5, "\"//\" never matches: slashes are merged first; write \"/\""),
        (
            "GET /a/../b free", 5,
            "\".\" and \"..\" never match: they are resolved first; write the path itself"
        ),
        (
            "GET /a/. free", 5,
            "\".\" and \"..\" never match: they are resolved first; write the path itself"
        ),
        (
            "GET /a%2Fb free", 7,
            "the path is compared decoded: write the character itself, not \"%..\""
        ),
        ("GET /a?b free", 7, "the query is no part of the path; leave out \"?\" and what follows"),
        ("GET /a/*** free", 5, "\"**\" is any run already; write it instead of \"***\""),
        ("GET /x price", 8, "\"price\" needs a value, as in price=21"),
        ("GET /x price=", 8, "\"price\" needs a value, as in price=21"),
        ("GET /x price=1 memo=\"\"", 16, "\"memo\" needs a value, as in memo=\"API query\""),
        ("GET /x deny=1", 8, "\"deny\" has no value; write deny"),
        ("GET /x price=1 price=2", 16, "\"price\" is given twice, first at column 8"),
        ("GET /x price=0", 14, "price 0 is no price; write \"free\" instead"),
        ("GET /x price=0.00USD", 14, "price 0 is no price; write \"free\" instead"),
        (
            "GET /x price=10000001", 14,
            "price is whole sats from 1 to 10000000, or an amount such as 0.25USD: \"10000001\""
        ),
        (
            "GET /x price=-1", 14,
            "price is whole sats from 1 to 10000000, or an amount such as 0.25USD: \"-1\""
        ),
        (
            "GET /x price=1.5", 14,
            "a price in sats is a whole number; in another currency write its code, as in "
                + "0.25USD: \"1.5\""
        ),
        ("GET /x price=21sats", 14, "a price without a currency is in sats; write \"21\""),
        ("GET /x price=21SAT", 14, "a price without a currency is in sats; write \"21\""),
        ("GET /x price=1BTC", 14, "a price in bitcoin is written in sats: \"1BTC\""),
        (
            "GET /x price=0.25usd", 14,
            "a currency is written in capital letters; did you mean \"0.25USD\"?"
        ),
        (
            "GET /x price=1.234USD", 14,
            "an amount has one or two digits after the point: \"1.234USD\""
        ),
        ("GET /x price=1.USD", 14, "an amount has one or two digits after the point: \"1.USD\""),
        (
            "GET /x price=1DOLLAR", 14,
            "a currency is three capital letters, as in 0.25USD: \"1DOLLAR\""
        ),
        ("GET /x price=9999999999USD", 14, "an amount is at most 1000000000: \"9999999999USD\""),
        (
            "GET /x price=1 free=0/day", 21,
            "free is N/minute, N/hour or N/day with N from 1 to 1000000000: \"0/day\""
        ),
        ("GET /x price=1 free=1/days", 21, "unknown period \"days\"; did you mean \"day\"?"),
        (
            "GET /x price=1 free=1/week", 21,
            "unknown period \"week\"; a period is minute, hour or day"
        ),
        (
            "GET /x free=1/day", 8,
            "a free allowance comes before a price, which is missing; for no price at all write "
                + "\"free\""
        ),
        (
            "GET /x price=1 uses=0", 21,
            "uses is a whole number from 1 to 1000000000 or \"unlimited\": \"0\""
        ),
        (
            "GET /x price=1 uses=unlimted", 21,
            "uses is a whole number from 1 to 1000000000 or \"unlimited\": \"unlimted\"; did you "
                + "mean \"unlimited\"?"
        ),
        (
            "GET /x price=1 uses=unlimited", 16,
            "unlimited uses need an end; add valid=…, as in valid=30d"
        ),
        (
            "GET /x price=1 valid=1d uses=2 unlimited", 32,
            "\"unlimited\" and \"uses\" say the same; write one"
        ),
        (
            "GET /x price=1 valid=1y", 22,
            "a duration is numbers with units w, d, h, m, s, as in 30s, 1h30m or 7d: \"1y\""
        ),
        ("GET /x price=1 valid=0s", 22, "valid is from 1s to 3650d: \"0s\""),
        ("GET /x price=1 valid=3651d", 22, "valid is from 1s to 3650d: \"3651d\""),
        (
            "GET /x price=1 service=a:b", 24,
            "a service is named with letters, digits and . _ - , at most 64: \"a:b\""
        ),
        ("GET /x price=1 tier=256", 21, "tier is a whole number from 0 to 255: \"256\""),
        ("GET /x price=1 tier=+1", 21, "tier is a whole number from 0 to 255: \"+1\""),
        (
            "GET /x price=1 require=a,", 24,
            "require is field names with commas between them and no spaces: \"a,\""
        ),
        ("GET /x price=1 require=a,a", 24, "\"a\" is required twice"),
        ("GET /x price=1 hash=yes", 21, "hash is \"on\" or \"off\": \"yes\""),
        (
            "GET /x price=1 wallet=a-b", 23,
            "a wallet is named with letters, digits and _ , at most 32: \"a-b\""
        ),
        (
            "GET /x price=1 wallet=file", 23,
            "LNBITS_KEY_FILE is a variable of its own; rename the wallet"
        ),
        (
            "GET /x price=1 cors=app.example", 21,
            "cors is *, off, or origins such as https://app.example: \"app.example\""
        ),
        (
            "GET /x price=1 host=a.example:80", 21,
            "host is one host name without port or \"*\", as in api.example.com: \"a.example:80\""
        ),
        (
            "GET /x price=1 serve=@", 22,
            "a named location is @ and letters, digits, _ - or . : \"@\""
        ),
        (
            "GET /x price=1 serve=/internal", 22,
            "an internal location ends with \"/\": write \"/internal/\""
        ),
        (
            "GET /x price=1 serve=/", 22,
            "serve=/ would lead back to the gate; name an internal location"
        ),
        (
            "GET /x price=1 serve=/a/../b/", 22,
            "a path here has no \"//\", \".\" or \"..\": \"/a/../b/\""
        ),
        (
            "GET /x price=1 serve=file:www", 22,
            "file: needs an absolute directory, as in file:/var/www/paid"
        ),
        (
            "GET /x price=1 serve=file:///www", 22,
            "write one slash after file:, as in file:/var/www/paid"
        ),
        (
            "GET /x price=1 serve=file:/", 22,
            "file:/ would sell the whole machine; name a directory"
        ),
        (
            "GET /x price=1 serve=http://h/p", 22,
            "a backend is http://host:port or https://host:port without a path, for the request's "
                + "own path is kept: \"http://h/p\""
        ),
        (
            "GET /x price=1 serve=http://h:99999", 22,
            "a backend is http://host:port or https://host:port without a path, for the request's "
                + "own path is kept: \"http://h:99999\""
        ),
        (
            "GET /x price=1 serve=http+unix:run", 22,
            "http+unix: needs the absolute path of a socket, as in http+unix:/run/app.sock: "
                + "\"http+unix:run\""
        ),
        (
            "GET /x price=1 serve=dem", 22,
            "serve is @name, /prefix/, file:/dir, http://host:port, https://host:port, "
                + "http+unix:/socket, pass or demo: \"dem\"; did you mean \"demo\"?"
        ),
        (
            "GET /x free price=1", 13,
            "\"price\" has no meaning beside \"free\"; for some free requests before payment "
                + "write free=1/day"
        ),
        ("GET /x deny tier=1", 13, "\"tier\" has no meaning beside \"deny\""),
        ("GET /x price=1 deny", 8, "\"price\" has no meaning beside \"deny\""),
        (
            "GET /x price=1 memo=\"abc", 21,
            "the quote is not closed; inside it write \\\" for a quote"
        ),
        (
            "GET /x price=1 memo=\"a\\n\"", 23,
            "inside quotes a backslash stands only before \" or \\ ; write \\\\"
        ),
        ("GET /x price=1 memo=\"a\"b", 24, "a space must follow the closing quote"),
        ("GET /x price=1 memo=\"a\u{7}\"", 23, "control character 7 has no place here"),
    ])
    func `a mistake is told with its column and what to write`(
        text: String,
        column: Int,
        message: String
    ) {
        #expect(errors(text) == ["rules:1:\(column): \(message)"])
    }

    @Test func `the example of the manual`() {
        let text = String(repeating: "\n", count: 6) + "POST        /api/dvm          prize=21"
        #expect(
            errors(text).first == "rules:7:31: unknown term \"prize\"; did you mean \"price\"?"
        )
    }

    @Test func `all mistakes are told at once in the order of the file`() {
        let text = """
            get /x prize=1 tier=300
            # fine
            GET /y price=1
            GET z \\
              uses=none
            * /w free deny
            """
        #expect(
            errors(text) == [
                "rules:1:1: unknown method \"get\"; did you mean \"GET\"?",
                "rules:1:8: unknown term \"prize\"; did you mean \"price\"?",
                "rules:1:21: tier is a whole number from 0 to 255: \"300\"",
                "rules:4:1: the rule says neither price=… nor free nor deny",
                "rules:4:5: a path begins with \"/\": \"z\"",
                "rules:5:8: uses is a whole number from 1 to 1000000000 or \"unlimited\": "
                    + "\"none\"",
                "rules:6:6: \"free\" has no meaning beside \"deny\"",
            ]
        )
    }

    @Test func `columns count characters, also in continued and indented lines`() {
        #expect(
            errors("GET /é/ü price=1 \\\n\t  prise=1 \\\r\n memo=\"ß\" wallet=ö") == [
                "rules:2:4: unknown term \"prise\"; did you mean \"price\"?",
                "rules:3:18: a wallet is named with letters, digits and _ , at most 32: \"ö\"",
            ]
        )
        #expect(
            errors("\u{feff}GET x free") == ["rules:1:5: a path begins with \"/\": \"x\""]
        )
    }

    @Test func `a term given twice over two lines names both`() {
        #expect(
            errors("GET /x price=1 \\\n price=2") == [
                "rules:2:2: \"price\" is given twice, first at column 8 of line 1"
            ]
        )
    }

    @Test func `bytes that are not UTF-8 are told and the rest is still read`() {
        let text = Array("GET /a".utf8) + [0xff] + Array("b free\nGET /b prise=1\n".utf8)
        #expect(
            errors(text) == [
                "rules:1:7: this is not UTF-8 text",
                "rules:2:8: unknown term \"prise\"; did you mean \"price\"?",
            ]
        )
    }

    @Test func `a service has one price per tier and one wallet`() {
        #expect(
            errors("GET /a price=1 service=s\nGET /b price=2 service=s") == [
                "rules:2:8: service \"s\" tier 0 costs 1 sat in line 1 and 2 sats here; a service "
                    + "has one price per tier"
            ]
        )
        #expect(
            errors("GET /a price=21 service=s tier=1\nGET /b price=0.25USD service=s tier=1") == [
                "rules:2:8: service \"s\" tier 1 costs 21 sats in line 1 and 0.25 USD here; a "
                    + "service has one price per tier"
            ]
        )
        #expect(
            errors("GET /a price=1 service=s\nGET /b price=1 service=s wallet=w") == [
                "rules:2:16: service \"s\" is paid to the default wallet in line 1 and to wallet "
                    + "\"w\" here; a service has one wallet"
            ]
        )
    }
}
