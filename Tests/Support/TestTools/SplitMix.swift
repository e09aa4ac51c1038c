/// A small random generator with a seed, so that a failure can be repeated.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    /// The same seed, the same numbers.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    /// Up to `most` of the pieces, joined.
    package mutating func text(of pieces: [String], most: Int) -> String {
        (0..<Int.random(in: 0...most, using: &self))
            .map { _ in pieces.randomElement(using: &self) ?? "" }.joined()
    }
}
