import Glibc

/// The clocks of the system; what decides gets its time as an argument.
package enum Clock {
    /// When this was asked first: the start of the process.
    package static let processStart = now()

    /// Seconds since 1970.
    package static func now() -> UInt64 { UInt64(max(0, time(nil))) }

    /// Nanoseconds since 1970, as files have them.
    package static func nanosecondsSince1970() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }

    /// Microseconds that only grow.
    package static func monotonicMicroseconds() -> UInt64 { growing(CLOCK_MONOTONIC, 1_000_000) }

    /// Milliseconds that only grow, to the few that the kernel's own tick has: read without asking
    /// the kernel.
    package static func coarseMilliseconds() -> UInt64 { growing(CLOCK_MONOTONIC_COARSE, 1000) }

    private static func growing(_ clock: clockid_t, _ perSecond: UInt64) -> UInt64 {
        var now = timespec()
        unsafe clock_gettime(clock, &now)
        return UInt64(max(0, now.tv_sec)) &* perSecond
            &+ UInt64(max(0, now.tv_nsec)) / (1_000_000_000 / perSecond)
    }
}

/// A moment of the clock that nobody sets.
package struct MonotonicTime: Comparable, Sendable {
    /// Since some beginning.
    package let milliseconds: UInt64

    package init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    package static func now() -> MonotonicTime {
        MonotonicTime(milliseconds: Clock.monotonicMicroseconds() / 1000)
    }

    package func adding(milliseconds more: UInt64) -> MonotonicTime {
        let (sum, isTooLarge) = milliseconds.addingReportingOverflow(more)
        return MonotonicTime(milliseconds: isTooLarge ? .max : sum)
    }

    /// 0 when it is past.
    package func millisecondsFromNow() -> UInt64 {
        let now = Self.now().milliseconds
        return milliseconds > now ? milliseconds - now : 0
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

/// Waiting without anything to wait for.
package enum Pause {
    package static func milliseconds(_ count: UInt64) {
        usleep(UInt32(clamping: count.multipliedReportingOverflow(by: 1000).partialValue))
    }
}
