import L402

/// One request as the decision sees it, whatever server and mode it came by.
///
/// Header fields are looked up when they are needed, not copied at the start.
public struct Request {
    /// What the web server asks for, `L402_MODE`.
    public enum Mode: String, Sendable, CaseIterable {
        /// Answer it, or hand the goods over: a FastCGI responder or plain CGI.
        case respond
        /// Say 204 or 403 and nothing else: nginx `auth_request`.
        case auth
        /// The goods failed: return the use that this request took.
        case refund
        /// Refuse, with a fresh challenge, what `auth` said 403 to; never lets pass.
        case challenge
        /// The FastCGI role of the same name: 200 lets pass, anything else is the answer.
        case authorizer
    }

    /// What reading the body gave.
    public enum Body: Sendable {
        /// All of it.
        case whole([UInt8])
        /// More than the limit; nothing of it is looked at.
        case tooLarge
        /// The server does not send it in this mode.
        case unavailable
    }

    /// In upper case, as sent.
    public let method: String
    /// The path and query, normalised as the web server does.
    public let path: RequestPath
    /// Lower case without port; `nil` when none was sent.
    public let host: String?
    /// `REMOTE_ADDR`, the web server's own verdict; `nil` when it gave none.
    public let client: ClientAddress?
    /// Whether the client is this very machine, by loopback.
    public let isLocal: Bool
    /// What is asked for.
    public let mode: Mode
    /// `REQUEST_ID`, the same in every call for one request; one of our own when the server gives
    /// none.
    public let requestID: String
    /// What the refund call is told of the first one's answer: `free`, `paid` or empty.
    public let taken: String
    /// The status of the failing goods, 500–599, for the refund call.
    public let failedStatus: Int

    private let parameter: (String) -> [UInt8]?
    /// Reads the body, at most so many bytes; called at most once.
    public let readBody: (Int) -> Body

    /// Bytes of body that are searched for a payment hash and required fields.
    public static let bodyLimitBytes = 1 << 20

    /// A request from its CGI parameters (RFC 3875 section 4.1).
    ///
    /// - Throws: ``RequestPathError`` when the path is none that the web server would serve.
    public init(
        isAuthorizer: Bool,
        parameter: @escaping (String) -> [UInt8]?,
        readBody: @escaping (Int) -> Body,
        fallbackID: () -> String = { "" }
    ) throws(RequestPathError) {
        func text(_ name: String) -> String? {
            parameter(name).map { String(foreign: $0) }
        }
        self.parameter = parameter
        method = text("REQUEST_METHOD") ?? "GET"
        path = try RequestPath(requestURI: parameter("REQUEST_URI") ?? [])
        host = (text("HTTP_HOST") ?? text("SERVER_NAME")).flatMap(Self.hostName)
        client = parameter("REMOTE_ADDR").flatMap { ClientAddress($0) }
        isLocal =
            text("REMOTE_ADDR") == "::1"
            || client?.network.first == 127 && client?.client.count == 4
        let asked = text("L402_MODE").flatMap { $0.isEmpty ? nil : $0.lowercased() }
        mode = isAuthorizer ? .authorizer : asked.flatMap(Mode.init) ?? .respond
        // What nginx announces to a subrequest it does not send.
        self.readBody = mode == .auth ? { _ in .unavailable } : readBody
        let named = [text("REQUEST_ID"), text("UNIQUE_ID")].compactMap { $0 }.first { !$0.isEmpty }
        requestID = named ?? fallbackID()
        taken = text("L402_TAKEN") ?? ""
        failedStatus = Self.lastServerError(in: parameter("L402_STATUS") ?? [])
    }

    /// The value of a header field such as `X-Payment-Hash`; `nil` when not sent or empty.
    public func header(_ name: String) -> [UInt8]? {
        let bytes = name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
        let value = parameter("HTTP_" + String(decoding: bytes, as: UTF8.self).uppercased())
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The same as text.
    public func headerText(_ name: String) -> String? {
        header(name).map { String(foreign: $0) }
    }

    /// The path as this web server's `X-Sendfile` reads it: lighttpd decodes what it gets, Apache's
    /// mod_xsendfile 0.12 (Debian's) does not. `nil` for one that does not fit into a header line.
    var sendfilePath: String? {
        let server = parameter("SERVER_SOFTWARE") ?? []
        guard server.starts(with: "Apache".utf8) else {
            return String(decoding: path.encodedForHeader, as: UTF8.self)
        }
        let text = String(foreign: path.bytes)
        let isWhole = Array(text.utf8) == path.bytes
        return isWhole && !path.bytes.contains { $0 < 0x20 || $0 == 0x7f } ? text : nil
    }

    /// Every value of a query parameter, undecoded.
    public func query(_ name: String) -> [UInt8]? {
        let wanted = Array(name.utf8)
        for pair in (path.query ?? []).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            if parts.count == 2, parts.first.map(Array.init) == wanted {
                return parts.last.map(Array.init)
            }
        }
        return nil
    }

    /// The host's name in lower case, its port and a final dot removed.
    private static func hostName(_ text: String) -> String? {
        var name = text.lowercased()[...]
        if let end = name.lastIndex(of: "]") {
            name = name[...end]
        } else if let colon = name.lastIndex(of: ":") {
            name = name[..<colon]
        }
        if name.hasSuffix(".") { name = name.dropLast() }
        return name.isEmpty ? nil : String(name)
    }

    /// The last number 500–599 in nginx's `$upstream_status`, which lists every upstream of the
    /// request; 502 when there is none.
    private static func lastServerError(in text: [UInt8]) -> Int {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let numbers = text.split { !digits.contains($0) }
            .compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        return numbers.last { (500...599).contains($0) } ?? 502
    }
}
