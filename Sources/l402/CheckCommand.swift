import ArgumentParser
import POSIX
import Paywall

/// `l402 check RULES`: everything that is wrong with a rules file, at once, and what is doubtful.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a rules file.",
        discussion: """
            Prints every error as file:line:column: message and exits with 1 when there is one. \
            What is allowed but may not be meant is a warning, and changes no exit status: rules \
            that open more than they are paid for, that can be got round, or that an edit would end.
            """
    )

    @Argument(help: "The rules file. Default: L402_RULES.")
    var rules: String?

    @Option(help: "The rules in force now: name what is sold by them and no longer by RULES.")
    var against: String?

    func run() throws {
        let variables = try Variables()
        let path = rules ?? variables.rulesPath
        let bytes = try RulesReader.bytes(path)
        let defaultServe = try variables.defaultServe
        let wallets = variables.walletNames
        let review = try RulesReader.parsed { () throws(RulesFileErrors) in
            try RulesReview(
                parsing: bytes,
                fileName: path,
                defaultServe: defaultServe,
                wallets: wallets
            )
        }
        var warnings = review.warnings.map { "\($0)" }
        if !Rules.isEnded(bytes) {
            warnings.append(
                "\(path): its last line is not ended: a gate that runs waits 30 s before it takes "
                    + "such a file, which may be half written"
            )
        }
        if let against {
            let older = try RulesReader.read(against)
            warnings += older.ended(by: review.rules).map { $0.text(oldFileName: against) }
        }
        for warning in warnings { complain("warning: \(warning)") }
        if variables.isSiteUnnamed {
            complain(
                "note: L402_SITE is not set: where the web server names the settings or the rules "
                    + "with each request, tokens are good only for the rules at \(path), and moving "
                    + "the file ends them; L402_SITE=NAME keeps them good"
            )
        }
        let count = review.rules.rules.count
        print(
            "\(path): \(count) \(count == 1 ? "rule" : "rules"), no errors\(Self.phrase(warnings.count))"
        )
    }

    private static func phrase(_ warnings: Int) -> String {
        switch warnings {
        case 0: ""
        case 1: ", 1 warning"
        default: ", \(warnings) warnings"
        }
    }
}

/// Reads a rules file for a command.
enum RulesReader {
    /// - Throws: `ExitCode(1)` after printing what is wrong.
    static func read(_ path: String) throws -> Rules {
        let bytes = try bytes(path)
        return try parsed { () throws(RulesFileErrors) in
            try Rules(parsing: bytes, fileName: path)
        }
    }

    /// - Throws: `ExitCode(1)` after saying so when it cannot be read.
    static func bytes(_ path: String) throws -> [UInt8] {
        do throws(WholeFile.Unreadable) {
            return try WholeFile.read(path, limit: 64 << 20, ofAnyKind: true)
        } catch {
            complain("\(path): cannot be read: \(error.words)")
            throw ExitCode(1)
        }
    }

    /// - Throws: `ExitCode(1)` after printing what is wrong.
    static func parsed<Result>(
        _ parse: () throws(RulesFileErrors) -> Result
    ) throws -> Result {
        do throws(RulesFileErrors) {
            return try parse()
        } catch {
            var output = StandardError()
            for line in error.errors { print("\(line)", to: &output) }
            throw ExitCode(1)
        }
    }
}
