import Text

/// What browsers of other sites may do (Fetch standard, "CORS protocol").
package struct CORSPolicy: Sendable, Equatable {
    private enum Origins: Equatable {
        case none
        case any
        case listed([String])
    }

    private let origins: Origins

    /// `*`, `off`, or a comma list of origins such as `https://example.org`.
    package init(_ text: String) {
        switch text.trimmingBlanks {
        case "off", "": origins = .none
        case "*": origins = .any
        case let list:
            origins = .listed(list.split(separator: ",").map { String($0).trimmingBlanks })
        }
    }

    /// What of the gate's answers a script may read.
    package static let exposed =
        "WWW-Authenticate, L402-Price, L402-Service, L402-Tier, L402-Access, L402-Payment-Hash, "
        + "L402-Uses-Left, L402-Free-Left, L402-Refunded, RateLimit, RateLimit-Policy, Retry-After"
    private static let open: Fields = [
        ("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", exposed),
    ]

    /// Header fields for any answer, errors and challenges included: a page of another site could
    /// not read a challenge without them.
    ///
    /// - Parameter origin: The request's `Origin`, asked for where it matters.
    package func headers(origin: () -> String?) -> Fields {
        switch origins {
        case .none:
            return []
        case .any:
            return Self.open
        case .listed(let list):
            guard let origin = origin(), list.contains(origin) else { return [("Vary", "Origin")] }
            return [
                ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
                ("Access-Control-Allow-Credentials", "true"),
                ("Access-Control-Expose-Headers", Self.exposed),
            ]
        }
    }

    /// What every API of ours reads.
    private static let allowed = [
        "Content-Type", "Authorization", "Accept-Authenticate", "X-Payment-Hash", "Idempotency-Key",
    ]

    /// Header fields that only a preflight is answered with.
    ///
    /// - Parameter asked: `Access-Control-Request-Headers`: what a script wants to send is the
    ///   backend's business, and allowed.
    package func preflightHeaders(methods: [String], asked: String?) -> [(
        name: String, value: String
    )] {
        guard origins != .none else { return [] }
        var names = Self.allowed
        for name in (asked ?? "").prefix(2048).split(separator: ",").prefix(64) {
            let name = String(name).trimmingBlanks
            let isKnown = names.contains { $0.lowercased() == name.lowercased() }
            if !isKnown, !name.isEmpty, name.utf8.allSatisfy(\.isToken) { names.append(name) }
        }
        return [
            ("Access-Control-Allow-Methods", methods.joined(separator: ", ")),
            ("Access-Control-Allow-Headers", names.joined(separator: ", ")),
            ("Access-Control-Max-Age", "86400"),
            ("Vary", "Access-Control-Request-Headers"),
        ]
    }
}
