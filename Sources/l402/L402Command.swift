import ArgumentParser
import Settings

/// The operator's and the paying client's tool.
@main
struct L402Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "l402",
        abstract: "Look after an l402-fcgi paywall.",
        discussion: """
            Commands that touch the state read L402_STATE_DIR (default /var/lib/l402), those that \
            read rules L402_RULES, from the environment or from the file that L402_ENV_FILE names.
            """,
        version: "l402 \(ProgramStart.version)",
        subcommands: [
            CheckCommand.self, ExplainCommand.self, TokenCommand.self, KeysCommand.self,
            PaymentCommand.self, ReportCommand.self, StateCommand.self,
        ]
    )

    static func main() {
        StandardDescriptors.ensureOpen()
        main(Array(ProgramStart.arguments.dropFirst()))
    }
}

/// Writes to standard error, where everything goes that is not the answer itself.
func complain(_ text: String) {
    var output = StandardError()
    print("l402: \(text)", to: &output)
}
