import FoundationEssentials

/// Base64 as clients really send it (RFC 4648 sections 4 and 5).
public enum Base64 {
    /// Standard alphabet with padding: what aperture and its clients decode.
    public static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    /// URL-safe alphabet without padding: fits in a cookie or a query.
    public static func encodeURLSafe(_ bytes: [UInt8]) -> String {
        let unpadded = encode(bytes).utf8.filter { $0 != UInt8(ascii: "=") }
        return String(
            decoding: unpadded.map { character in
                switch character {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                default: character
                }
            },
            as: UTF8.self
        )
    }

    /// Either alphabet, with or without padding; `nil` for anything else.
    ///
    /// Pymacaroons writes URL-safe without padding, lnget and aperture standard with it.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var standard: [UInt8] = []
        var padding = 0
        for character in text {
            switch character {
            case UInt8(ascii: "="):
                padding += 1
            case _ where padding > 0:
                return nil
            case UInt8(ascii: "-"):
                standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"):
                standard.append(UInt8(ascii: "/"))
            default:
                standard.append(character)
            }
        }
        let missing = (4 - standard.count % 4) % 4
        guard missing < 3, padding == 0 || padding == missing else { return nil }
        standard += Array(repeating: UInt8(ascii: "="), count: missing)
        return Data(base64Encoded: Data(standard)).map(Array.init)
    }

    /// The same of a whole array.
    public static func decode(_ text: [UInt8]) -> [UInt8]? { decode(text[...]) }

    /// The same of a text.
    public static func decode(_ text: String.UTF8View) -> [UInt8]? { decode(Array(text)[...]) }
}
