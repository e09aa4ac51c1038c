import Foundation
import TestTools

/// Makes inputs from a corpus: each a file, or parts of files, changed a little.
struct Mutator {
    private let corpus: [[UInt8]]
    private var random: SplitMix

    /// Bytes that mean something to some parser here.
    private static let telling =
        Array("\0\t\r\n \"#%&*+,-./:;=?@[]\\{}L402~".utf8) + [0x7f, 0x80, 0xc3, 0xff]
    private static let words = [
        "18446744073709551615", "9223372036854775808", "-1", "0", "%2f", "%00", "..", "://",
        "\u{0}", "null",
        "1e999", "L402 ", "lnbc", "payment_hash", "unlimited", "\"\"", "{}", "[", "ö", "\u{1F525}",
        "\u{D7FF}",
    ].map { Array($0.utf8) }

    /// - Parameter room: The directory of the corpus.
    init(room: String, seed: UInt64) throws {
        let directory = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "corpus/\(room)")
        corpus = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map {
            Array(try Data(contentsOf: directory.appending(path: $0)))
        }
        random = SplitMix(seed: seed)
    }

    /// The next input; at most a few kilobytes, now and then a large one.
    mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...6, using: &random) { change(&bytes) }
        if Int.random(in: 0..<1000, using: &random) == 0, !bytes.isEmpty {
            bytes = Array(repeatElement(bytes, count: 65_536 / bytes.count + 1).joined())
        }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let length = min(Int.random(in: 0...8, using: &random), bytes.count - at)
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where at < bytes.count:
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.insert(Self.telling.randomElement(using: &random) ?? 0, at: at)
        case 2: bytes.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: at)
        case 3: bytes.removeSubrange(at..<at + length)
        case 4: bytes.removeSubrange(at...)
        case 5: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
        case 6:
            let other = corpus.randomElement(using: &random) ?? []
            bytes.replaceSubrange(
                at...,
                with: other.suffix(Int.random(in: 0...other.count, using: &random))
            )
        default:
            if at < bytes.count { bytes[at] = UInt8.random(in: .min ... .max, using: &random) }
        }
    }
}
