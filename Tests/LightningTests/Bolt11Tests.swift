import Foundation
import Lightning
import TestTools
import Testing

/// The examples of BOLT #11 with what an independent decoder read in them.
private struct Vectors: Decodable {
    var valid: [Vector]
    var invalid: [Vector]

    static func load() throws -> Self {
        let url = try #require(
            Bundle.module.url(
                forResource: "bolt11_vectors",
                withExtension: "json",
                subdirectory: "Vectors"
            )
        )
        return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }
}

private struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    var title: String
    var invoice: String
    /// What is wrong; absent where only the one who pays can tell.
    var error: String?
    /// What is in it; absent where it cannot be read.
    var decoded: Decoded?
    var testDescription: String { title }

    struct Decoded: Decodable, Sendable {
        var network: String
        var amountMsat: UInt64?
        var timestamp: UInt64
        var expiry: UInt64
        var paymentHash: String

        enum CodingKeys: String, CodingKey {
            case network, timestamp, expiry
            case amountMsat = "amount_msat"
            case paymentHash = "payment_hash"
        }
    }
}

struct Bolt11Tests {
    @Test(arguments: try Vectors.load().valid)
    fileprivate func `a valid example is read`(vector: Vector) throws {
        try expectDecoded(vector)
    }

    @Test(arguments: try Vectors.load().invalid.filter { $0.error != nil })
    fileprivate func `an invalid example that a seller can judge is refused`(
        vector: Vector
    ) throws {
        let expected: [String: Bolt11Error] = [
            "bad checksum": .badChecksum,
            "no separator": .noSeparator,
            "mixed case": .mixedCase,
            "too short": .tooShort,
            "bad hrp lnbc2500x": .badAmount,
            "sub-msat": .subMillisatoshi,
        ]
        let error = try #require(expected[vector.error ?? ""])
        #expect(throws: error) { try Bolt11Invoice(decoding: vector.invoice) }
    }

    @Test(arguments: try Vectors.load().invalid.filter { $0.error == nil })
    fileprivate func `an example that only a payer refuses is read`(vector: Vector) throws {
        try expectDecoded(vector)
    }

    @Test func `the vectors are all there`() throws {
        let vectors = try Vectors.load()
        #expect(vectors.valid.count == 16)
        #expect(vectors.invalid.count { $0.error != nil } == 6)
        #expect(vectors.invalid.count { $0.error == nil } == 4)
    }

    @Test func `every prefix of an invoice is refused`() throws {
        for vector in try Vectors.load().valid {
            for count in 0..<vector.invoice.utf8.count {
                let prefix = String(vector.invoice.prefix(count))
                #expect(throws: Bolt11Error.self) { try Bolt11Invoice(decoding: prefix) }
            }
        }
    }

    @Test func `upper case is read and told in lower case`() throws {
        for vector in try Vectors.load().valid {
            let upper = try Bolt11Invoice(decoding: vector.invoice.uppercased())
            let lower = try Bolt11Invoice(decoding: vector.invoice.lowercased())
            #expect(upper == lower)
            #expect(upper.text == vector.invoice.lowercased())
        }
    }

    @Test func `mixed case is refused`() throws {
        let invoice = try #require(try Vectors.load().valid.first).invoice
        let mixed = "LN" + invoice.dropFirst(2)
        #expect(throws: Bolt11Error.mixedCase) { try Bolt11Invoice(decoding: mixed) }
    }

    @Test(arguments: [
        ("", Bolt11Error.noSeparator),
        ("1", .noSeparator),
        ("lnbc1", .tooShort),
        ("lnbc1 pvj", .badCharacter),
        ("lnbc1bpvjqqq", .badCharacter),
        ("lnbc1é", .badCharacter),
    ])
    func `text that is no invoice is refused`(text: String, error: Bolt11Error) {
        #expect(throws: error) { try Bolt11Invoice(decoding: text) }
    }

