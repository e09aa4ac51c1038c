// The binary format, version 2. Readers and writers are twins, one pair for each nonterminal.
//
//     macaroon = 02 section caveat* eos signature
//     section  = [location] identifier eos
//     caveat   = [location] identifier [vid] eos     ; a first-party one has only the identifier
//     packet   = varint(type) varint(length) bytes
//     eos      = 00
//     types: location 1, identifier 2, vid 4, signature 6; varint is LEB128
//
// Source: libmacaroons doc/format.txt; go-macaroon marshal-v2.go. Unlike go-macaroon this reader
// refuses bytes after the signature and lengths not in their shortest form, so that whatever it
// accepts is written back as the same bytes.

private enum PacketType {
    static let location: UInt32 = 1
    static let identifier: UInt32 = 2
    static let verificationID: UInt32 = 4
    static let signature: UInt32 = 6
}

private let endOfSection: UInt8 = 0
private let version2: UInt8 = 2

extension Macaroon {
    /// Bytes beyond which no honest macaroon goes: header buffers of web servers hold 8 to 16 KiB.
    package static let maximumBytes = 16 * 1024
    /// Caveats beyond which no honest macaroon goes; each costs an HMAC.
    package static let maximumCaveats = 64

    /// Reads a macaroon from its binary form, version 2.
    ///
    /// - Throws: ``MacaroonError``, naming the first thing that is wrong.
    package init(decoding bytes: [UInt8]) throws(MacaroonError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge }
        var reader = PacketReader(bytes)
        guard try reader.readByte() == version2 else { throw .unsupportedVersion }

        let location = try reader.readPacket(ifType: PacketType.location)
        guard let identifier = try reader.readPacket(ifType: PacketType.identifier) else {
            throw .unexpectedPacket
        }
        try reader.readEndOfSection()

        var caveats: [[UInt8]] = []
        while try !reader.skipEndOfSection() {
            guard caveats.count < Self.maximumCaveats else { throw .tooLarge }
            caveats.append(try reader.readCaveat())
        }

        guard let signature = try reader.readPacket(ifType: PacketType.signature) else {
            throw .unexpectedPacket
        }
        guard signature.count == 32 else { throw .signatureLength(signature.count) }
        guard reader.isAtEnd else { throw .trailingBytes }
        self.init(
            location: location,
            identifier: identifier,
            caveats: caveats,
            signature: signature
        )
    }

    /// The binary form, version 2.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = [version2]
        if let location { appendPacket(PacketType.location, location, to: &bytes) }
        appendPacket(PacketType.identifier, identifier, to: &bytes)
        bytes.append(endOfSection)
        for caveat in caveats {
            appendPacket(PacketType.identifier, caveat, to: &bytes)
            bytes.append(endOfSection)
        }
        bytes.append(endOfSection)
        appendPacket(PacketType.signature, signature, to: &bytes)
        return bytes
    }
}

private func appendPacket(_ type: UInt32, _ content: [UInt8], to bytes: inout [UInt8]) {
    appendVarint(type, to: &bytes)
    appendVarint(UInt32(truncatingIfNeeded: content.count), to: &bytes)
    bytes += content
}

private func appendVarint(_ value: UInt32, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest & 0x7f) | 0x80)
        rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
}

/// A cursor over the bytes of one macaroon.
private struct PacketReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func readByte() throws(MacaroonError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .truncated }
        return byte
    }

    /// Twin of `appendVarint`.
    mutating func readVarint() throws(MacaroonError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 21, by: 7) {
            let byte = try readByte()
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw .badVarint }
                return value
            }
        }
        throw .badVarint  // 28 bits are more than `maximumBytes`
    }

    /// Twin of `appendPacket`; `nil`, and nothing read, when the next packet is of another type.
    mutating func readPacket(ifType type: UInt32) throws(MacaroonError) -> [UInt8]? {
        let start = rest
        guard try readVarint() == type else {
            rest = start
            return nil
        }
        let count = Int(try readVarint())
        guard count <= rest.count else { throw .truncated }
        let content = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return content
    }

    mutating func readCaveat() throws(MacaroonError) -> [UInt8] {
        let location = try readPacket(ifType: PacketType.location)
        guard let caveat = try readPacket(ifType: PacketType.identifier) else {
            throw .unexpectedPacket
        }
        guard try readPacket(ifType: PacketType.verificationID) == nil else {
            throw .thirdPartyCaveat
        }
        guard location == nil else { throw .unexpectedPacket }
        try readEndOfSection()
        return caveat
    }

    mutating func readEndOfSection() throws(MacaroonError) {
        guard try skipEndOfSection() else { throw .unexpectedPacket }
    }

    mutating func skipEndOfSection() throws(MacaroonError) -> Bool {
        guard let next = rest.first else { throw .truncated }
        guard next == endOfSection else { return false }
        rest = rest.dropFirst()
        return true
    }
}
