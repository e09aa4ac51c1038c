import Synchronization

/// The time by somebody else's clock, carried on by the one that nobody sets.
package final class SecondClock: Sendable {
    private let last = Mutex<(seconds: UInt64, at: MonotonicTime)?>(nil)

    package init() {}

    /// Takes a reading, in seconds since 1970; nothing for `nil`.
    package func set(_ seconds: UInt64?) {
        guard let seconds else { return }
        last.withLock { $0 = (seconds, .now()) }
    }

    /// Seconds since 1970; `nil` before the first reading.
    package var now: UInt64? {
        guard let last = last.withLock({ $0 }) else { return nil }
        let passed = MonotonicTime.now().milliseconds &- last.at.milliseconds
        let (now, overflow) = last.seconds.addingReportingOverflow(passed / 1000)
        return overflow ? nil : now
    }
}
