/// The checksummed base-32 text of BIP 173, without its limit of 90 characters: BOLT #11 has none.
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// From an ASCII byte to its 5 bits; `nil` for a byte outside the alphabet.
    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, character) in alphabet.enumerated() {
            values[Int(character)] = UInt8(truncatingIfNeeded: value)
        }
        return values
    }()

    /// The human-readable part and the data words without the six of the checksum.
    ///
    /// - Parameter text: Lower-case ASCII.
    /// - Throws: ``Bolt11Error``.
    static func decode(_ text: [UInt8]) throws(Bolt11Error) -> (prefix: [UInt8], words: [UInt8]) {
        guard let separator = text.lastIndex(of: UInt8(ascii: "1")), separator > 0 else {
            throw .noSeparator
        }
        let prefix = Array(text[..<separator])
        var words: [UInt8] = []
        words.reserveCapacity(text.count - separator)
        for character in text[(separator + 1)...] {
            guard let word = values[Int(character)] else { throw .badCharacter }
            words.append(word)
        }
        guard words.count >= 6 else { throw .tooShort }
        guard prefix.allSatisfy({ (33...126).contains($0) }) else { throw .badCharacter }
        let expanded = prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 } + words
        guard polymod(expanded) == 1 else { throw .badChecksum }
        return (prefix, words.dropLast(6))
    }

    private static func polymod(_ words: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var checksum: UInt32 = 1
        for word in words {
            let top = checksum >> 25
            checksum = (checksum & 0x1ff_ffff) << 5 ^ UInt32(word)
            for (bit, value) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 {
                checksum ^= value
            }
        }
        return checksum
    }
}
