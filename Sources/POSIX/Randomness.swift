/// Randomness that keys and tokens are made of.
package enum Randomness {
    /// So many bytes from the system's generator.
    @Sendable
    package static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
