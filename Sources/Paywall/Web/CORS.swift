/// What browsers of other sites may do (Fetch standard, "CORS protocol").
public struct CORSPolicy: Sendable, Equatable {
    private enum Origins: Equatable {
        case none
        case any
        case listed([String])
    }

    private let origins: Origins

    /// `*`, `off`, or a comma list of origins such as `https://example.org`.
    public init(_ text: String) {
        switch text.trimmingBlanks {
        case "off", "": origins = .none
        case "*": origins = .any
        case let list:
            origins = .listed(list.split(separator: ",").map { String($0).trimmingBlanks })
        }
    }

    private static let exposed =
        "WWW-Authenticate, L402-Price, L402-Service, L402-Uses-Left, L402-Access, RateLimit, "
        + "RateLimit-Policy, Retry-After"
    private static let open: [(name: String, value: String)] = [
        ("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", exposed),
    ]

    /// Header fields for any answer, errors and challenges included: a page of another site could
    /// not read a challenge without them.
    ///
    /// - Parameter origin: The request's `Origin`, asked for where it matters.
    func headers(origin: () -> String?) -> [(name: String, value: String)] {
        switch origins {
        case .none:
            return []
        case .any:
            return Self.open
        case .listed(let list):
            guard let origin = origin(), list.contains(origin) else { return [("Vary", "Origin")] }
            return [
                ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
                ("Access-Control-Expose-Headers", Self.exposed),
            ]
        }
    }

    /// Header fields that only a preflight is answered with.
    func preflightHeaders(methods: [String]) -> [(name: String, value: String)] {
        guard origins != .none else { return [] }
        return [
            ("Access-Control-Allow-Methods", methods.joined(separator: ", ")),
            (
                "Access-Control-Allow-Headers",
                "Content-Type, Authorization, Accept-Authenticate, X-Payment-Hash"
            ),
            ("Access-Control-Max-Age", "86400"),
        ]
    }
}

extension String {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
