import Glibc

/// Time that only passes, whatever the clock is set to.
enum MonotonicClock {
    /// Milliseconds since some beginning, to the few that the kernel's own tick has.
    static func milliseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return UInt64(max(0, now.tv_sec)) &* 1000 &+ UInt64(max(0, now.tv_nsec)) / 1_000_000
    }
}
