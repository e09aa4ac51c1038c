import HTTP
import L402
import Store
import Text

/// The cookie that holds a token: `l402-<8 hex digits of the token's id>`, so that no offer takes
/// another one's place.
struct TokenCookie {
    static let prefix = "l402-"
    /// What of a request's headers may be ours: web servers end at 8 kB.
    static let limitBytes = 4096

    let name: String
    private let value: String
    /// Seconds since 1970 when the token ends.
    private let end: UInt64

    init(_ made: MadeOffer) {
        self.init(made.challenge.token, id: made.tokenID, end: made.terms.validUntil)
    }

    /// - Parameter token: Base64 of either alphabet.
    init(_ token: String, id: [UInt8], end: UInt64) {
        name = Self.prefix + Hex.encode(id.prefix(4))
        value = token.replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
        self.end = end
    }

    /// `Set-Cookie` (RFC 6265 section 4.1): gone with the token.
    func header(path: String, isTLS: Bool, now: UInt64) -> (name: String, value: String) {
        Self.header("\(name)=\(value)", path: path, seconds: end - min(now, end), isTLS)
    }

    /// Bytes that it takes in a request.
    var bytes: Int { name.utf8.count + 1 + value.utf8.count + 2 }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// What makes a browser forget cookies of ours, whatever `Path` they have: one that it sends here
    /// has a beginning of this path. No more of it than a web server takes from the gate.
    static func forgetting(_ names: [String], _ request: Request)
        -> [(name: String, value: String)]
    {
        let paths = request.path.cookiePaths
        let all = names.flatMap { name in
            paths.map { header("\(name)=", path: $0, seconds: 0, request.isTLS) }
        }
        var bytes = 0
        return Array(
            all.prefix { line in
                bytes += line.name.utf8.count + line.value.utf8.count + 4
                return bytes <= forgettingBytes
            }
        )
    }

    private static let forgettingBytes = 6000

    private static func header(_ pair: String, path: String, seconds: UInt64, _ isTLS: Bool)
        -> (name: String, value: String)
    {
        (
            "Set-Cookie",
            "\(pair); Path=\(path); Max-Age=\(seconds); HttpOnly; SameSite=Lax"
                + (isTLS ? "; Secure" : "")
        )
    }
}

extension RequestPath {
    /// Whether a byte in a path is one that nobody on the way writes in another way (RFC 3986 section
    /// 2.3), or a slash.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
            true
        case _: false
        }
    }

    /// The path as the browser sent it, up to the last slash before its first byte that is not
    /// unreserved; all of it where there is none.
    var ownCookiePath: String {
        let plain = raw.prefix(while: Self.isUnreserved)
        let kept =
            plain.count == raw.count
            ? plain : plain[...(plain.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
        return kept.first == UInt8(ascii: "/") ? String(decoding: kept, as: UTF8.self) : "/"
    }

    /// Every `Path` that a cookie of ours can have when a browser sends it here, at most sixteen.
    var cookiePaths: [String] {
        let own = ownCookiePath
        var paths: [String] = []
        for index in own.indices where own[index] == "/" { paths.append(String(own[...index])) }
        if let last = paths.last, last != own { paths.append(own) }
        return Array(paths.prefix(15) + paths.suffix(1)).reduce(into: []) { list, path in
            if !list.contains(path) { list.append(path) }
        }
    }
}

/// The cookies of ours in a request.
struct CookieJar {
    struct Cookie {
        let name: String
        let token: Token
        /// In the request's header.
        let bytes: Int
    }

    /// In the order sent. What cannot be read, a sibling domain may have planted.
    let cookies: [Cookie]
    /// Whether there is any of ours, readable or not.
    let hasAny: Bool
    private let bytes: Int

    init(_ request: Request) {
        let header = request.header("HTTP_COOKIE") ?? []
        var cookies: [Cookie] = []
        var hasAny = false
        var bytes = 0
        if header.count <= PresentedCredentials.maximumHeaderBytes {
            for pair in header.split(separator: UInt8(ascii: ";")) {
                let text = pair.drop { $0 == 0x20 || $0 == 0x09 }
                guard let equals = text.firstIndex(of: UInt8(ascii: "=")),
                    PresentedCredentials.isCookieName(text[..<equals])
                else { continue }
                hasAny = true
                bytes += text.count + 2
                let value = text[(equals + 1)...].prefix { $0 != UInt8(ascii: ":") }
                guard let decoded = Base64.decode(Array(value)),
                    let token = try? Token(decoding: decoded)
                else { continue }
                let name = String(foreign: Array(text[..<equals]))
                cookies.append(Cookie(name: name, token: token, bytes: text.count + 2))
            }
        }
        self.cookies = cookies
        self.hasAny = hasAny
        self.bytes = bytes
    }

    /// Whether a cookie of this name came.
    func has(_ name: String) -> Bool { cookies.contains { $0.name == name } }

    /// The names that the gate itself gave.
    var names: [String] {
        cookies.map(\.name).filter {
            $0.hasPrefix(TokenCookie.prefix) && $0.utf8.count == TokenCookie.prefix.utf8.count + 8
                && $0.utf8.dropFirst(TokenCookie.prefix.utf8.count).allSatisfy(
                    TokenCookie.isHexDigit
                )
        }
    }

    /// What has to go so that there is room for one more: first those that open nothing and can no
    /// longer be paid, then the oldest; one that is paid last of all.
    func superfluous(beside new: TokenCookie, _ visit: Visit) -> [String] {
        var total = bytes + new.bytes
        guard total > TokenCookie.limitBytes else { return [] }
        let keys = (try? visit.parts.books.keys.keys()) ?? []
        let ranked = cookies.filter { $0.name != new.name }
            .map { (cookie: $0, worth: Self.worth($0.token, keys, visit)) }
            .sorted { $0.worth < $1.worth }
        var gone: [String] = []
        for (cookie, _) in ranked where total > TokenCookie.limitBytes {
            gone.append(cookie.name)
            total -= cookie.bytes
        }
        return gone
    }

    /// What goes first is less: first by kind, then by age.
    private static func worth(_ token: Token, _ keys: [MasterKey], _ visit: Visit)
        -> (kind: Int, made: UInt64)
    {
        guard let terms = try? token.mintedTerms(by: keys), terms.validUntil > visit.now else {
            return (0, 0)
        }
        let made = terms.invoiceEnd ?? 0
        let claim = PaymentClaim(
            paymentHash: token.identifier.paymentHash,
            terms: terms,
            requestID: ""
        )
        switch try? visit.parts.books.ledger.look(claim, now: visit.now) {
        case .taken, .repeated, .withinGrace, .failing: return (2, made)
        case .spent, .spentJustNow, .revoked, .expired: return (0, made)
        case .unknown, nil: return (made > visit.now ? 1 : 0, made)
        }
    }
}

extension PurchaseTerms {
    /// When the invoice of these terms can no longer be paid, seconds since 1970; `nil` for what an
    /// older release sold.
    var invoiceEnd: UInt64? {
        validSeconds.map { validUntil - min($0, validUntil) }
    }
}
