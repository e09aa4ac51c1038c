/// The languages that the gate's own words exist in, by their BCP 47 primary subtag.
package enum PageLanguage: String, CaseIterable, Sendable {
    case english = "en"
    case german = "de"
    case spanish = "es"
    case french = "fr"
    case portuguese = "pt"
    case japanese = "ja"

    /// The words as they stand in the list, with what is in braces.
    func word(_ word: PageWord) -> String {
        switch self {
        case .english: word.english
        case .german: word.german
        case .spanish: word.spanish
        case .french: word.french
        case .portuguese: word.portuguese
        case .japanese: word.japanese
        }
    }

    /// The words with their braces filled, each once and from the left: what is put in is not
    /// searched again.
    func word(_ word: PageWord, _ values: [String: String]) -> String {
        var result = ""
        var rest = Substring(self.word(word))
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = rest[rest.index(after: open)..<close]
            result += rest[..<open]
            result += values[String(name)] ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// A day as people write it: "24 December".
    ///
    /// - Parameter month: 1 to 12; anything else has no name.
    func day(_ day: Int, month: Int) -> String {
        guard (1...12).contains(month) else { return String(day) }
        return switch self {
        case .english: "\(day) \(Self.englishMonths[month - 1])"
        case .german: "\(day). \(Self.germanMonths[month - 1])"
        case .spanish: "\(day) de \(Self.spanishMonths[month - 1])"
        case .french: "\(day == 1 ? "1er" : String(day)) \(Self.frenchMonths[month - 1])"
        case .portuguese: "\(day) de \(Self.portugueseMonths[month - 1])"
        case .japanese: "\(month)月\(day)日"
        }
    }

    private static let englishMonths = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
    private static let germanMonths = [
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
        "Oktober", "November", "Dezember",
    ]
    private static let spanishMonths = [
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
        "octubre", "noviembre", "diciembre",
    ]
    private static let frenchMonths = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ]
    private static let portugueseMonths = [
        "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
        "outubro", "novembro", "dezembro",
    ]
}
