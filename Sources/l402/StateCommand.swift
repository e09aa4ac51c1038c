import ArgumentParser
import FlatFiles
import FoundationEssentials
import Store

/// `l402 state …`: the files under the state directory.
struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Look for damage in the state directory and mend what can be mended.",
        subcommands: [Check.self, Repair.self]
    )

    private static func now() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970)) }

    /// `l402 state check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract:
                "Name everything that is wrong; changes nothing. Exits with 1 when there is something."
        )

        func run() throws {
            let findings = StateCheck(path: try Variables().stateDirectory).check(now: now())
            for finding in findings {
                print("\(finding)\(finding.isRepairable ? " (l402 state repair mends it)" : "")")
            }
            guard findings.isEmpty else { throw ExitCode(1) }
            print("the state is sound")
        }
    }

    /// `l402 state repair`.
    struct Repair: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "repair",
            abstract: "Mend what can be mended; never makes a payment good again.",
            discussion: "Damaged files are moved aside, not deleted."
        )

        func run() throws {
            let results = StateCheck(path: try Variables().stateDirectory).repair(now: now())
            var isWhole = true
            for result in results {
                let isMended = result.finding.isRepairable && result.failure == nil
                isWhole = isWhole && isMended
                let why = result.failure.map { ": \($0.reason)" } ?? ""
                print("\(isMended ? "mended" : "not mended"): \(result.finding)\(why)")
            }
            guard isWhole else { throw ExitCode(1) }
            print("the state is sound")
        }
    }
}
