import FoundationEssentials
import Glibc
import POSIX
import Settings

/// One line per event on standard error, in one piece so that lines of threads and processes never
/// mix. No secrets: nobody passes any here, and what looks like one all the same is not told.
struct Log: Sendable {
    let level: GateSettings.LogLevel

    func error(_ text: @autoclosure () -> String) { write(.error, SecretText.masked, text) }
    func warn(_ text: @autoclosure () -> String) { write(.warn, SecretText.masked, text) }
    func info(_ text: @autoclosure () -> String) { write(.info, { line, _ in line }, text) }
    func debug(_ text: @autoclosure () -> String) { write(.debug, SecretText.masked, text) }

    private func write(
        _ severity: GateSettings.LogLevel,
        _ masked: (String, Bool) -> String,
        _ text: () -> String
    ) {
        guard severity <= level else { return }
        // Request ids, as nginx makes them, look like keys.
        Self.print(Self.line(severity, masked(text(), false)))
    }

    /// A line without time or level, for what stops the start.
    static func fatal(_ text: String) {
        print("l402-fcgi: \(SecretText.masked(text))")
    }

    private static func line(_ severity: GateSettings.LogLevel, _ text: String) -> String {
        "\(timestamp()) \(severity.rawValue) \(text)"
    }

    private static func print(_ text: String) {
        LogSink.standardError.write(clean(text)) { lost, reason in
            clean(
                line(.warn, "\(lost) log \(lost == 1 ? "line was" : "lines were") lost: \(reason)")
            )
        }
    }

    private static func clean(_ text: String) -> [UInt8] {
        text.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }
    }

    private static func timestamp() -> String {
        Date(timeIntervalSince1970: TimeInterval(Clock.now())).formatted(.iso8601)
    }
}
