import HTTP
import Testing

@testable import Paywall

struct RulesHostTests {
    @Test(
        arguments: [
            ("a.example", "a.example"), ("A.Example.", "a.example"),
            ("a.example:8080", "a.example"),
            ("a.example.:80", "a.example"), ("192.0.2.1:80", "192.0.2.1"), ("[::1]", "[::1]"),
            ("[::1]:8443", "[::1]"), ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::0:1]:80", "[2001:db8::1]"),
            ("[2001:db8:0:1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]"),
            ("[1:0:0:2:0:0:0:3]", "[1:0:0:2::3]"),
            ("[::]", "[::]"), ("[1::]", "[1::]"), ("[::ffff:192.0.2.1]", "[::ffff:c000:201]"),
            ("_", "_"),
        ] as [(String, String)]
    )
    func `a host has one spelling`(text: String, host: String) throws {
        #expect(HostName.of(text) == host)
        #expect(HostName.of(host) == host)
        #expect(HostName.of(url: "https://\(text)/x:y@z") == host)
        #expect(HostName.of(url: "http://user:secret@\(text)?a") == host)
        let request = try Request(
            isAuthorizer: false,
            parameter: {
                $0 == "HTTP_HOST" ? Array(text.utf8) : $0 == "REQUEST_URI" ? [0x2f] : nil
            },
            readBody: { _ in .unavailable }
        )
        #expect(request.host == host)
        let bound = HostName.port(text) == nil ? text : host
        let rules = try Rules(parsing: Array("GET / free host=\(bound)".utf8), fileName: "rules")
        #expect(rules.match(method: "GET", host: request.host, path: [0x2f]) != nil)
    }

    @Test(arguments: [
        "", ".", ":80", "[::1", "[]", "[x]", "[::1]x", "a b", "a/b", "é.example", "a@b",
    ])
    func `what is no host is none`(text: String) {
        #expect(HostName.of(text) == nil)
    }

    @Test func `a path alone names no host`() {
        #expect(HostName.of(url: "/a") == nil)
        #expect(HostName.of(url: "/a?u=http") == nil)
    }
}
