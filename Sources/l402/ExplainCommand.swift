import ArgumentParser
import HTTP
import Paywall
import Text

/// `l402 explain METHOD URL`: which rule decides a request, and what it asks for.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which rule a request meets and what it costs.",
        discussion:
            "Nothing is asked of the wallet and nothing is counted. Exits with 1 when no rule matches."
    )

    @Argument(help: "GET, POST, …")
    var method: String

    @Argument(help: "A URL, or its path and query.")
    var url: String

    @Option(help: "The rules file. Default: L402_RULES.")
    var rules: String?

    func run() throws {
        let path = try rules ?? Variables().rulesPath
        let file = try RulesReader.read(path)
        let request: RequestPath
        do throws(RequestPathError) {
            request = try RequestPath(requestURI: Array(url.utf8))
        } catch {
            print("400 for every client: \(error)")
            throw ExitCode(1)
        }
        print("path    \(String(decoding: request.bytes, as: UTF8.self))")
        let rule = file.match(
            method: method.uppercased(),
            host: HostName.of(url: url),
            path: request.bytes
        )
        guard let rule else {
            print("rule    none: 404 (end the file with \"* /** free\" for an open site)")
            throw ExitCode(1)
        }
        print("rule    \(path):\(rule.line): \(rule.pattern.text)")
        for (name, value) in describe(rule, request) { print(name.padded(to: 8) + value) }
    }

    private func describe(_ rule: Rule, _ request: RequestPath) -> [(String, String)] {
        var lines: [(String, String)] = []
        switch rule.access {
        case .free:
            lines.append(("answer", "free: always served"))
        case .deny:
            return [("answer", "deny: always 403")]
        case .priced(let offer):
            lines.append(("answer", "402 until paid"))
            let isFixed = if case .sats = offer.price { true } else { false }
            let note = isFixed ? "" : ", converted by the wallet when asked"
            lines.append(("price", offer.price.phrase + note))
            lines.append(
                (
                    "buys",
                    "\(offer.usesPhrase), valid for \(DurationText.text(offer.validSeconds))"
                )
            )
            if let per = rule.per {
                lines.append(
                    (
                        "per",
                        "\(per.text): each \(per == .path ? "path" : "address") is sold by itself"
                    )
                )
                let address = rule.soldAddress(request)
                lines.append(
                    (
                        "opens",
                        address.map {
                            "\($0), with or without a slash, and what this rule covers below it"
                        } ?? "400 for every client: servers read this query in different ways"
                    )
                )
            }
            if let exists = rule.exists ?? rule.teaser {
                lines.append(("exists", "404 for what is not in \(exists)"))
            }
            if let teaser = rule.teaser { lines.append(("teaser", "texts in \(teaser)")) }
            if let free = offer.free {
                lines.append(("free", "\(free.limit) per client and \(free.period.rawValue) (UTC)"))
            }
            lines.append(("service", "\(rule.service), tier \(rule.tier)"))
            lines.append(("proof", rule.acceptsHash ? "token, or bare payment hash" : "token only"))
            if !rule.require.isEmpty {
                lines.append(
                    ("needs", "JSON fields \(rule.require.joined(separator: ", ")), else 400")
                )
            }
            if let grace = rule.grace {
                lines.append(
                    (
                        "grace",
                        grace == 0
                            ? "none: each request takes a use"
                            : "further ranges of one delivery are free for \(DurationText.text(grace))"
                    )
                )
            }
            lines.append(("memo", rule.memo))
            if let wallet = rule.wallet { lines.append(("wallet", wallet)) }
        }
        lines.append(
            ("serve", rule.serve.map(\.text) ?? "pass (the web server decides), or L402_SERVE")
        )
        return lines
    }
}

extension String {
    /// With blanks behind it up to a width in characters.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
