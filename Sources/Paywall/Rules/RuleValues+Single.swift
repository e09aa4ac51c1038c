import Text

/// The values of terms for what is sold address by address.
extension RuleValues {
    /// `path`, `url:id,page`.
    static func per(_ text: String) throws(ValueProblem) -> SinglePer {
        if text == "path" { return .path }
        guard text.hasPrefix("url:") else {
            let hint = Suggestion.phrase(for: text, among: ["path"], otherwise: "")
            throw ValueProblem(
                "per is path, or url: and the names in the query that count, as in url:id,page: "
                    + quoted(text) + hint
            )
        }
        let names = text.dropFirst(4).split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init)
        let isGood = names.allSatisfy { name in
            !name.isEmpty
                && name.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0))
                }
        }
        guard isGood, names.count <= SinglePer.mostNames else {
            throw ValueProblem(
                "url: takes 1 to \(SinglePer.mostNames) names of letters, digits and . _ - with "
                    + "commas between them and no spaces: \(quoted(text))"
            )
        }
        if let own = names.first(where: { QueryName(plain: $0).isOwnWord }) {
            throw ValueProblem(
                "\(quoted(own)) is the gate's own word in a query and never part of an address"
            )
        }
        if let twice = duplicate(in: names.map { QueryName(plain: $0) }) {
            throw ValueProblem(
                "two of these names are one to many a server, which may not tell upper from lower "
                    + "case or \".\" from \"_\": \(quoted(twice.folded))"
            )
        }
        return .url(names.sorted())
    }

    /// A directory of texts.
    static func teaser(_ text: String) throws(ValueProblem) -> String {
        try directory(text, "teaser", example: "/srv/teasers")
    }

    /// A directory that is looked into.
    static func exists(_ text: String) throws(ValueProblem) -> String {
        try directory(text, "exists", example: "/srv/articles")
    }

    private static func directory(_ text: String, _ term: String, example: String)
        throws(ValueProblem) -> String
    {
        guard text.hasPrefix("/"), !text.hasPrefix("//") else {
            throw ValueProblem(
                "\(term) is an absolute directory, as in \(term)=\(example): \(quoted(text))"
            )
        }
        return try ServeTarget.directory(text[...], of: text)
    }
}