    @Test func `an invoice of the greatest length is looked at and a longer one is not`() {
        let text = "lnbc1" + String(repeating: "q", count: Invoices.lengthLimit - 5)
        #expect(throws: Bolt11Error.badChecksum) { try Bolt11Invoice(decoding: text) }
        #expect(throws: Bolt11Error.tooLong) { try Bolt11Invoice(decoding: text + "q") }
    }

    @Test(arguments: [
        ("lnbc", "bc"), ("lntb", "tb"), ("lntbs", "tbs"), ("lnbcrt", "bcrt"),
    ])
    func `networks are told apart`(prefix: String, network: String) throws {
        for amount in ["", "1", "20m", "25u"] {
            let invoice = try Bolt11Invoice(decoding: Invoices.make(prefix: prefix + amount))
            #expect(invoice.network == network)
        }
    }

    @Test(
        arguments: [
            ("", nil),
            ("1", 100_000_000_000),
            ("1m", 100_000_000),
            ("1u", 100_000),
            ("210n", 21_000),
            ("1n", 100),
            ("10p", 1),
            ("184467440", 18_446_744_000_000_000_000),
            ("18446744073709551610p", 1_844_674_407_370_955_161),
        ] as [(String, UInt64?)]
    )
    func `an amount is read`(amount: String, msat: UInt64?) throws {
        let invoice = try Bolt11Invoice(decoding: Invoices.make(prefix: "lnbcrt" + amount))
        #expect(invoice.amount?.msat == msat)
    }

    @Test(arguments: [
        ("lnbc0", Bolt11Error.badAmount),
        ("lnbc01", .badAmount),
        ("lnbc0m", .badAmount),
        ("lnbc2x", .badAmount),
        ("lnbc2mm", .badAmount),
        ("lnbc2-1m", .badAmount),
        ("lnbcm", .badAmount),
        ("lnbc-1", .badAmount),
        ("lnxx", .unknownNetwork),
        ("lnb", .unknownNetwork),
        ("ln", .unknownNetwork),
        ("xlnbc", .unknownNetwork),
        ("lnbc1p", .subMillisatoshi),
        ("lnbc25p", .subMillisatoshi),
        ("lnbc184467441", .badAmount),
        ("lnbc18446744073709551616p", .badAmount),
        ("lnbc99999999999999999999999m", .badAmount),
    ])
    func `a wrong prefix or amount is refused`(prefix: String, error: Bolt11Error) {
        #expect(throws: error) { try Bolt11Invoice(decoding: Invoices.make(prefix: prefix)) }
    }

    @Test func `without an expiry an invoice is good for an hour`() throws {
        let invoice = try Bolt11Invoice(decoding: Invoices.make(timestamp: 1000))
        #expect(invoice.expirySeconds == 3600)
        #expect(invoice.expiresAt == 4600)
    }

    @Test func `an expiry beyond all time saturates`() throws {
        let long = [UInt8](repeating: 31, count: 20)
        let invoice = try Bolt11Invoice(
            decoding: Invoices.make(
                timestamp: 1000,
                fields: Invoices.hash + Invoices.field(6, long)
            )
        )
        #expect(invoice.expirySeconds == .max)
        #expect(invoice.expiresAt == .max)
    }

    @Test func `the first expiry and the first payment hash of right length count`() throws {
        let fields =
            Invoices.field(1, [UInt8](repeating: 3, count: 51))
            + Invoices.hash
            + Invoices.field(1, [UInt8](repeating: 0, count: 52))
            + Invoices.field(6, [1, 0]) + Invoices.field(6, [2, 0])
        let invoice = try Bolt11Invoice(decoding: Invoices.make(fields: fields))
        #expect(invoice.paymentHash.hex == Invoices.hashHex)
        #expect(invoice.expirySeconds == 32)
    }

    @Test func `an expiry of no words is no time at all`() throws {
        let invoice = try Bolt11Invoice(
            decoding: Invoices.make(fields: Invoices.hash + Invoices.field(6, []))
        )
        #expect(invoice.expirySeconds == 0)
    }

