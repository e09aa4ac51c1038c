import FoundationEssentials

/// Header fields in the order in which they are sent; a name may repeat.
///
/// Not the `HTTPFields` of swift-http-types: with them a free path took a tenth longer.
package typealias Fields = [(name: String, value: String)]

/// A whole HTTP answer of the gate's own.
package struct Response: Sendable {
    /// HTTP status.
    package var status: Int
    /// Header fields in the order in which they are sent; a name may repeat.
    package var headers: Fields
    /// The body; left out for `HEAD`.
    package var body: [UInt8]

    package init(status: Int, headers: Fields = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// JSON, and no cache keeps it.
    package static let jsonHeaders: Fields = [
        ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
    ]

    /// An answer in JSON that no cache keeps.
    package static func json(_ status: Int, _ body: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let bytes = (try? encoder.encode(body)).map(Array.init) ?? []
        return Response(
            status: status,
            headers: jsonHeaders,
            body: bytes + [UInt8(ascii: "\n")]
        )
    }

    /// An error as every client of ours gets it: words for people, a stable code for programs.
    package static func error(_ status: Int, code: String, _ message: String) -> Response {
        json(status, ErrorBody(error: message, code: code))
    }

    /// The same with one more header field.
    package func adding(_ name: String, _ value: String) -> Response {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }

    /// A CGI document response (RFC 3875 section 6.2): `Status`, header fields, body.
    ///
    /// Control bytes in values become blanks, so that no value can begin another field.
    package func serialized(withBody: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024 + body.count)
        Self.append("Status: ", to: &bytes)
        Self.append(String(status), to: &bytes)
        bytes.append(0x20)
        Self.append(Self.reason(status), to: &bytes)
        Self.append("\r\n", to: &bytes)
        for (name, value) in headers {
            Self.append(name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(0x20)
            let start = bytes.count
            Self.append(value, to: &bytes)
            for at in start..<bytes.count where bytes[at] < 0x20 || bytes[at] == 0x7f {
                bytes[at] = 0x20
            }
            bytes.append(0x0d)
            bytes.append(0x0a)
        }
        if withBody {
            Self.append("Content-Length: ", to: &bytes)
            Self.append(String(body.count), to: &bytes)
            Self.append("\r\n", to: &bytes)
        }
        bytes.append(0x0d)
        bytes.append(0x0a)
        if withBody { bytes += body }
        return bytes
    }

    /// In one piece: byte by byte it takes longer than all else about an answer.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: text.utf8)
    }

    private struct ErrorBody: Encodable {
        let error: String
        let code: String
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status"
        }
    }
}
