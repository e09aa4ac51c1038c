import Testing
import Text

@Suite struct Base64Tests {
    @Test(
        "RFC 4648 vectors",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
        #expect(Base64.decode(encoded.filter { $0 != "=" }.utf8) == Array(plain.utf8))
    }

    @Test(
        "what is no base64 is refused",
        arguments: ["A", "AA=A", "AAA==", "A===", "Zg=", "Z g=", "Zm9v\n", "é"]
    )
    func refused(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}
