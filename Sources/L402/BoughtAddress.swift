import Crypto
import Text

/// The one address that was bought where a rule sells each path by itself (`per=`).
///
/// Its text is the normalised path without a slash at its end, everything but unreserved characters
/// and `/` percent-encoded; where query names count, `?` and these follow. A long one is kept as a
/// hash, so that tokens stay short.
package enum BoughtAddress: Hashable, Sendable {
    /// The text itself, of at most ``textLimit`` bytes.
    case text(String)
    /// The SHA-256 of the text, 64 hex digits in lower case.
    case digest(String)

    /// The longest text in bytes that is kept as it is.
    package static let textLimit = 128

    /// The address of a text, as itself while it is short enough.
    package init(_ text: String) {
        self = text.utf8.count <= Self.textLimit ? .text(text) : .digested(text)
    }

    /// The address of a text, as its hash.
    package static func digested(_ text: String) -> BoughtAddress {
        .digest(Hex.encode(SHA256.hash(data: Array(text.utf8))))
    }

    /// Reads an address by the name and the value that stand in caveats, tags and files.
    ///
    /// `nil` for another name, and for a value that no release writes.
    package init?(name: String, value: some Collection<UInt8>) {
        switch name {
        case Self.textName:
            guard value.first == UInt8(ascii: "/"), value.count <= Self.textLimit,
                value.allSatisfy({ (0x21...0x7e).contains($0) })
            else { return nil }
            self = .text(String(decoding: value, as: UTF8.self))
        case Self.digestName:
            guard value.count == 64,
                value.allSatisfy({ $0.isHexDigit && $0 == $0.lowercasedASCII })
            else { return nil }
            self = .digest(String(decoding: value, as: UTF8.self))
        case _:
            return nil
        }
    }

    package static let textName = "path"
    package static let digestName = "path_sha256"

    /// `path` or `path_sha256`.
    package var name: String {
        switch self {
        case .text: Self.textName
        case .digest: Self.digestName
        }
    }

    /// What stands behind the name.
    package var value: String {
        switch self {
        case .text(let text): text
        case .digest(let digits): digits
        }
    }
}
