/// What of an answer's header fields is looked at, the newest head where several come (1xx).
package struct ReplyHead: Sendable {
    /// All heads of one answer together.
    static let limitBytes = 64 * 1024
    private static let valueLimitBytes = 512

    /// `Date`, in seconds since 1970, of an answer that comes from no cache.
    package var date: UInt64? { age.isEmpty ? dateField : nil }
    private var dateField: UInt64?
    private var age = ""
    package private(set) var contentType = ""
    package private(set) var server = ""
    package private(set) var location = ""

    package init() {}

    /// Takes one line of a head, `Name: value` with its line end.
    package mutating func read(_ line: some Collection<UInt8>) {
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
        case "date": dateField = HTTPDate.seconds(text).flatMap { UInt64(exactly: $0) }
        case "age": age = text
        case "content-type": contentType = text
        case "server": server = text
        case "location": location = text
        default: break
        }
    }
}
