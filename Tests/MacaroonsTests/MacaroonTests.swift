import Foundation
import Testing

@testable import Macaroons

private struct Vectors: Decodable {
    struct Vector: Decodable, CustomTestStringConvertible {
        let name: String
        let rootKeyHex: String
        let identifierHex: String
        let location: String
        let caveatsHex: [String]
        let signatureHex: String
        let v2Hex: String
        var testDescription: String { name }
    }
    struct Negative: Decodable {
        let rootKeyHex: String
        let identifierHex: String
        let specLiteralSignatureHex: String
    }
    struct Published: Decodable, CustomTestStringConvertible {
        let name: String
        let rootKeyUtf8: String
        let location: String
        let identifierUtf8: String
        let caveats: [String]
        let v2Hex: String
        var testDescription: String { name }
    }
    struct Wild: Decodable, CustomTestStringConvertible {
        let source: String
        let v2Base64: String
        let identifierHex: String?
        let caveats: [String]?
        let signatureHex: String
        var testDescription: String { source }
    }
    let vectors: [Vector]
    let negative: Negative
    let libmacaroonsPublished: [Published]
    let inTheWild: [Wild]

    static let all: Vectors = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let url = Bundle.module.url(
            forResource: "macaroon_vectors",
            withExtension: "json",
            subdirectory: "Vectors"
        )
        do {
            let data = try Data(contentsOf: try #require(url))
            return try decoder.decode(Vectors.self, from: data)
        } catch {
            fatalError("macaroon_vectors.json: \(error)")
        }
    }()
}

private func bytes(_ hex: String) throws -> [UInt8] {
    var result: [UInt8] = []
    var rest = Substring(hex)
    while !rest.isEmpty {
        result.append(try #require(UInt8(rest.prefix(2), radix: 16)))
        rest = rest.dropFirst(2)
    }
    return result
}

@Suite struct KeyedHashTests {
    /// RFC 4231 section 4: a short key, a key and message of odd lengths, a key longer than a block.
    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                Array(1...25), [UInt8](repeating: 0xcd, count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
    )
    func `it is HMAC-SHA256`(key: [UInt8], message: [UInt8], code: String) {
        let found = KeyedHash.code(key: key, message: message)
        #expect(found.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == code)
        #expect(KeyedHash.isAuthentic(found, key: key, message: message))
        #expect(!KeyedHash.isAuthentic(found, key: key, message: message + [0]))
        #expect(!KeyedHash.isAuthentic(found.dropLast(), key: key, message: message))
    }
}

@Suite struct MacaroonVectorTests {
    @Test("minting gives the published bytes", arguments: Vectors.all.vectors)
    fileprivate func minting(vector: Vectors.Vector) throws {
        let minted = Macaroon.mint(
            rootKey: try bytes(vector.rootKeyHex),
            identifier: try bytes(vector.identifierHex),
            location: vector.location.isEmpty ? nil : Array(vector.location.utf8),
            caveats: try vector.caveatsHex.map(bytes)
        )
        #expect(minted.signature == (try bytes(vector.signatureHex)))
        #expect(minted.encoded == (try bytes(vector.v2Hex)))
    }

    @Test("reading gives back the parts, and they verify", arguments: Vectors.all.vectors)
    fileprivate func reading(vector: Vectors.Vector) throws {
        let read = try Macaroon(decoding: bytes(vector.v2Hex))
        #expect(read.identifier == (try bytes(vector.identifierHex)))
        let caveats = try read.verifiedCaveats(rootKey: bytes(vector.rootKeyHex))
        #expect(caveats == (try vector.caveatsHex.map(bytes)))
        #expect(read.encoded == (try bytes(vector.v2Hex)))
    }

    @Test("libmacaroons' own vectors verify", arguments: Vectors.all.libmacaroonsPublished)
    fileprivate func published(vector: Vectors.Published) throws {
        let read = try Macaroon(decoding: bytes(vector.v2Hex))
        let caveats = try read.verifiedCaveats(rootKey: Array(vector.rootKeyUtf8.utf8))
        #expect(caveats == vector.caveats.map { Array($0.utf8) })
        #expect(read.location == Array(vector.location.utf8))
    }

    @Test("tokens seen in the wild are read", arguments: Vectors.all.inTheWild)
    fileprivate func wild(vector: Vectors.Wild) throws {
        let standard = vector.v2Base64.replacing("-", with: "+").replacing("_", with: "/")
        let bare = standard.filter { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - bare.count % 4) % 4)
        let data = try #require(Data(base64Encoded: bare + padding))
        let read = try Macaroon(decoding: Array(data))
        #expect(read.signature == (try bytes(vector.signatureHex)))
        if let identifier = vector.identifierHex {
            #expect(read.identifier == (try bytes(identifier)))
        }
        #expect(read.encoded == Array(data))
    }

    @Test func `a chain without the key derivation is refused`() throws {
        let negative = Vectors.all.negative
        let forged = Macaroon(
            location: Array("lsat".utf8),
            identifier: try bytes(negative.identifierHex),
            caveats: [],
            signature: try bytes(negative.specLiteralSignatureHex)
        )
        #expect(throws: MacaroonError.signatureMismatch) {
            try forged.verifiedCaveats(rootKey: bytes(negative.rootKeyHex))
        }
    }
}

