import CCurl
import Synchronization

/// Handles between transfers, kept for their connections.
package final class CurlPool: Sendable {
    private let idle = Mutex<[CurlHandle]>([])
    private let maximumIdle: Int

    /// - Parameter maximumIdle: Handles that are kept.
    package init(maximumIdle: Int) { self.maximumIdle = maximumIdle }

    /// A handle without options; `nil` when libcurl cannot be loaded. To be given back.
    package func take() -> CurlHandle? {
        guard let handle = idle.withLock({ $0.popLast() }) ?? CurlHandle() else { return nil }
        handle.reset()
        return handle
    }

    /// Keeps a handle for the next transfer.
    package func giveBack(_ handle: CurlHandle) {
        idle.withLock { handles in
            if handles.count < maximumIdle { handles.append(handle) }
        }
    }
}
