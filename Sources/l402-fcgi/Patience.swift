import FastCGI
import POSIX
import Synchronization

/// Lets a few requests wait for what another process is about to do.
final class Patience: Sendable {
    /// More would be an attack with a spent token, not readers.
    private static let maximumWaiting = 32

    private let waiting = Atomic<Int>(0)

    /// Waits, and says whether it did: not where too many wait already.
    func wait(milliseconds: UInt64) -> Bool {
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.maximumWaiting else {
            return false
        }
        FastCGIServer.willWait()
        Pause.milliseconds(milliseconds)
        return true
    }
}
