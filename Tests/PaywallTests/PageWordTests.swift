import Testing

@testable import Paywall

@Suite("The words of the pages")
struct PageWordTests {
    /// The names in braces.
    private func braces(_ text: String) -> Set<String> {
        Set(
            text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap {
                $0.split(separator: "}").first
            }
        )
        .reduce(into: []) { $0.insert(String($1)) }
    }

    @Test("Every language says the same: no word is empty, and the same is put in")
    func complete() {
        for word in PageWord.allCases {
            let wanted = braces(PageLanguage.english.word(word))
            for language in PageLanguage.allCases {
                let text = language.word(word)
                #expect(!text.isEmpty && !text.contains("  ") && !text.contains("\n"), "\(word)")
                #expect(braces(text) == wanted, "\(word) in \(language)")
            }
        }
    }

    @Test("No two languages share a long text: nothing was left untranslated")
    func translated() {
        for word in PageWord.allCases where PageLanguage.english.word(word).count > 12 {
            let texts = PageLanguage.allCases.map { $0.word(word) }
            #expect(Set(texts).count == texts.count, "\(word)")
        }
    }

    @Test("What is put in is not searched for braces again")
    func filled() {
        let text = PageLanguage.english.word(
            .allUntil,
            ["service": "{date}", "date": "24 December"]
        )
        #expect(text == "all of {date} until 24 December")
        #expect(PageLanguage.german.word(.left, ["left": "3", "count": "10"]) == "3 von 10 übrig")
        #expect(PageLanguage.english.word(.about, [:]) == "about ")
    }

    @Test("A day is written as people write it")
    func days() {
        let christmas = PageLanguage.allCases.map { $0.day(24, month: 12) }
        #expect(
            christmas == [
                "24 December", "24. Dezember", "24 de diciembre", "24 décembre", "24 de dezembro",
                "12月24日",
            ]
        )
        #expect(PageLanguage.french.day(1, month: 5) == "1er mai")
        for language in PageLanguage.allCases {
            #expect(Set((1...12).map { language.day(3, month: $0) }).count == 12)
            #expect(language.day(3, month: 13) == "3")
        }
    }
}
