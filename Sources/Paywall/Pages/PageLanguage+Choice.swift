import Text

extension PageLanguage {
    /// The language that weighs most in `Accept-Language` (RFC 9110 section 12.5.4) among those that
    /// there are; English for none of them.
    static func preferred(_ header: String?) -> PageLanguage {
        var best: (language: PageLanguage, weight: Double)?
        for range in (header ?? "").prefix(1024).split(separator: ",") {
            let parts = range.split(separator: ";").map { String($0).trimmingBlanks.lowercased() }
            let weight =
                parts.dropFirst().first { $0.hasPrefix("q=") }
                .map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            guard let tag = parts.first?.split(separator: "-").first,
                let language = PageLanguage(rawValue: String(tag)), weight > best?.weight ?? 0
            else { continue }
            best = (language, weight)
        }
        return best?.language ?? .english
    }
}
