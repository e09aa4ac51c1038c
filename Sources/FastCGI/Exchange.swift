/// One request and its answer, over FastCGI or plain CGI: parameters and bytes, no HTTP.
///
/// Used by one thread at a time. The answer is what CGI calls a document response (RFC 3875
/// section 6): header lines, an empty line, the body.
package protocol Exchange: AnyObject {
    /// The value of a request parameter such as `REQUEST_URI`, as sent; `nil` when absent.
    func parameter(_ name: String) -> [UInt8]?

    /// Calls `body` with the name and value of every request parameter whose name begins with one
    /// of `prefixes`.
    func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    )

    /// Whether the server sends the request's body at all: false for an Authorizer, which gets
    /// `CONTENT_LENGTH` but would wait for ever.
    var hasBody: Bool { get }

    /// Reads at most `count` bytes of the request's body; an empty array at its end.
    func read(upTo count: Int) throws(ExchangeError) -> [UInt8]

    /// Writes a part of the answer; it may be buffered until ``flush()`` or the end.
    func write(_ bytes: [UInt8]) throws(ExchangeError)

    /// Sends what is buffered.
    func flush() throws(ExchangeError)

    /// Whether the web server has closed the connection, so that nobody reads the answer. One look
    /// that waits for nothing.
    var isPeerGone: Bool { get }

    /// Breaks the answer off, so that what has been sent of it cannot be taken for the whole.
    func abort()
}

/// The peer is gone or too slow; nothing more can be read or written.
package struct ExchangeError: Error, Equatable, CustomStringConvertible {
    /// One line for the log.
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
