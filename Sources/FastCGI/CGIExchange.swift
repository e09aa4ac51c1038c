import Glibc

/// The one request of a plain CGI process (RFC 3875): parameters from the environment, body from
/// standard input, answer to standard output.
package final class CGIExchange: Exchange {
    /// Seconds without a byte of a body that was announced.
    private static let ioTimeoutSeconds: Int32 = 30

    /// Bytes of the body that are still to come; `nil` when they come until the end.
    private var bodyLeft: Int?

    /// The request of this process.
    ///
    /// Apache gives a chunked body no `CONTENT_LENGTH` and ends standard input behind it. Without
    /// either there is no body, and standard input is not touched: a server may keep it open.
    package init() {
        let length = unsafe getenv("CONTENT_LENGTH").map { unsafe String(cString: $0) } ?? ""
        let coding =
            unsafe getenv("HTTP_TRANSFER_ENCODING").map { unsafe String(cString: $0) } ?? ""
        let isChunked = coding.lowercased().contains("chunked")
        bodyLeft = length.isEmpty && isChunked ? nil : max(0, Int(length) ?? 0)
    }

    /// Whether this process was started as CGI.
    package static var isCGI: Bool {
        unsafe getenv("GATEWAY_INTERFACE") != nil && getenv("REQUEST_METHOD") != nil
    }

    /// Always: CGI has one role.
    package var hasBody: Bool { true }

    /// A variable of the environment.
    package func parameter(_ name: String) -> [UInt8]? {
        unsafe getenv(name).map { unsafe Array(String(cString: $0).utf8) }
    }

    /// Variables of the environment; all of them belong to the request.
    package func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        unsafe eachPair(environ, prefixes, body)
    }

    /// Reads standard input, never beyond what was announced.
    package func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        let wanted = min(count, bodyLeft ?? count)
        guard wanted > 0 else { return [] }
        var chunk = [UInt8](repeating: 0, count: wanted)
        while true {
            var look = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&look, 1, Self.ioTimeoutSeconds * 1000)
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { throw ExchangeError("the rest of the body does not come") }
            let got = unsafe Glibc.read(STDIN_FILENO, &chunk, wanted)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw ExchangeError("the body cannot be read") }
            bodyLeft = got == 0 ? 0 : bodyLeft.map { $0 - got }
            return Array(chunk.prefix(got))
        }
    }

    /// Writes to standard output at once.
    package func write(_ bytes: [UInt8]) throws(ExchangeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw ExchangeError("the web server hung up") }
            rest = rest.dropFirst(written)
        }
    }

    /// Nothing is held back.
    package func flush() throws(ExchangeError) {}

    /// Whether standard output has no reader any more.
    package var isPeerGone: Bool {
        var look = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        let gone = Int16(POLLERR | POLLHUP | POLLNVAL)
        return unsafe poll(&look, 1, 0) > 0 && look.revents & gone != 0
    }

    /// The end of the process is all that a web server sees; a `Content-Length` tells the client.
    package func abort() {}
}
