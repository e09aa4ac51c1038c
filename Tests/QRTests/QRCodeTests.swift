import Testing

@testable import QR

@Suite struct `QR codes` {
    @Test func `an invoice in upper case takes a code of the size that its letters need`() throws {
        // 318 letters and digits: 61 modules at level M (version 11), where bytes would take 69.
        let rows = try #require(QRCode.rows("LIGHTNING:" + String(repeating: "A", count: 308)))
        #expect(rows.count == 61)
        #expect(rows.allSatisfy { $0.count == 61 })
    }

    @Test func `the three corners are where scanners look for them`() throws {
        let rows = try #require(QRCode.rows("LIGHTNING:LNBC1"))
        let last = rows.count - 1
        for (row, column) in [(0, 0), (0, last - 6), (last - 6, 0)] {
            let outer = rows[row][column..<column + 7]
            #expect(outer.allSatisfy { $0 }, "the edge of a corner is dark")
            #expect(!rows[row + 1][column + 1], "and has a light ring in it")
            #expect(rows[row + 3][column + 3])
        }
    }

    @Test(arguments: ["", "a\u{0}b", String(repeating: "a", count: 5000)])
    func `what no phone could read is no code`(text: String) {
        #expect(QRCode.rows(text) == nil)
    }
}
