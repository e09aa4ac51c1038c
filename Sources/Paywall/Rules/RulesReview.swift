import Text

/// What a careful seller would want to know of a rules file: all that `l402 check` warns of.
///
/// Nothing of it is an error, since each can be meant. It looks at rules in pairs, which a gate
/// that starts does not.
package struct RulesReview: Sendable {
    /// The rules.
    package let rules: Rules
    /// In the order of the file.
    package let warnings: [Diagnostic]

    /// Reads and reviews a file.
    ///
    /// - Parameters:
    ///   - fileName: As it is to stand in messages.
    ///   - defaultServe: What `L402_SERVE` says.
    ///   - wallets: See ``Rules/init(parsing:fileName:wallets:)``.
    /// - Throws: ``RulesFileErrors`` with everything that is wrong, in the order of the file.
    package init(
        parsing text: [UInt8],
        fileName: String,
        defaultServe: ServeTarget? = nil,
        wallets: Set<String>? = nil
    ) throws(RulesFileErrors) {
        let read = try ReadRules(text, fileName: fileName, wallets: wallets)
        let rules = Rules(
            read.rules.map(\.rule),
            warnings: read.doubts.map { $0.problem(in: fileName) }
        )
        let findings =
            read.doubts + OfferReview(read.rules).findings + ServiceReview(read.rules).findings
            + BypassReview(read.rules, rules, defaultServe: defaultServe).findings
            + GoodsReview(read.rules, defaultServe: defaultServe).findings
        self.rules = rules
        warnings = findings.sorted { $0.place < $1.place }.map { $0.problem(in: fileName) }
    }
}

/// Doubts about what one rule sells.
struct OfferReview {
    private(set) var findings: [Finding] = []

    /// Passes that live longer are expected to outlive an edit of their rule.
    private static let dayInSeconds: UInt64 = 86_400

    init(_ rules: [ReadRule]) {
        for read in rules {
            guard case .priced(let offer) = read.rule.access else { continue }
            review(read, offer)
        }
    }

    private mutating func review(_ read: ReadRule, _ offer: Offer) {
        let rule = read.rule
        if !read.isNamed && offer.validSeconds > Self.dayInSeconds {
            doubt(
                read.place(of: .valid),
                "sold for \(DurationText.text(offer.validSeconds)) under a name that is made from "
                    + "methods, host\(rule.per == nil ? " and path" : ", path and per="): an edit of "
                    + "these ends every pass that was sold; "
                    + "give it a name, as in service=\(rule.service)"
            )
        }
        if rule.per != nil { reviewSingle(read) }
        if !read.isNamed && read.terms[.tier] != nil {
            doubt(
                read.place(of: .tier),
                "a tier without service= is of no use: no other rule has this service"
            )
        }
        if offer.uses == nil && rule.acceptsHash {
            doubt(
                read.place(of: .hash),
                "whoever sees the invoice of this rule knows its payment hash, and with hash=on "
                    + "that alone opens it without end; leave hash=on out"
            )
        }
        if let uses = offer.uses, case .sats(let sats) = offer.price, uses / 1000 >= sats {
            doubt(
                read.place(of: .uses),
                "\(uses) requests for \(offer.price.phrase) are a thousand or more for a sat; is "
                    + "uses= or price= as it is meant?"
            )
        }
    }

    /// Each path is sold by itself.
    private mutating func reviewSingle(_ read: ReadRule) {
        let rule = read.rule
        var says = rule.exists != nil || rule.teaser != nil
        if case .file = rule.serve { says = true }
        if !says, rule.pattern.text.hasSuffix("**") {
            doubt(
                read.place(of: .per),
                "what is bought opens all that this rule covers below it, and so does a directory of "
                    + "goods, should somebody buy that; say what there is to be bought, with "
                    + "exists=/dir, or sell one level only, with * instead of **"
            )
        }
        let longest = 19
        if read.isNamed, rule.service.utf8.count > longest {
            doubt(
                read.place(of: .service),
                "each caveat of a token begins with the service's name, and tokens of single paths "
                    + "are kept in cookies, for which there is little room: at most \(longest) "
                    + "characters are better"
            )
        }
    }

    private mutating func doubt(_ place: TextPlace, _ message: String) {
        findings.append(Finding(place: place, message: message))
    }
}