    @Test(
        arguments: [
            ([], Bolt11Error.noPaymentHash),
            ([1], .truncatedField),
            ([1, 0], .truncatedField),
            ([1, 1, 20, 0], .truncatedField),
            ([1, 31, 31], .truncatedField),
            (Invoices.field(1, [UInt8](repeating: 0, count: 53)), .noPaymentHash),
            (Invoices.hash + [6, 0, 1], .truncatedField),
        ] as [([UInt8], Bolt11Error)]
    )
    func `broken fields are refused`(fields: [UInt8], error: Bolt11Error) {
        #expect(throws: error) { try Bolt11Invoice(decoding: Invoices.make(fields: fields)) }
    }

    @Test func `mutated invoices are refused and never trap`() throws {
        var random = SplitMix(seed: 11)
        let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l1biLN \u{0}\u{7f}".utf8)
        for vector in try Vectors.load().valid {
            let original = Array(vector.invoice.utf8)
            for _ in 0..<30 {
                var text = original
                // Few enough changes that the checksum catches every one (BIP 173: up to 4
                // within 90 characters; here by trying).
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    let place = text.indices.randomElement(using: &random) ?? 0
                    text[place] = alphabet.randomElement(using: &random) ?? 0
                }
                guard text != original else { continue }
                let mutated = String(decoding: text, as: UTF8.self)
                #expect(throws: Bolt11Error.self) { try Bolt11Invoice(decoding: mutated) }
            }
        }
    }

    @Test func `random fields under a right checksum never trap`() {
        var random = SplitMix(seed: 12)
        var read = 0
        for _ in 0..<400 {
            let count = Int.random(in: 0..<40, using: &random)
            var fields = (0..<count).map { _ in UInt8.random(in: 0..<32, using: &random) }
            // Some short fields, so that not all run over the end.
            if Bool.random(using: &random) { fields = Invoices.field(6, fields) }
            if Bool.random(using: &random) { fields = Invoices.hash + fields }
            let text = Invoices.make(fields: fields)
            if (try? Bolt11Invoice(decoding: text)) != nil { read += 1 }
        }
        #expect(read > 40)
    }

    private func expectDecoded(_ vector: Vector) throws {
        let expected = try #require(vector.decoded)
        let invoice = try Bolt11Invoice(decoding: vector.invoice)
        #expect(invoice.text == vector.invoice.lowercased())
        #expect(invoice.network == expected.network)
        #expect(invoice.amount?.msat == expected.amountMsat)
        #expect(invoice.timestamp == expected.timestamp)
        #expect(invoice.expirySeconds == expected.expiry)
        #expect(invoice.expiresAt == expected.timestamp + expected.expiry)
        #expect(invoice.paymentHash.hex == expected.paymentHash)
    }
}

/// Makes invoices out of parts, wrong ones too, with a right checksum and no real signature.
private enum Invoices {
    static let lengthLimit = 7089
    static let hashHex = "0842108421084210842108421084210842108421084210842108421084210843"
    /// A payment hash field: words 1 throughout, the last with clear padding.
    static let hash = field(1, [UInt8](repeating: 1, count: 51) + [16])

    static func field(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 5), UInt8(value.count & 31)] + value
    }

    static func make(
        prefix: String = "lnbcrt",
        timestamp: UInt64 = 1,
        fields: [UInt8] = hash
    ) -> String {
        let time = (0..<7).reversed().map { UInt8(timestamp >> (5 * UInt64($0)) & 31) }
        let words = time + fields + [UInt8](repeating: 0, count: 104)
        let expanded = prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
        let remainder = polymod(expanded + words + [UInt8](repeating: 0, count: 6)) ^ 1
        let checksum = (0..<6).map { UInt8(remainder >> (5 * (5 - UInt32($0))) & 31) }
        let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
        return prefix + "1" + String((words + checksum).map { alphabet[Int($0)] })
    }

    private static func polymod(_ words: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [
            0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3,
        ]
        return words.reduce(1) { state, word in
            generator.indices.reduce((state & 0x1ff_ffff) << 5 ^ UInt32(word)) {
                (state >> 25) >> UInt32($1) & 1 == 1 ? $0 ^ generator[$1] : $0
            }
        }
    }
}
