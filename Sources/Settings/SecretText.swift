import Text

/// What may be told of a value that somebody wrote into settings: keys get into the wrong places.
package enum SecretText {
    /// Stands for what is not told.
    static let hidden = "(not shown)"

    /// A value in quotes for an error, cut and without control characters; not shown at all when it
    /// could hold a key: 16 hex digits in a row, or what looks like another setting.
    package static func quoted(_ value: String) -> String {
        guard !couldHoldKey(value) else { return hidden }
        let clean = String(
            String.UnicodeScalarView(
                value.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
            )
        )
        return clean.count > 100 ? "\"\(clean.prefix(100))…\"" : "\"\(clean)\""
    }

    private static func couldHoldKey(_ value: String) -> Bool {
        value.contains("LNBITS_KEY") || value.contains("=") || value.contains("@")
            || longestHexRun(value) >= 16
    }

    private static func longestHexRun(_ value: String) -> Int {
        var longest = 0
        var run = 0
        for byte in value.utf8 {
            run = byte.isHexDigit ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }

    /// A line for people without what may be a secret in it: an `LNBITS_…` or `L402_…KEY…` setting
    /// with its value, a password in an address, and, where `keys` says so, 32 hex digits in a
    /// row, as a wallet's key is.
    package static func masked(_ line: String, keys: Bool = true) -> String {
        let bytes = Array(line.utf8)
        var told: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let rest = bytes[at...]
            if let end = settingEnd(rest) ?? userEnd(rest) ?? (keys ? keyEnd(rest, in: bytes) : nil)
            {
                told += hidden.utf8
                at = end
            } else {
                told.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: told, as: UTF8.self)
    }

    /// The end of `LNBITS_…=value` or `L402_…KEY…=value`, up to a blank or quote.
    private static func settingEnd(_ rest: ArraySlice<UInt8>) -> Int? {
        let isWallets = rest.starts(with: "LNBITS_".utf8)
        guard isWallets || rest.starts(with: "L402_".utf8) else { return nil }
        let name = rest.prefix { isNameByte($0) }
        guard rest.dropFirst(name.count).first == UInt8(ascii: "="),
            isWallets || String(decoding: name, as: UTF8.self).contains("KEY")
        else { return nil }
        let value = rest.dropFirst(name.count + 1).drop { $0 == 0x22 || $0 == 0x27 }
        return value.drop { $0 > 0x20 && $0 != 0x22 && $0 != 0x27 }.startIndex
    }

    /// The end of `//user:password`, where an `@` follows before the path begins.
    private static func userEnd(_ rest: ArraySlice<UInt8>) -> Int? {
        guard rest.starts(with: "//".utf8) else { return nil }
        let authority = rest.dropFirst(2).prefix {
            $0 > 0x20 && $0 != 0x2f && $0 != 0x22 && $0 != 0x3f && $0 != 0x23
        }
        return authority.lastIndex(of: 0x40).map { $0 + 1 }
    }

    /// The end of exactly 32 hex digits; payment hashes have 64.
    private static func keyEnd(_ rest: ArraySlice<UInt8>, in bytes: [UInt8]) -> Int? {
        if rest.startIndex > 0, bytes[rest.startIndex - 1].isHexDigit { return nil }
        let digits = rest.prefix { $0.isHexDigit }
        return digits.count == 32 ? digits.endIndex : nil
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_")
    }

    /// Scheme, host and port of an address, for the log.
    package static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return hidden }
        let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] }
        return String(url[..<scheme.upperBound]) + (host ?? authority)
    }
}
