/// Kinds of bytes in texts that other programs wrote.
extension UInt8 {
    /// `0` to `9`.
    @inlinable package var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    /// `A` to `Z`, `a` to `z`.
    @inlinable package var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7a }

    /// A digit, or `a` to `f` in either case.
    @inlinable package var isHexDigit: Bool {
        isDigit || ((self | 0x20) >= 0x61 && (self | 0x20) <= 0x66)
    }

    /// A blank or a tab.
    @inlinable package var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// What the name of a header field, and other tokens of HTTP, are made of (RFC 9110 section
    /// 5.6.2).
    package var isToken: Bool { isLetter || isDigit || "!#$%&'*+-.^_`|~".utf8.contains(self) }

    /// `A`–`Z` as `a`–`z`; every other byte as it is.
    @inlinable package var lowercasedASCII: UInt8 {
        self >= 0x41 && self <= 0x5a ? self | 0x20 : self
    }
}

extension BidirectionalCollection where Element == UInt8, SubSequence: BidirectionalCollection {
    /// Without blanks and tabs at both ends.
    package var trimmingBlanks: SubSequence { trimming { $0.isBlank } }

    /// Without bytes of a kind at both ends.
    package func trimming(_ isDropped: (UInt8) -> Bool) -> SubSequence {
        var rest = self[...]
        while let first = rest.first, isDropped(first) { rest = rest.dropFirst() }
        while let last = rest.last, isDropped(last) { rest = rest.dropLast() }
        return rest
    }
}

extension StringProtocol {
    /// Without blanks and tabs at both ends.
    package var trimmingBlanks: String { trimming { $0 == " " || $0 == "\t" } }

    /// Without characters of a kind at both ends.
    package func trimming(_ isDropped: (Character) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.first, isDropped(first) { rest = rest.dropFirst() }
        while let last = rest.last, isDropped(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
