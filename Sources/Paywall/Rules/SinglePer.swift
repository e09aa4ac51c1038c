import Text

/// What a rule sells by itself, where one payment does not buy all of its service: `per=`.
package enum SinglePer: Sendable, Hashable {
    /// Each path.
    case path
    /// Each path together with these names in the query, sorted; no others count.
    case url([String])

    /// The most names that may count.
    static let mostNames = 16

    /// As the rules file writes it.
    package var text: String {
        switch self {
        case .path: "path"
        case .url(let names): "url:" + names.joined(separator: ",")
        }
    }

    /// The names that count, sorted.
    var names: [String] {
        switch self {
        case .path: []
        case .url(let names): names
        }
    }
}

/// A name in a query as the laxest of servers read it: decoded, in any case, with brackets behind it
/// (PHP, Rails), with `.` for `_` (PHP), with blanks around it.
///
/// Two names that are one to any of them are one here.
struct QueryName: Hashable {
    let folded: String

    /// A name as it is written in a rules file.
    init(plain: String) { self.init(raw: Array(plain.utf8)[...]) }

    /// A name as it stands in a query.
    init(raw: ArraySlice<UInt8>) {
        var bytes: [UInt8] = []
        var rest = raw
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(Hex.value(of:)),
                let low = rest.dropFirst().first.flatMap(Hex.value(of:))
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        let name = bytes.trimming { $0 <= 0x20 }.prefix { $0 != UInt8(ascii: "[") && $0 != 0 }
        folded = String(foreign: Array(name.trimming { $0 <= 0x20 })).lowercased()
            .replacing(".", with: "_").replacing(" ", with: "_")
    }

    /// Whether it is one of the gate's own words in a query, which are no part of any address.
    var isOwnWord: Bool { folded == "l402" || folded == "payment_hash" }
}
