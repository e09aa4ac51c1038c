import HTTP

/// The head of an answer, put together from what the goods say and what the gate says.
enum HeadFields {
    /// What the shipped nginx snippets have room for (`fastcgi_buffer_size 16k`), less the records
    /// that it comes in. A larger head is a 502 there, and whoever paid would not know why.
    static let limitBytes = 15 * 1024
    /// The longest line that Apache takes from a program is 8190 bytes.
    static let lineLimitBytes = 8000

    /// One list, in which the gate's word stands where both have one.
    static func merge(
        _ goods: Fields,
        with own: Fields
    ) -> Fields {
        var goods = goods
        var own = own
        if let at = own.firstIndex(where: { $0.name == "Cache-Control" }) {
            own[at].value = keptFromSharedCaches(&goods, own: own[at].value)
        }
        if saysWhoMayRead(own) {
            if let at = own.firstIndex(where: { $0.name == exposing }) {
                own[at].value = exposed(own[at].value, and: goods)
            }
            let said = Set(own.map { $0.name.lowercased() })
            goods.removeAll { field in
                let name = field.name.lowercased()
                return name == "access-control-allow-origin"
                    || name.hasPrefix("access-control-") && said.contains(name)
            }
        }
        return goods + own
    }

    // MARK: - Caches

    /// What tells a shared cache something that others need not see.
    private static let forSharedCaches: Set<String> = [
        "expires", "cache-control", "surrogate-control", "edge-control", "cdn-cache-control",
    ]

    /// Takes out of an answer what would let a shared cache keep it; the `Cache-Control` of what is
    /// left, which says `private` or `no-store`. How long a browser may keep it stays.
    private static func keptFromSharedCaches(
        _ goods: inout Fields,
        own: String
    ) -> String {
        let kept = goods.filter { $0.name.lowercased() == "cache-control" }
            .flatMap { members($0.value) }
            .filter { directive in
                let name = directive.prefix { $0 != "=" }.lowercased()
                // A `private` with field names lets the rest be kept.
                return !["public", "private", "s-maxage", "proxy-revalidate", "must-understand"]
                    .contains(name)
            }
        goods.removeAll { field in
            let name = field.name.lowercased()
            return forSharedCaches.contains(name) || name.hasSuffix("-cdn-cache-control")
        }
        let isStrict = kept.contains { $0.lowercased() == "no-store" }
        return ((isStrict ? [] : [own]) + kept).joined(separator: ", ")
    }

    /// The members of a list, commas in quotes being part of one.
    private static func members(_ text: String) -> [String] {
        var list: [String] = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ",", !isQuoted {
                list.append("")
            } else if character != " " && character != "\t" || isQuoted {
                list[list.count - 1].append(character)
            }
        }
        return list.filter { !$0.isEmpty }
    }

    // MARK: - Other origins

    private static let exposing = "Access-Control-Expose-Headers"

    /// Whether the gate decides who else may read an answer: with `L402_CORS=off` it says nothing at
    /// all, and with a list at least that the answer depends on the origin.
    private static func saysWhoMayRead(_ own: Fields) -> Bool {
        own.contains { field in
            field.name == "Access-Control-Allow-Origin"
                || field.name == "Vary" && field.value.lowercased().contains("origin")
        }
    }

    /// What the gate shows to pages of other origins, and what the goods show.
    private static func exposed(
        _ own: String,
        and goods: Fields
    ) -> String {
        var names = members(own)
        var known = Set(names.map { $0.lowercased() })
        for field in goods where field.name.lowercased() == exposing.lowercased() {
            for name in members(field.value) where known.insert(name.lowercased()).inserted {
                names.append(name)
            }
        }
        return names.joined(separator: ", ")
    }
}
