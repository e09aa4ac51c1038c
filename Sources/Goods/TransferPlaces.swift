import Synchronization

/// How many transfers to backends may be under way at once, in all and for one client.
///
/// An event stream can go on for hours, and each transfer holds a thread. The bound stays well below
/// the threads that may wait at once, so that whatever backends do, everything else goes on.
final class TransferPlaces: Sendable {
    private struct Taken {
        var total = 0
        var byClient: [[UInt8]: Int] = [:]
    }

    /// Those of this process.
    static let shared = TransferPlaces(maximum: 256)

    private let maximum: Int
    /// One client does not get more than a quarter.
    private let maximumOfClient: Int
    private let taken = Mutex(Taken())

    init(maximum: Int) {
        self.maximum = maximum
        maximumOfClient = max(1, maximum / 4)
    }

    /// Takes a place for a client, an address or empty for none; false when there is none left.
    func enter(_ client: [UInt8]) -> Bool {
        taken.withLock { taken in
            let own = taken.byClient[client, default: 0]
            guard taken.total < maximum, own < maximumOfClient else { return false }
            taken.total += 1
            taken.byClient[client] = own + 1
            return true
        }
    }

    /// Leaves the place that ``enter(_:)`` gave.
    func leave(_ client: [UInt8]) {
        taken.withLock { taken in
            taken.total -= 1
            let own = taken.byClient[client, default: 1] - 1
            taken.byClient[client] = own > 0 ? own : nil
        }
    }
}
