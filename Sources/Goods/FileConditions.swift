import Curl

/// Conditional requests (RFC 9110 section 13) for one state of a file.
struct FileConditions {
    enum Verdict: Equatable {
        case send
        case notModified
        case failed
    }

    /// A strong validator: another size or time of change, another tag.
    let entityTag: String
    /// In the form of header fields.
    let lastModified: String
    private let modifiedSeconds: Int

    init(size: Int, modifiedSeconds: Int, modifiedNanoseconds: Int) {
        let numbers = [modifiedSeconds, modifiedNanoseconds, size]
        entityTag = "\"" + numbers.map { String($0, radix: 16) }.joined(separator: "-") + "\""
        lastModified = HTTPDate.text(modifiedSeconds)
        self.modifiedSeconds = modifiedSeconds
    }

    /// The verdict, in the order of RFC 9110 section 13.2.2.
    func verdict(header: (String) -> String?) -> Verdict {
        if let wanted = header("If-Match") {
            if !matches(wanted, isWeak: false, ofAnyCoding: true) { return .failed }
        } else if let since = header("If-Unmodified-Since").flatMap(HTTPDate.seconds),
            modifiedSeconds > since
        {
            return .failed
        }
        if let known = header("If-None-Match") {
            return matches(known, isWeak: true, ofAnyCoding: true) ? .notModified : .send
        }
        if let since = header("If-Modified-Since").flatMap(HTTPDate.seconds),
            modifiedSeconds <= since
        {
            return .notModified
        }
        return .send
    }

    /// Whether a `Range` still fits what the client has: no condition on it, or this very state.
    ///
    /// Of what a server compressed the client has other bytes, of which no range of the file is more.
    func allowsRange(header: (String) -> String?) -> Bool {
        if let tags = header("If-Match"), !matches(tags, isWeak: false, ofAnyCoding: false) {
            return false
        }
        guard let ifRange = header("If-Range") else { return true }
        return ifRange == entityTag || ifRange == lastModified
    }

    private func matches(_ list: String, isWeak: Bool, ofAnyCoding isAnyCoding: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            var tag = item.drop { $0 == " " }
            while tag.last == " " { tag = tag.dropLast() }
            if isWeak, tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return tag == "*" || tag == entityTag
                || isAnyCoding && Self.withoutCoding(tag) == entityTag
        }
    }

    /// Servers that compress an answer add to its tag how (`"tag-gzip"`: Apache and lighttpd;
    /// `"tag;gzip"`, `"tag--gzip"`: others) and do not take it off again when the client asks with it.
    private static func withoutCoding(_ tag: Substring) -> String? {
        guard tag.hasPrefix("\""), tag.hasSuffix("\""), tag.utf8.count > 2 else { return nil }
        let name = tag.dropFirst().dropLast()
        for coding in ["gzip", "x-gzip", "br", "deflate", "zstd", "bzip2"]
        where name.hasSuffix(coding) {
            var rest = name.dropLast(coding.count)
            guard let mark = rest.popLast(), "-;+:".contains(mark) else { continue }
            if mark == "-", rest.last == "-" { rest = rest.dropLast() }
            return "\"\(rest)\""
        }
        return nil
    }
}
