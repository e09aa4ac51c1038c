import POSIX
import Settings
import Synchronization

/// Lines about requests that are told once a minute for each kind, however many bring them about.
final class Complaints: Sendable {
    private static let everyMicroseconds: UInt64 = 60_000_000
    /// Kinds that are told apart.
    private static let maximumKinds = 256

    private struct Told {
        var at: UInt64
        var untold: UInt64 = 0
    }

    private let told = Mutex<[String: Told]>([:])

    /// The line when its kind is due, with the number of those that were not told; else `nil`. The
    /// kind is what stands before the first colon and blank: a variable, or a place in a file.
    func due(_ line: String) -> String? {
        let kind = String(line.firstRange(of: ": ").map { line[..<$0.lowerBound] } ?? line[...])
        let now = Clock.monotonicMicroseconds()
        let untold = told.withLock { told -> UInt64? in
            if let last = told[kind], now &- last.at < Self.everyMicroseconds {
                told[kind]?.untold &+= 1
                return nil
            }
            if told.count >= Self.maximumKinds {
                told = told.filter { now &- $0.value.at < Self.everyMicroseconds }
            }
            guard told.count < Self.maximumKinds else { return nil }
            let untold = told[kind]?.untold ?? 0
            told[kind] = Told(at: now)
            return untold
        }
        guard let untold else { return nil }
        let text = SecretText.masked(line)
        return untold == 0 ? text : "\(text) (and \(untold) times more since it was last told)"
    }
}
