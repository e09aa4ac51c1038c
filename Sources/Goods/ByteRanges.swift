import Text

/// The `Range` header field (RFC 9110 section 14), for a file of a known size.
enum ByteRanges: Equatable {
    /// No range, one that is no range, or more of them than anybody needs: send all.
    case whole
    /// These parts, in the order asked for; none is empty.
    case parts([Range<Int>])
    /// None of the parts lies in the file.
    case unsatisfiable

    /// Parts that one request may ask for; more is an attack, not a reader.
    private static let maximumParts = 16

    init(_ field: String?, size: Int) {
        guard let field, let equals = field.firstIndex(of: "="),
            field[..<equals].lowercased() == "bytes"
        else {
            self = .whole
            return
        }
        var parts: [Range<Int>] = []
        let specifications = field[field.index(after: equals)...].split(separator: ",")
        guard !specifications.isEmpty, specifications.count <= Self.maximumParts else {
            self = .whole
            return
        }
        for specification in specifications {
            switch Self.part(specification.filter { $0 != " " && $0 != "\t" }, size: size) {
            case .none:
                self = .whole
                return
            case .some(let part):
                if !part.isEmpty { parts.append(part) }
            }
        }
        var left = size
        let isMoreThanAll = parts.contains { part in
            guard part.count <= left else { return true }
            left -= part.count
            return false
        }
        if parts.isEmpty {
            self = .unsatisfiable
        } else if isMoreThanAll {
            // Overlapping parts would send the same bytes again and again.
            self = .whole
        } else {
            self = .parts(parts)
        }
    }

    /// One part, empty when it lies outside; `nil` for anything that is no part.
    private static func part(_ text: String, size: Int) -> Range<Int>? {
        guard let dash = text.firstIndex(of: "-") else { return nil }
        let first = text[..<dash]
        let last = text[text.index(after: dash)...]
        if first.isEmpty {
            guard let count = number(last) else { return nil }
            return max(0, size - count)..<size
        }
        guard let start = number(first) else { return nil }
        if last.isEmpty { return min(start, size)..<size }
        guard let end = number(last), end >= start else { return nil }
        return min(start, size)..<min(end == .max ? end : end + 1, size)
    }

    /// Decimal digits; what no file can have counts as the largest number.
    private static func number(_ text: Substring) -> Int? {
        Digits.isNumber(text) ? Int(text) ?? .max : nil
    }
}
