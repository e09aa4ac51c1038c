import Testing
import Text

struct TextTests {
    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max),
            ("18446744073709551616", nil),
            ("99999999999999999999999", nil), ("", nil), ("+1", nil), ("-1", nil), (" 1", nil),
            ("1_000", nil), ("١", nil), ("0x1", nil),
        ] as [(String, UInt64?)]
    )
    func `a number is digits and nothing else`(text: String, number: UInt64?) {
        #expect(Digits.number(text) == number)
        #expect(Digits.number(Array(text.utf8)) == number)
    }

    @Test func `blanks go at the ends and nowhere else`() {
        #expect(" \t a b \t".trimmingBlanks == "a b")
        #expect("\u{00a0}a\n".trimmingBlanks == "\u{00a0}a\n")
        #expect(" ".trimmingBlanks == "")
        #expect(Array(Array(" \ta \n".utf8).trimmingBlanks) == Array("a \n".utf8))
    }

    @Test func `classes of bytes are those of ASCII`() {
        let all = (UInt8.min...UInt8.max)
        func text(_ isIn: (UInt8) -> Bool) -> String {
            String(decoding: all.filter(isIn), as: UTF8.self)
        }
        #expect(text(\.isDigit) == "0123456789")
        #expect(text(\.isLetter) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        #expect(text(\.isHexDigit) == "0123456789ABCDEFabcdef")
        #expect(text(\.isBlank) == "\t ")
        #expect(all.filter { $0.lowercasedASCII != $0 }.count == 26)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_262_400, "2026-11-21T12:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(UInt64, String)]
    )
    func `times are written and read back`(seconds: UInt64, text: String) {
        #expect(CalendarText.time(seconds) == text)
        #expect(CalendarText.seconds(text) == seconds)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
        "2026-11-21 12:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T12:60:00Z", "1969-12-31T23:59:59Z",
        "2026-11-21T12:00:0aZ", "",
    ])
    func `what is no time is none`(text: String) {
        #expect(CalendarText.seconds(text) == nil)
    }
}
