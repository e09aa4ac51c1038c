import Text

/// Whether a client would rather have a page than JSON (RFC 9110 section 12.5.1).
package enum Accept {
    /// True when `text/html` is named and weighs more than JSON does; a bare `*/*`, as curl and
    /// programs send it, is no such wish.
    package static func prefersHTML(_ header: String?) -> Bool {
        var html: Double?
        var json: Double?
        var anything: Double?
        for range in (header ?? "").prefix(2048).split(separator: ",") {
            let parts = range.split(separator: ";").map { String($0).trimmingBlanks.lowercased() }
            let weight =
                parts.dropFirst().first { $0.hasPrefix("q=") }
                .map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first {
            case "text/html": html = weight
            case "application/json": json = weight
            case "*/*", "application/*": anything = max(anything ?? 0, weight)
            case .some, .none: continue
            }
        }
        guard let html else { return false }
        return html > json ?? anything ?? 0
    }
}
