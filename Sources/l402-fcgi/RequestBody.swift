import FastCGI
import Paywall

/// A request's body, of which the decision sees the beginning and the goods' backend all.
///
/// What the decision has read is kept and given out again first.
final class RequestBody: Exchange {
    private let exchange: any Exchange
    private var kept: ArraySlice<UInt8> = []
    private var isAtEnd = false

    init(_ exchange: any Exchange) { self.exchange = exchange }

    /// For ``Paywall/Request/readBody``.
    func readWhole(limit: Int) -> Request.Body {
        guard hasBody else { return .unavailable }
        let length = declaredLength
        if let length, length > limit { return .tooLarge }
        var bytes: [UInt8] = []
        // Most requests have no body, and a chunked one does not say how long it is.
        let room = (length ?? 0) > 0 ? 65536 : 4096
        while bytes.count <= limit {
            guard let chunk = try? exchange.read(upTo: room) else { return .unavailable }
            if chunk.isEmpty {
                isAtEnd = true
                break
            }
            bytes += chunk
        }
        kept = bytes[...]
        return isAtEnd ? .whole(bytes) : .tooLarge
    }

    /// Reads what nobody wanted: a web server that is still writing when the answer ends takes it
    /// for a failure.
    func drain() {
        kept = []
        // Most requests have none, and this reads the end of it.
        let count = (declaredLength ?? 0) > 0 ? 65536 : 256
        while !isAtEnd, hasBody, let chunk = try? exchange.read(upTo: count), !chunk.isEmpty {}
        isAtEnd = true
    }

    /// `CONTENT_LENGTH`; nginx sends an empty one for no body, and for a chunked one.
    private lazy var declaredLength: Int? = parameter("CONTENT_LENGTH").flatMap { length in
        length.isEmpty ? nil : Int(String(decoding: length, as: UTF8.self))
    }

    var hasBody: Bool { exchange.hasBody }

    func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        if !kept.isEmpty {
            let chunk = Array(kept.prefix(count))
            kept = kept.dropFirst(chunk.count)
            return chunk
        }
        if isAtEnd { return [] }
        let chunk = try exchange.read(upTo: count)
        if chunk.isEmpty { isAtEnd = true }
        return chunk
    }

    func parameter(_ name: String) -> [UInt8]? { exchange.parameter(name) }

    func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        exchange.forEachParameter(withPrefixes: prefixes, body)
    }

    func write(_ bytes: [UInt8]) throws(ExchangeError) { try exchange.write(bytes) }

    func flush() throws(ExchangeError) { try exchange.flush() }

    var isPeerGone: Bool { exchange.isPeerGone }

    func abort() { exchange.abort() }
}
