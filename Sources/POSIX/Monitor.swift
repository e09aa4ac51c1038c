/// A value that threads wait on.
package final class Monitor<Value>: @unchecked Sendable {
    private let lock = ThreadLock()
    private let changed = Condition()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    /// Runs `body` alone; whoever waits looks again afterwards.
    package func change<Result>(_ body: (inout Value) -> Result) -> Result {
        let result = changeUnseen(body)
        changed.wakeAll()
        return result
    }

    /// The same for what nobody waits for: waking all who wait costs more than most changes.
    package func changeUnseen<Result>(_ body: (inout Value) -> Result) -> Result {
        lock.withLock { body(&value) }
    }

    /// Waits until `body` gives something; `nil` when the deadline comes first.
    package func wait<Result>(until deadline: MonotonicTime, _ body: (inout Value) -> Result?)
        -> Result?
    {
        lock.withLock {
            while true {
                if let result = body(&value) { return result }
                if !changed.wait(lock, until: deadline) { return body(&value) }
            }
        }
    }
}
