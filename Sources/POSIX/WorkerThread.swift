import CPOSIX
import Glibc

/// Starts threads; blocking C calls belong on threads of their own, not in a task.
package enum WorkerThread {
    /// A body small enough for many of them, and enough for the deepest JSON that is read.
    private static let stackBytes = 1 << 20

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that nobody waits for; false when there is none to be had.
    @discardableResult
    package static func detach(_ run: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = start(run) else { return false }
        pthread_detach(thread)
        return true
    }

    /// An object that belongs to the calling thread: whoever set it keeps it alive, and takes it
    /// back before the thread ends.
    package static var own: AnyObject? {
        get {
            unsafe cposix_own().map {
                unsafe Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue()
            }
        }
        set {
            unsafe cposix_set_own(newValue.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
        }
    }

    /// Starts a thread; `nil` when the system has no more.
    private static func start(_ run: @escaping @Sendable () -> Void) -> pthread_t? {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        let body = unsafe Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            &attributes,
            { raw in
                if let raw = unsafe raw {
                    unsafe Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                }
                return nil
            },
            unsafe body.toOpaque()
        )
        guard status == 0 else {
            unsafe body.release()
            return nil
        }
        return thread
    }
}
