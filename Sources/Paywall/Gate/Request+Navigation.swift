import HTTP
import Text

/// Whom an answer is for, by the browser's word (W3C Fetch Metadata).
enum Audience {
    /// Programs, scripts of a page among them: JSON.
    case program
    /// A person whose browser goes somewhere: a page.
    case person
    /// What a page drags in: a picture, a style, a film. Nobody reads an answer.
    case part
}

extension Request {
    /// Browsers say `Sec-Fetch-…` by https and to this machine; by plain http they say nothing, and
    /// who would rather have HTML is taken for a person.
    var audience: Audience {
        guard isSafe else { return .program }
        let mode = headerText("HTTP_SEC_FETCH_MODE")
        let destination = headerText("HTTP_SEC_FETCH_DEST")
        if mode == nil, destination == nil, header("HTTP_SEC_FETCH_SITE") == nil {
            return prefersHTML ? .person : .program
        }
        if let destination, Self.partDestinations.contains(destination) { return .part }
        if mode == "navigate" { return prefersHTML ? .person : .program }
        return mode == "no-cors" ? .part : .program
    }

    /// Whether a browser says that it goes somewhere, and not into a frame, which any site can have
    /// many of.
    var isOpenNavigation: Bool {
        guard headerText("HTTP_SEC_FETCH_MODE") == "navigate" else { return false }
        return !Self.frameDestinations.contains(headerText("HTTP_SEC_FETCH_DEST") ?? "")
    }

    /// Whether a page of another site leads here.
    var isCrossSite: Bool { headerText("HTTP_SEC_FETCH_SITE") == "cross-site" }

    /// Whether nobody has asked for it yet: a browser loads ahead.
    var isPrefetch: Bool {
        ["HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ"].contains { name in
            guard let purpose = headerText(name)?.lowercased() else { return false }
            return ["prefetch", "prerender", "preview"].contains { purpose.contains($0) }
        }
    }

    /// Whether a page of this very origin sends it: by the browser's word, or by the `Origin` of a
    /// browser that gives none.
    var isSameOrigin: Bool {
        if let site = headerText("HTTP_SEC_FETCH_SITE") { return site == "same-origin" }
        guard let origin, let sent = headerText("HTTP_ORIGIN") else { return false }
        return sent.lowercased() == origin.text
    }

    fileprivate var prefersHTML: Bool { Accept.prefersHTML(headerText("HTTP_ACCEPT")) }

    private static let partDestinations: Set<String> = [
        "image", "style", "script", "font", "audio", "video", "track", "manifest", "object",
        "embed", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet", "xslt",
        "report", "json", "webidentity",
    ]
    private static let frameDestinations: Set<String> = ["iframe", "frame", "fencedframe"]
}

/// What the gate is asked itself at an article's address, by `l402=` in the query: no part of the
/// goods' address.
enum OwnWord: Equatable {
    /// Has it been paid? For the page's script.
    case status
    /// The same for a browser without script, or one that comes back.
    case wait
    /// An offer, by the button.
    case offer
    /// What was bought, and how it gets to another device.
    case receipt
    /// Takes over what was bought on another device.
    case claim
    /// Forgets cookies of these names.
    case forget([String])

    /// More cookies than are tried.
    private static let maximumForgotten = 8

    /// `nil` for what is none.
    init?(_ text: [UInt8]) {
        switch String(foreign: text) {
        case "status": self = .status
        case "wait": self = .wait
        case "offer": self = .offer
        case "receipt": self = .receipt
        case "claim": self = .claim
        case let text where text.hasPrefix("forget-"):
            let ids = text.split(separator: "-").dropFirst()
            guard (1...Self.maximumForgotten).contains(ids.count),
                ids.allSatisfy({ $0.utf8.count == 8 && $0.utf8.allSatisfy(TokenCookie.isHexDigit) })
            else { return nil }
            self = .forget(ids.map { TokenCookie.prefix + $0 })
        case _: return nil
        }
    }

    /// How a form or a link says that cookies are to be forgotten.
    static func forgetting(_ names: [String]) -> String {
        let ids = names.prefix(maximumForgotten).map { $0.dropFirst(TokenCookie.prefix.count) }
        return (["forget"] + ids).joined(separator: "-")
    }
}

extension Request {
    /// Whether a person has pressed a button of the gate's pages.
    var isFormOfOurs: Bool {
        guard method == "POST", prefersHTML else { return false }
        switch ownWord {
        case .offer, .forget: return true
        case .status, .wait, .receipt, .claim, nil: return false
        }
    }

    /// The gate's word in the query, where the method goes with it.
    var ownWord: OwnWord? {
        guard path.query != nil, let text = query("l402"), let word = OwnWord(text) else {
            return nil
        }
        switch word {
        case .status, .wait, .receipt: return isSafe ? word : nil
        case .offer, .claim: return isSafe || method == "POST" ? word : nil
        case .forget: return method == "POST" ? word : nil
        }
    }
}
