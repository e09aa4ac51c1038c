import HTTP
import Testing

@testable import Paywall

/// A person's browser before a gate: keeps cookies by name and path, and says what it is doing as
/// browsers do.
struct Browser {
    let setup: GateSetup
    /// By name and path.
    private(set) var cookies: [String: String] = [:]
    var keepsCookies = true
    var address = "192.0.2.1"
    /// Whether it says `Sec-Fetch-…`, as by https.
    var saysFetch = true
    var more: [String: String] = [:]

    init(_ setup: GateSetup) { self.setup = setup }

    /// Goes to an address.
    @discardableResult
    mutating func go(_ uri: String, site: String = "none", at now: UInt64 = GateSetup.now) throws
        -> Decision
    {
        try ask(
            "GET",
            uri,
            saysFetch
                ? [
                    "HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_DEST": "document",
                    "HTTP_SEC_FETCH_SITE": site,
                ] : [:],
            at: now
        )
    }

    /// Loads what a page drags in.
    mutating func load(_ uri: String, as destination: String, at now: UInt64 = GateSetup.now) throws
        -> Decision
    {
        try ask(
            "GET",
            uri,
            [
                "HTTP_ACCEPT": "*/*", "HTTP_SEC_FETCH_MODE": "no-cors",
                "HTTP_SEC_FETCH_DEST": destination, "HTTP_SEC_FETCH_SITE": "same-origin",
            ],
            at: now
        )
    }

    /// What a script of the page asks.
    mutating func fetch(
        _ uri: String,
        method: String = "GET",
        body: String = "",
        site: String = "same-origin",
        at now: UInt64 = GateSetup.now
    ) throws -> Decision {
        try ask(
            method,
            uri,
            [
                "HTTP_ACCEPT": "application/json", "HTTP_SEC_FETCH_MODE": "cors",
                "HTTP_SEC_FETCH_DEST": "empty", "HTTP_SEC_FETCH_SITE": site,
                "CONTENT_TYPE": "application/json",
            ],
            body: body,
            at: now
        )
    }

    /// Presses a button.
    mutating func post(
        _ uri: String,
        _ headers: [String: String] = ["HTTP_SEC_FETCH_SITE": "same-origin"],
        at now: UInt64 = GateSetup.now
    ) throws -> Decision {
        try ask("POST", uri, headers, at: now)
    }

    private mutating func ask(
        _ method: String,
        _ uri: String,
        _ headers: [String: String],
        body: String = "",
        at now: UInt64
    ) throws -> Decision {
        var all = ["HTTP_ACCEPT": "text/html,*/*;q=0.8", "REMOTE_ADDR": address]
        all.merge(["HTTP_HOST": "site.test", "HTTPS": "on"]) { $1 }
        if !cookies.isEmpty, all["HTTP_COOKIE"] == nil {
            all["HTTP_COOKIE"] = cookies.sorted { $0.key < $1.key }.map(\.value)
                .joined(separator: "; ")
        }
        all.merge(headers) { $1 }
        all.merge(more) { $1 }
        let decision = try setup.ask(method, uri, body: body, at: now, all)
        if keepsCookies { keep(decision) }
        return decision
    }

    private mutating func keep(_ decision: Decision) {
        for header in decision.answer.headers where header.name == "Set-Cookie" {
            let parts = header.value.split(separator: ";").map { $0.drop { $0 == " " } }
            let name = String(parts[0].prefix { $0 != "=" })
            let path = parts.first { $0.hasPrefix("Path=") } ?? ""
            cookies[name + path] = parts.contains("Max-Age=0") ? nil : String(parts[0])
        }
    }
}

extension Decision {
    /// `data-state` of the page.
    var state: String {
        bodyText.split(separator: "data-state=\"").dropFirst().first?
            .split(separator: "\"").first.map(String.init) ?? ""
    }

    /// Every value of a header field.
    func headers(_ name: String) -> [String] {
        answer.headers.filter { $0.name == name }.map(\.value)
    }

    /// Where the page leads without script.
    var refresh: String? {
        bodyText.split(separator: "http-equiv=\"refresh\" content=\"15; url=").dropFirst().first?
            .split(separator: "\"").first.map { String($0.replacing("&amp;", with: "&")) }
    }
}
