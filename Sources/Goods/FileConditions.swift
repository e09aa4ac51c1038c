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
            if !matches(wanted, weakly: false) { return .failed }
        } else if let since = header("If-Unmodified-Since").flatMap(HTTPDate.seconds),
            modifiedSeconds > since
        {
            return .failed
        }
        if let known = header("If-None-Match") {
            return matches(known, weakly: true) ? .notModified : .send
        }
        if let since = header("If-Modified-Since").flatMap(HTTPDate.seconds),
            modifiedSeconds <= since
        {
            return .notModified
        }
        return .send
    }

    /// Whether a `Range` still fits what the client has: no `If-Range`, or one of this very state.
    func allowsRange(ifRange: String?) -> Bool {
        guard let ifRange else { return true }
        return ifRange == entityTag || ifRange == lastModified
    }

    private func matches(_ list: String, weakly: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            var tag = item.drop { $0 == " " }
            while tag.last == " " { tag = tag.dropLast() }
            if weakly, tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return tag == "*" || tag == entityTag
        }
    }
}
