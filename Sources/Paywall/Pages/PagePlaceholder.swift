/// What a template can ask for, `{{name}}`.
enum PagePlaceholder: String, CaseIterable, Sendable {
    // Text: in text, and in double-quoted attributes.
    case lang, title, state, memo, price, fiat, buys, invoice, seconds, expires, until, error
    case advice, left, bought, link, claim
    // Elements that the gate makes: between other elements only.
    case refresh, style, script, teaser, qr, offer, paid, again, forget, receipt

    /// Whether it stands for elements and not for text.
    var isElement: Bool {
        switch self {
        case .lang, .title, .state, .memo, .price, .fiat, .buys, .invoice, .seconds, .expires,
            .until, .error, .advice, .left, .bought, .link, .claim:
            false
        case .refresh, .style, .script, .teaser, .qr, .offer, .paid, .again, .forget, .receipt:
            true
        }
    }
}

/// What the placeholders of one page stand for; what is not there is empty.
struct PageValues: Sendable {
    private var values: [PagePlaceholder: String] = [:]

    /// Text is escaped where it is put in; an element is HTML as it stands.
    subscript(_ name: PagePlaceholder) -> String {
        get { values[name] ?? "" }
        set { values[name] = newValue }
    }
}
