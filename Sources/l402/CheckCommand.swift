import ArgumentParser
import Paywall

/// `l402 check RULES`: everything that is wrong with a rules file, at once.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a rules file.",
        discussion:
            "Prints every error as file:line:column: message and exits with 1 when there is one."
    )

    @Argument(help: "The rules file. Default: L402_RULES.")
    var rules: String?

    func run() throws {
        let path = try rules ?? Variables().rulesPath
        let file = try RulesReader.read(path)
        for warning in file.warnings { complain("warning: \(warning)") }
        let count = file.rules.count
        print("\(path): \(count) \(count == 1 ? "rule" : "rules"), no errors")
    }
}

/// Reads a rules file for a command.
enum RulesReader {
    /// - Throws: `ExitCode(1)` after printing what is wrong.
    static func read(_ path: String) throws -> Rules {
        guard let bytes = TextFile.read(path) else {
            complain("\(path): cannot be read")
            throw ExitCode(1)
        }
        do throws(RulesFileErrors) {
            return try Rules(parsing: bytes, fileName: path)
        } catch {
            var output = StandardError()
            for line in error.errors { print("\(line)", to: &output) }
            throw ExitCode(1)
        }
    }
}
