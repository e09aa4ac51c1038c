import FoundationEssentials
import Glibc
import Settings

/// One line per event on standard error, written with one call so that lines of threads and
/// processes never mix. No secrets: nobody passes any here.
struct Log: Sendable {
    let level: Settings.LogLevel

    func error(_ text: @autoclosure () -> String) { write(.error, text) }
    func warn(_ text: @autoclosure () -> String) { write(.warn, text) }
    func info(_ text: @autoclosure () -> String) { write(.info, text) }
    func debug(_ text: @autoclosure () -> String) { write(.debug, text) }

    private func write(_ severity: Settings.LogLevel, _ text: () -> String) {
        guard severity <= level else { return }
        Self.print("\(Self.timestamp()) \(severity.rawValue) \(text())")
    }

    /// A line without time or level, for what stops the start.
    static func fatal(_ text: String) {
        print("l402-fcgi: \(text)")
    }

    private static func print(_ text: String) {
        var line = text.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }
        line.append(UInt8(ascii: "\n"))
        // A log that cannot be written is no reason to stop selling.
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func timestamp() -> String {
        Date(timeIntervalSince1970: TimeInterval(Clock.now())).formatted(.iso8601)
    }
}

/// The clocks of the edge; the decision gets its time as an argument.
enum Clock {
    /// When this was asked first: the start of the process.
    static let processStart = now()

    /// Seconds since 1970.
    static func now() -> UInt64 { UInt64(max(0, time(nil))) }

    /// Nanoseconds since 1970, as files have them.
    static func nanosecondsSince1970() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }

    /// Microseconds that only grow.
    static func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(max(0, now.tv_sec)) &* 1_000_000 &+ UInt64(max(0, now.tv_nsec)) / 1000
    }
}
