/// Why a use or a free request goes back to the client.
public enum ReturnCause: Sendable, Hashable {
    /// The goods failed, or the client left before their first byte: a 5xx, silence. It counts
    /// towards the number of returns within an hour after which nothing is let in any more.
    case failure
    /// The answer is none that anybody pays for: 304, `HEAD`, a redirect to the goods, a 4xx of the
    /// server's or the gate's own. It does not count.
    case nothingDelivered
}
