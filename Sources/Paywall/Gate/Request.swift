import HTTP
import Text

/// One request as the decision sees it, whatever server and mode it came by.
///
/// Header fields are looked up when they are needed, not copied at the start.
package struct Request {
    /// What the web server asks for, `L402_MODE`.
    package enum Mode: String, Sendable, CaseIterable {
        /// Answer it, or hand the goods over: a FastCGI responder or plain CGI.
        case respond
        /// Say 204 or 403 and nothing else: nginx `auth_request`.
        case auth
        /// The goods failed: return the use that this request took.
        case refund
        /// Refuse, with a fresh challenge, what `auth` said 403 to; never lets pass.
        case challenge
        /// The answer has gone out, or has not: return what it took when nothing was delivered.
        case settle
        /// The FastCGI role of the same name: 200 lets pass, anything else is the answer.
        case authorizer

        /// The mode of its name in any case; `nil` for an empty or unknown one.
        init?(_ name: [UInt8]) {
            if name.isEmpty { return nil }
            self.init(rawValue: String(foreign: name).lowercased())
        }
    }

    /// What reading the body gave.
    package enum Body: Sendable {
        /// All of it.
        case whole([UInt8])
        /// More than the limit; nothing of it is looked at.
        case tooLarge
        /// The server does not send it in this mode.
        case unavailable
    }

    /// In upper case, as sent.
    package let method: String
    /// The path and query, normalised as the web server does.
    package let path: RequestPath
    /// What is asked for.
    package let mode: Mode

    private let parameter: (String) -> [UInt8]?
    private let search: (String) -> Bool
    /// Names this request: the same in every call that the web server makes for it (`REQUEST_ID`,
    /// `UNIQUE_ID`; never a header of the client), one of our own where it gives none.
    package let requestID: String
    /// Reads the body, at most so many bytes; called at most once.
    package let readBody: (Int) -> Body

    /// Bytes of body that are searched for a payment hash and required fields.
    package static let bodyLimitBytes = 1 << 20

    /// A request from its CGI parameters (RFC 3875 section 4.1).
    ///
    /// - Throws: ``RequestPathError`` when the path is none that the web server would serve.
    package init(
        isAuthorizer: Bool,
        parameter: @escaping (String) -> [UInt8]?,
        readBody: @escaping (Int) -> Body,
        searchBody: @escaping (String) -> Bool = { _ in false },
        fallbackID: () -> String = { "" }
    ) throws(RequestPathError) {
        self.parameter = parameter
        search = searchBody
        let named = ["REQUEST_ID", "UNIQUE_ID"].lazy.compactMap { name in
            parameter(name).flatMap { $0.isEmpty ? nil : String(foreign: $0) }
        }
        requestID = named.first ?? fallbackID()
        method = parameter("REQUEST_METHOD").map { String(foreign: $0) } ?? "GET"
        path = try RequestPath(requestURI: parameter("REQUEST_URI") ?? [])
        let asked = parameter("L402_MODE").flatMap { Mode($0) }
        mode = isAuthorizer ? .authorizer : asked ?? .respond
        // What nginx announces to a subrequest it does not send.
        self.readBody = mode == .auth || mode == .settle ? { _ in .unavailable } : readBody
    }

    /// In the spelling of ``HostName``; `nil` when none was sent, or what is none.
    package var host: String? {
        (parameter("HTTP_HOST") ?? parameter("SERVER_NAME")).flatMap {
            HostName.of(String(foreign: $0))
        }
    }

    /// Scheme, host and port that the client came by; `nil` when no host is named.
    var origin: PublicOrigin? { PublicOrigin { parameter($0) } }

    /// `REMOTE_ADDR`, the web server's own verdict; `nil` when it gave none.
    package var client: ClientAddress? { parameter("REMOTE_ADDR").flatMap { ClientAddress($0) } }

    /// Whether the client is this very machine, by loopback.
    package var isLocal: Bool {
        guard let address = parameter("REMOTE_ADDR") else { return false }
        if address.elementsEqual("::1".utf8) { return true }
        let client = ClientAddress(address)
        return client?.network.first == 127 && client?.client.count == 4
    }

    /// What a later call is told of the first one's answer: `free`, `paid` or empty.
    var taken: String { reported("L402_TAKEN") ?? "" }

    /// A parameter in which the web server reports; `nil` when it is absent or empty.
    func reported(_ name: String) -> String? {
        parameter(name).flatMap { $0.isEmpty ? nil : String(foreign: $0) }
    }

    /// The status of the failing goods, 500–599, for the refund call.
    var failedStatus: Int { Self.lastServerError(in: parameter("L402_STATUS") ?? []) }

    /// Whether the rest of a body that is too large to be read holds a text. Reads all of it.
    func searchBody(_ text: String) -> Bool { search(text) }

    /// The value of a header field by its variable, such as `HTTP_X_PAYMENT_HASH` (RFC 3875 section
    /// 4.1.18); `nil` when not sent or empty.
    package func header(_ variable: String) -> [UInt8]? {
        parameter(variable).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The same as text.
    package func headerText(_ variable: String) -> String? {
        header(variable).map { String(foreign: $0) }
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
    package func query(_ name: String) -> [UInt8]? {
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

    /// The last number 500–599 in nginx's `$upstream_status`, which lists every upstream of the
    /// request; 502 when there is none.
    private static func lastServerError(in text: [UInt8]) -> Int {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let numbers = text.split { !digits.contains($0) }
            .compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        return numbers.last { (500...599).contains($0) } ?? 502
    }
}
