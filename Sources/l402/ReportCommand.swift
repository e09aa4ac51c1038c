import ArgumentParser
import FlatFiles
import FoundationEssentials
import Glibc
import Store

/// `l402 report`: what was sold, from the journal.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Revenue, purchases, conversion, free and refused requests per service and day.",
        discussion: "Reads the journal of the last days (UTC), today included. Amounts are in sats."
    )

    @Option(help: "How many days.")
    var days = 7

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "As CSV.")
    var csv = false

    func validate() throws {
        guard (1...36_600).contains(days) else { throw ValidationError("--days is at least 1") }
        if json && csv { throw ValidationError("give --json or --csv, not both") }
    }

    func run() throws {
        let (report, damaged) = try withState { (directory) throws(StateError) in
            let reader = JournalReader(directory)
            var report = SalesReport()
            var damaged = 0
            for day in reader.days().sorted().suffix(days) where day >= firstDay {
                damaged += try reader.visit(day: day) { report.add($0, count: $1, day: day) }
            }
            return (report, damaged)
        }
        if damaged > 0 { complain("\(damaged) damaged lines of the journal were skipped") }
        let rows = report.rows
        if json {
            print(JSONText.encode(rows))
        } else if csv {
            print(SalesRow.csvHead)
            for row in rows { print(row.csv) }
        } else {
            print(SalesTable(rows, showsBars: isatty(STDOUT_FILENO) != 0).text)
        }
    }

    private var firstDay: String {
        let seconds = Date().timeIntervalSince1970 - TimeInterval(days - 1) * 86_400
        return String(Date(timeIntervalSince1970: seconds).formatted(.iso8601).prefix(10))
    }
}
