import HTTP
import Store
import Text

/// What a use is: whether the answer that went out, or is about to, was a delivery.
///
/// The table of l402-http(7), "What a use is". Asked by whoever knows how the goods went: the gate
/// itself for `file:` and `http…`, else the web server's settling call.
package struct Settlement: Sendable {
    private let method: String
    private let isTLS: Bool
    private let host: String?
    private let path: [UInt8]
    private let service: String
    /// The gate itself asks the backend, and the web server cannot know whether it has.
    private let isForwarded: Bool
    private let rules: Rules

    /// What is asked of one request of a rule.
    package init(_ request: Request, rule: Rule, rules: Rules) {
        method = request.method
        isTLS = request.isTLS
        host = request.host
        path = request.path.bytes
        service = rule.service
        isForwarded = if case .proxy = rule.serve { true } else { false }
        self.rules = rules
    }

    /// Why an answer that the goods' own source gave takes nothing; `nil` for a delivery.
    ///
    /// - Parameters:
    ///   - status: Its status, 100–599.
    ///   - location: Its `Location`, where it has one.
    package func cause(status: Int, location: String?) -> ReturnCause? {
        if status >= 500 { return .failure }
        if status == 304 { return .nothingDelivered }
        let isRedirect = [301, 302, 303, 307, 308].contains(status)
        if isRedirect, method == "GET" || method == "HEAD" {
            return location.map(leadsToGoods) == true ? .nothingDelivered : nil
        }
        return method == "HEAD" ? .nothingDelivered : nil
    }

    /// Why an answer of the web server's own, or one that did not arrive, takes nothing.
    ///
    /// - Parameter report: What the web server knows after the answer.
    func cause(_ report: AnswerReport) -> ReturnCause? {
        if report.isClientGone {
            let isRepeatable = method == "GET" || method == "HEAD"
            let isBackendAsked = report.isBackendAsked || isForwarded
            return isRepeatable || !isBackendAsked ? .failure : nil
        }
        if report.status >= 400, !report.isBackendsOwn, !report.isSitesPage {
            return .nothingDelivered
        }
        return cause(status: report.status, location: report.location)
    }

    /// Whether a redirect of a `GET` leads the payer to where the same goods are sold: to the path
    /// with a slash, from `http` to `https`, or to a path that a priced rule of the service sells.
    private func leadsToGoods(_ location: String) -> Bool {
        guard let target = RedirectTarget(location, from: path), target.host ?? host == host else {
            return false
        }
        if target.path == path + [UInt8(ascii: "/")] { return true }
        if target.path == path, target.isTLS == true, !isTLS { return true }
        guard let rule = rules.match(method: "GET", host: host, path: target.path),
            case .priced = rule.access
        else { return false }
        return rule.service == service
    }
}

/// What a web server tells of an answer after it (`post_action` of nginx).
struct AnswerReport {
    /// The status that the client got.
    let status: Int
    let location: String?
    /// The client left before it got a byte.
    let isClientGone: Bool
    /// Whether the request has reached a backend.
    let isBackendAsked: Bool
    /// Whether the status is the backend's word, and not the web server's.
    let isBackendsOwn: Bool
    /// Whether the web server answered with a page of the site's own (`error_page` to a URI).
    let isSitesPage: Bool

    /// From the parameters of the settling call.
    init(_ request: Request) {
        status = request.reported("L402_STATUS").flatMap { Int($0) } ?? 0
        location = request.reported("L402_LOCATION")
        let bytes = request.reported("L402_BYTES").flatMap { UInt64($0) } ?? 0
        let isComplete = request.reported("L402_COMPLETE") == "OK"
        // nginx says 009 for a client that left, and 499 where it writes a log.
        isClientGone = status == 9 || status == 499 || (!isComplete && bytes == 0)
        // `200 : 404` is the gate's answer and the backend's, `200 : -` one that never came.
        let upstreams = (request.reported("L402_UPSTREAM_STATUS") ?? "")
            .split { $0 == ":" || $0 == "," }.map { String($0).trimmingBlanks }
        isBackendsOwn = upstreams.last.flatMap { Int($0) } == status
        // Named behind `auth_request` only, where the gate is not among the upstreams.
        let served = request.reported("L402_URI").map { Array($0.utf8) }
        isBackendAsked = upstreams.count > (served == nil ? 1 : 0)
        isSitesPage = served != nil && served != request.path.bytes
    }
}

/// Where a `Location` leads (RFC 9110 section 10.2.2, RFC 3986 section 5.2).
struct RedirectTarget {
    /// The host of an absolute target, in lower case without port.
    let host: String?
    /// Whether it is by `https`; `nil` where it does not say.
    let isTLS: Bool?
    /// Normalised as ``RequestPath`` does.
    let path: [UInt8]

    /// `nil` for what no browser would follow to a path.
    init?(_ location: String, from base: [UInt8]) {
        let text = Array(location.utf8)
        guard !text.isEmpty else { return nil }
        let slash = UInt8(ascii: "/")
        var rest = text[...]
        var isTLS: Bool?
        var authority: ArraySlice<UInt8>?
        for (scheme, isSecure) in [("https:", true), ("http:", false)]
        where location.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.utf8.count)
            isTLS = isSecure
        }
        if rest.starts(with: "//".utf8) {
            let name = rest.dropFirst(2).prefix { $0 != slash && $0 != UInt8(ascii: "?") }
            authority = name
            rest = rest.dropFirst(2 + name.count)
            if rest.first != slash { rest = [slash] + rest }
        } else if isTLS != nil {
            return nil
        }
        if rest.first != slash {
            // Another scheme, such as mailto:.
            let first = rest.prefix { $0 != slash && $0 != UInt8(ascii: "?") }
            guard !first.contains(UInt8(ascii: ":")) else { return nil }
            let mark = rest.first
            if mark == nil || mark == UInt8(ascii: "?") || mark == UInt8(ascii: "#") {
                rest = base[...] + rest
            } else {
                let directory = base.prefix(through: base.lastIndex(of: slash) ?? 0)
                rest = ArraySlice(directory) + rest
            }
        }
        guard let path = try? RequestPath(requestURI: Array(rest)) else { return nil }
        self.path = path.bytes
        self.isTLS = isTLS
        if let authority {
            guard let name = HostName.of(String(foreign: Array(authority))) else { return nil }
            host = name
        } else {
            host = nil
        }
    }
}
