import TestTools
import Testing

@testable import Paywall

struct RuleIndexTests {
    private func rule(_ line: Int, _ methods: Set<String>?, _ path: String, _ host: String? = nil)
        -> Rule
    {
        Rule(
            line: line,
            methods: methods,
            pattern: PathPattern(path),
            host: host,
            access: .free,
            service: "s"
        )
    }

    private func scan(_ rules: [Rule], _ method: String, _ host: String?, _ path: [UInt8]) -> Int? {
        rules.firstIndex { rule in
            (rule.methods?.contains(method) ?? true) && (rule.host ?? host) == host
                && rule.pattern.matches(path)
        }
    }

    @Test func `the index finds what a look at every rule finds`() {
        var random = SplitMix(seed: 7)
        let pieces = ["a", "b", "/", "/", "*", "**", "ab", ".x"]
        let methods: [Set<String>?] = [nil, ["GET", "HEAD"], ["POST"], ["GET", "HEAD", "POST"]]
        let hosts: [String?] = [nil, nil, nil, "h.example", "i.example"]
        var hits = 0
        for _ in 0..<60 {
            let rules = (0..<Int.random(in: 0..<120, using: &random)).map { line in
                rule(
                    line,
                    methods.randomElement(using: &random) ?? nil,
                    "/" + random.text(of: pieces, most: 6),
                    hosts.randomElement(using: &random) ?? nil
                )
            }
            let index = RuleIndex(rules)
            for _ in 0..<100 {
                let path = Array(
                    ("/" + random.text(of: ["a", "b", "/", "ab", ".x"], most: 7)).utf8
                )
                let method = ["GET", "POST", "PUT"].randomElement(using: &random) ?? ""
                let host = hosts.randomElement(using: &random) ?? nil
                let found = index.first(method: method, host: host, path: path)
                #expect(found?.line == scan(rules, method, host, path))
                if found != nil { hits += 1 }
            }
        }
        #expect(hits > 1000)
    }

    @Test func `the first rule wins over longer and literal ones`() throws {
        let text = """
            GET  /a/**    free
            GET  /a/b     price=1
            POST /a/*     price=2
            *    /a/b     deny
            """
        let file = try Rules(parsing: Array(text.utf8), fileName: "rules")
        func line(_ method: String, _ path: String) -> Int? {
            file.match(method: method, host: nil, path: Array(path.utf8))?.line
        }
        #expect(line("GET", "/a/b") == 1)
        #expect(line("HEAD", "/a/b") == 1)
        #expect(line("POST", "/a/b") == 3)
        #expect(line("PUT", "/a/b") == 4)
        #expect(line("get", "/a/b") == 4)
        #expect(line("PUT", "/a/c") == nil)
        #expect(line("GET", "/") == nil)
    }

    @Test(
        arguments: [
            ("shop.example", 1), ("other.example", 2), (nil, 2), ("", 2), ("xshop.example", 2),
        ] as [(String?, Int)]
    )
    func `a rule bound to a host is for that host alone`(host: String?, line: Int) throws {
        let text = "* /x price=1 host=Shop.Example\n* /x free"
        let file = try Rules(parsing: Array(text.utf8), fileName: "rules")
        #expect(file.match(method: "GET", host: host, path: Array("/x".utf8))?.line == line)
    }

    @Test func `ten thousand rules of every shape are all found`() {
        let rules = (0..<10_000).map { number in
            switch number % 5 {
            case 0: rule(number, nil, "/literal/\(number)")
            case 1: rule(number, nil, "/prefix\(number)/**")
            case 2: rule(number, nil, "/**/suffix\(number)")
            case 3: rule(number, ["POST"], "/x/*/\(number)")
            default: rule(number, nil, "/**", "h\(number).example")
            }
        }
        let index = RuleIndex(rules)
        for number in stride(from: 0, to: 10_000, by: 7) {
            let path =
                switch number % 5 {
                case 0: "/literal/\(number)"
                case 1: "/prefix\(number)/a/b"
                case 2: "/a/b/suffix\(number)"
                case 3: "/x/y/\(number)"
                default: "/nothing"
                }
            let host = "h\(number).example"
            #expect(
                index.first(method: "POST", host: host, path: Array(path.utf8))?.line == number
            )
        }
        #expect(index.first(method: "GET", host: nil, path: Array("/x/y/3".utf8)) == nil)
    }
}