@Suite struct MacaroonBytesTests {
    private let rootKey: [UInt8] = Array(repeating: 7, count: 32)

    private var token: Macaroon {
        Macaroon.mint(
            rootKey: rootKey,
            identifier: Array(repeating: 1, count: 66),
            location: Array("l402".utf8),
            caveats: [Array("services=a:0".utf8), Array(repeating: 0x95, count: 200)]
        )
    }

    @Test func `every truncation is refused`() {
        let whole = token.encoded
        for count in 0..<whole.count {
            #expect(throws: MacaroonError.self) {
                try Macaroon(decoding: Array(whole.prefix(count)))
            }
        }
    }

    @Test func `a byte after the signature is refused`() {
        #expect(throws: MacaroonError.trailingBytes) {
            try Macaroon(decoding: token.encoded + [0])
        }
    }

    @Test func `a flipped bit in any byte is refused or does not verify`() {
        let whole = token.encoded
        for index in whole.indices {
            // One bit of each byte, another one each time.
            for bit in [index % 8] {
                var bytes = whole
                bytes[index] ^= 1 << UInt8(bit)
                guard let read = try? Macaroon(decoding: bytes) else { continue }
                // The location is a hint and not signed.
                if read.location != token.location { continue }
                #expect(throws: MacaroonError.signatureMismatch) {
                    try read.verifiedCaveats(rootKey: rootKey)
                }
            }
        }
    }

    @Test(
        "malformed bytes are named",
        arguments: [
            ([], MacaroonError.truncated),
            ([1], .unsupportedVersion),
            ([2], .truncated),
            ([2, 6, 0], .unexpectedPacket),
            ([2, 2, 0x80, 0x00], .badVarint),
            ([2, 2, 0xff, 0xff, 0xff, 0xff, 0x7f], .badVarint),
            ([2, 2, 5, 1], .truncated),
            ([2, 2, 0, 0, 0, 6, 1, 9], .signatureLength(1)),
            ([2, 2, 0, 0, 2, 0, 4, 0, 0, 0], .thirdPartyCaveat),
            ([2, 2, 0, 0, 1, 1, 65, 2, 0, 0, 0], .unexpectedPacket),
        ] as [([UInt8], MacaroonError)]
    )
    func malformed(bytes: [UInt8], expected: MacaroonError) {
        #expect(throws: expected) { try Macaroon(decoding: bytes) }
    }

    @Test func `too many caveats are refused`() {
        var long = token
        for _ in 0..<Macaroon.maximumCaveats { long = long.appending(caveat: [61]) }
        #expect(throws: MacaroonError.tooLarge) { try Macaroon(decoding: long.encoded) }
    }

    @Test func `appending without the key verifies with it`() throws {
        let longer = token.appending(caveat: Array("preimage=00".utf8))
        #expect(try longer.verifiedCaveats(rootKey: rootKey).count == 3)
    }

    @Test func `an empty location packet is read and written back`() throws {
        let bytes: [UInt8] = [2, 1, 0, 2, 0, 0, 0, 6, 32] + Array(repeating: 1, count: 32)
        #expect(try Macaroon(decoding: bytes).encoded == bytes)
    }

    @Test func `random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<80, using: &generator)
            let bytes = [2] + (0..<count).map { _ in UInt8.random(in: 0...7, using: &generator) }
            if let read = try? Macaroon(decoding: bytes) { #expect(read.encoded == bytes) }
        }
    }

    @Test func `nothing of a token is printed`() {
        var dumped = ""
        dump(token, to: &dumped)
        #expect("\(token)\(dumped)".contains("services") == false)
    }
}
