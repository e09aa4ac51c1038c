import Paywall

/// Finding the rule of a request among ten and among ten thousand.
struct RulesBench {
    func run() throws {
        let sizes = [10, 10_000]
        let files = try sizes.map { size in
            let lines = (0..<size).map { index in
                switch index % 4 {
                case 0: "GET /api/v\(index)/* price=\(index + 1)"
                case 1: "POST /api/v\(index)/items price=2 service=s\(index)"
                case 2: "GET /articles/\(index)/** price=3 host=h\(index % 7).example"
                default: "* /files/\(index)/*.pdf price=4"
                }
            }
            return try Rules(parsing: Array(lines.joined(separator: "\n").utf8), fileName: "rules")
        }
        let works = zip(sizes, files).map { size, rules in
            (
                claims: UInt64(size),
                work: { (path: [UInt8]) in
                    _ = rules.match(method: "GET", host: "h2.example", path: path)
                }
            )
        }
        let costs = try measure(
            rounds: 21,
            calls: 20_000,
            claim: { number in
                number % 2 == 0
                    ? Array("/api/v\(number / 4 * 4)/oslo".utf8)
                    : Array("/nowhere/\(number)/x".utf8)
            },
            works
        )
        report("finding a rule", "10 rules", "10000", costs)
    }
}
