import Glibc

/// The one request of a plain CGI process (RFC 3875): parameters from the environment, body from
/// standard input, answer to standard output.
public final class CGIExchange: Exchange {
    private var bodyLeft: Int

    /// The request of this process.
    public init() {
        bodyLeft = getenv("CONTENT_LENGTH").flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Whether this process was started as CGI.
    public static var isCGI: Bool {
        getenv("GATEWAY_INTERFACE") != nil && getenv("REQUEST_METHOD") != nil
    }

    /// Always: CGI has one role.
    public var hasBody: Bool { true }

    /// A variable of the environment.
    public func parameter(_ name: String) -> [UInt8]? {
        getenv(name).map { Array(String(cString: $0).utf8) }
    }

    /// Variables of the environment; all of them belong to the request.
    public func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        eachPair(environ, prefixes, body)
    }

    /// Reads standard input, never beyond `CONTENT_LENGTH`: a server may keep it open.
    public func read(upTo count: Int) throws(ExchangeError) -> [UInt8] {
        let wanted = min(count, bodyLeft)
        guard wanted > 0 else { return [] }
        var chunk = [UInt8](repeating: 0, count: wanted)
        while true {
            let got = Glibc.read(STDIN_FILENO, &chunk, wanted)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw ExchangeError("the body cannot be read") }
            bodyLeft = got == 0 ? 0 : bodyLeft - got
            return Array(chunk.prefix(got))
        }
    }

    /// Writes to standard output at once.
    public func write(_ bytes: [UInt8]) throws(ExchangeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw ExchangeError("the web server hung up") }
            rest = rest.dropFirst(written)
        }
    }

    /// A pipe whose reader is gone, or a socket whose other end is.
    public var isPeerGone: Bool {
        var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&output, 1, 0) == 1
    }

    /// Nothing is held back.
    public func flush() throws(ExchangeError) {}

    /// The end of the process is all that a web server sees; a `Content-Length` tells the client.
    public func abort() {}
}
