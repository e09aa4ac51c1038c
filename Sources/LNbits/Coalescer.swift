import POSIX

/// Lets many threads that ask the same at the same time share one answer.
final class Coalescer<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Pending: Sendable {
        let answer = Monitor<Value?>(nil)
    }

    private let pending = Monitor<[Key: Pending]>([:])

    /// The answer of `ask`, run by the first caller alone; `nil` when the deadline comes first.
    func value(for key: Key, deadline: MonotonicTime, ask: () -> Value) -> Value? {
        let (mine, isFirst) = pending.change { all -> (Pending, Bool) in
            if let known = all[key] { return (known, false) }
            let made = Pending()
            all[key] = made
            return (made, true)
        }
        guard isFirst else { return mine.answer.wait(until: deadline) { $0 } }
        let value = ask()
        pending.change { $0[key] = nil }
        mine.answer.change { $0 = value }
        return value
    }
}
