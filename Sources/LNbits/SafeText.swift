import Text

/// Words from outside, made fit for the operator's log: printable, short, without secrets.
enum SafeText {
    /// Keys, hashes and preimages of LNbits are 32 or 64 hex digits.
    private static let hexDigitsOfASecret = 16
    /// Tokens in other alphabets are longer than any word of a sentence.
    private static let lettersOfASecret = 32
    private static let longestRead = 4096

    /// `text` in printable ASCII, at most `limit` characters: blanks joined, what may be a secret
    /// replaced by three dots, addresses without user, password and query.
    static func clean(_ text: String, limit: Int, secret: String = "") -> String {
        let printable = String(
            decoding: text.utf8.prefix(longestRead).map { byte -> UInt8 in
                switch byte {
                case ...0x20, 0x7f: 0x20
                case 0x80...: UInt8(ascii: "?")
                case let printable: printable
                }
            },
            as: UTF8.self
        )
        let words = printable.split(separator: " ").map { word in
            let bare = secret.isEmpty ? String(word) : String(word.replacing(secret, with: "..."))
            return masked(bare.contains("://") ? shownURL(bare) : withoutUser(bare))
        }
        return String(words.joined(separator: " ").prefix(limit))
    }

    /// A URL without user, password, query and fragment.
    static func shownURL(_ url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return url }
        let rest = url[mark.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let host = rest[..<end].lastIndex(of: "@").map { rest[rest.index(after: $0)..<end] }
        var path = rest[end...].prefix { $0 != "?" && $0 != "#" }
        // Another address in the path may have a password of its own.
        if let inner = path.firstRange(of: "://") { path = path[..<inner.lowerBound] }
        return String(url[..<mark.upperBound]) + (host ?? rest[..<end]) + path
    }

    /// `user:password@host` without a scheme.
    private static func withoutUser(_ word: String) -> String {
        word.lastIndex(of: "@").map { "..." + word[$0...] } ?? word
    }

    /// Runs of hex digits, or of the letters of base64, that are too long for words.
    private static func masked(_ word: String) -> String {
        var result: [UInt8] = []
        var run: [UInt8] = []
        func end() {
            let longestHex = run.split { !$0.isHexDigit }.map(\.count).max() ?? 0
            let isSecret = longestHex >= hexDigitsOfASecret || run.count >= lettersOfASecret
            result += isSecret ? Array("...".utf8) : run
            run = []
        }
        for byte in word.utf8 {
            if isLetterOfASecret(byte) {
                run.append(byte)
            } else {
                end()
                result.append(byte)
            }
        }
        end()
        return String(decoding: result, as: UTF8.self)
    }

    private static func isLetterOfASecret(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "-_+=".utf8.contains(byte)
    }
}
