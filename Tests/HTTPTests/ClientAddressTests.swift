import TestTools
import Testing
import Text

@testable import HTTP

struct ClientAddressTests {
    private func address(_ text: String) -> ClientAddress? {
        ClientAddress(Array(text.utf8))
    }

    @Test(
        arguments: [
            ("192.0.2.7", [192, 0, 2, 7], [192, 0]),
            ("0.0.0.0", [0, 0, 0, 0], [0, 0]),
            ("255.255.255.255", [255, 255, 255, 255], [255, 255]),
            ("::ffff:192.0.2.7", [192, 0, 2, 7], [192, 0]),
            ("::FFFF:c000:207", [192, 0, 2, 7], [192, 0]),
            ("2001:db8:1:2:3:4:5:6", [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2], [0x20, 1, 0x0d, 0xb8]),
            ("2001:DB8::1", [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0], [0x20, 1, 0x0d, 0xb8]),
            ("fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0], [0xfe, 0x80, 0, 0]),
            ("::", [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0]),
            ("1::", [0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0]),
            ("1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4], [0, 1, 0, 2]),
            ("64:ff9b::192.0.2.7", [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0], [0, 0x64, 0xff, 0x9b]),
        ] as [(String, [UInt8], [UInt8])]
    )
    func `an address is read`(text: String, client: [UInt8], network: [UInt8]) {
        #expect(address(text)?.client == client)
        #expect(address(text)?.network == network)
    }

    @Test(arguments: [
        "", "unix:", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.",
        "+1.2.3.4",
        "1.2.3.4 ", "1.2.3.4:80", "[::1]", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "12345::",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "g::", "::1.2.3", "1.2.3.4::", ":1", "1:",
        "%eth0",
        "::ffff:1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4",
    ])
    func `what is no address is none`(text: String) {
        #expect(address(text) == nil)
    }

    @Test func `random text never traps`() {
        var random = SplitMix(seed: 5)
        let pieces = [":", "::", ".", "%", "1", "0", "ff", "255", "256", "g", "é", "1.2.3.4", " "]
        for _ in 0..<5000 {
            guard let found = address(random.text(of: pieces, most: 14)) else { continue }
            #expect([4, 8].contains(found.client.count))
            #expect(found.network.count * 2 == found.client.count)
        }
    }
}

struct DurationTextTests {
    @Test(
        arguments: [
            ("30s", 30), ("10m", 600), ("1h30m", 5400), ("7d", 604_800), ("2w", 1_209_600),
            ("1w1d1h1m1s", 694_861), ("0s", 0), ("90m", 5400), ("90", 90),
        ] as [(String, UInt64)]
    )
    func `a duration is read`(text: String, seconds: UInt64) {
        #expect(DurationText.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "s", "1 s", "1S", "-1s", "1.5h", "1h30", "1y", "١s",
        "99999999999999999999s", "99999999999999999w",
    ])
    func `what is no duration is none`(text: String) {
        #expect(DurationText.seconds(text) == nil)
    }
}
