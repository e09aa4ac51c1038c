import Testing

@testable import Goods

@Suite("Byte ranges") struct ByteRangesTests {
    @Test(
        "the ranges of RFC 9110 section 14.1.2",
        arguments: [
            ("bytes=0-499", [0..<500]), ("bytes=500-999", [500..<1000]),
            ("bytes=-500", [9500..<10_000]),
            ("bytes=9500-", [9500..<10_000]), ("bytes=0-0,-1", [0..<1, 9999..<10_000]),
            ("bytes= 0-999, 4500-5499, -1000", [0..<1000, 4500..<5500, 9000..<10_000]),
            ("bytes=500-600,601-999", [500..<601, 601..<1000]), ("BYTES=1-1", [1..<2]),
            ("bytes=0-99999", [0..<10_000]), ("bytes=-99999", [0..<10_000]),
            ("bytes=9999-,20000-", [9999..<10_000]),
            ("bytes=5-99999999999999999999999999", [5..<10_000]),
        ]
    )
    func ranges(field: String, expected: [Range<Int>]) {
        #expect(ByteRanges(field, size: 10_000) == .parts(expected))
    }

    @Test(
        "what is no range is not looked at",
        arguments: [
            "", "bytes", "bytes=", "bytes=x", "bytes=5-4", "bytes=--5", "bytes=1-2-3", "bytes=-",
            "lines=0-5", "bytes=0-1,x", "bytes=+1-2", "bytes=0x1-2", "bytes=１-2",
            "bytes=" + (0..<17).map { "\($0)-\($0)" }.joined(separator: ","),
            // The same bytes again and again.
            "bytes=0-,0-,0-",
        ]
    )
    func noRange(field: String) {
        #expect(ByteRanges(field, size: 10_000) == .whole)
    }

    @Test("nothing in the file", arguments: ["bytes=10000-", "bytes=10000-10001", "bytes=-0"])
    func unsatisfiable(field: String) {
        #expect(ByteRanges(field, size: 10_000) == .unsatisfiable)
    }

    @Test("no field means all, and an empty file has no part")
    func edges() {
        #expect(ByteRanges(nil, size: 5) == .whole)
        #expect(ByteRanges("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRanges("bytes=-1", size: 0) == .unsatisfiable)
    }

    @Test("random fields never trap, and no part leaves the file")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "bytes=", "0", "9", "-", ",", " ", "18446744073709551615", "9223372036854775807", "x",
        ]
        for _ in 0..<20_000 {
            let field = (0..<Int.random(in: 0...8, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            for size in [0, 1, 10, Int.max] {
                guard case .parts(let parts) = ByteRanges(field, size: size) else { continue }
                #expect(
                    parts.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= size }
                )
            }
        }
    }
}
