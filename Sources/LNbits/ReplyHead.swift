import CCurl

/// What of an answer's header fields is looked at, the newest head where several come (1xx).
struct ReplyHead: Sendable {
    /// All heads of one answer together; LNbits sends about 200 bytes.
    static let limitBytes = 64 * 1024
    private static let valueLimitBytes = 512

    /// `Date`, in seconds since 1970, of an answer that comes from no cache.
    var date: UInt64? { age.isEmpty ? dateField : nil }
    private var dateField: UInt64?
    private var age = ""
    private(set) var contentType = ""
    private(set) var server = ""
    private(set) var location = ""

    init() {}

    /// Takes one line of a head, `Name: value` with its line end.
    mutating func read(_ line: some Collection<UInt8>) {
        if line.starts(with: "HTTP/".utf8) {
            self = ReplyHead()
            return
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = String(decoding: line[..<colon].prefix(32), as: UTF8.self).lowercased()
        var value = Array(line[line.index(after: colon)...].prefix(Self.valueLimitBytes))[...]
        while let first = value.first, first <= 0x20 { value.removeFirst() }
        while let last = value.last, last <= 0x20 { value.removeLast() }
        let text = String(decoding: value, as: UTF8.self)
        switch name {
        case "date": dateField = Self.seconds(text)
        case "age": age = text
        case "content-type": contentType = text
        case "server": server = text
        case "location": location = text
        default: break
        }
    }

    private static func seconds(_ text: String) -> UInt64? {
        guard !text.utf8.contains(0), ccurl_load() == 1 else { return nil }
        return UInt64(exactly: ccurl_getdate(text))
    }
}
