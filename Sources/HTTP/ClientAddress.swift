/// Who sends a request, as far as free requests and unpaid invoices are counted: an IPv4 address,
/// or the /64 of an IPv6 one, of which one subscriber has many.
package struct ClientAddress: Sendable, Equatable {
    /// 4 bytes of IPv4, or the first 8 of IPv6.
    package let client: [UInt8]
    /// The wider network: 2 bytes of IPv4, or the first 4 of IPv6.
    package let network: [UInt8]

    /// The first 6 bytes of IPv6, of which one subscriber may have all; `nil` for IPv4.
    package let site: [UInt8]?

    /// Reads `REMOTE_ADDR`: IPv4, IPv6, or IPv4 mapped into IPv6, which counts as IPv4.
    package init?(_ text: [UInt8]) {
        let address = Array(text.prefix { $0 != UInt8(ascii: "%") })  // a zone is no part of it
        if let four = Self.ipv4(address[...]) {
            client = four
            network = Array(four.prefix(2))
            site = nil
            return
        }
        guard let sixteen = Self.ipv6(address) else { return nil }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        if sixteen.starts(with: mapped) {
            client = Array(sixteen.suffix(4))
            network = Array(client.prefix(2))
            site = nil
        } else {
            client = Array(sixteen.prefix(8))
            network = Array(sixteen.prefix(4))
            site = Array(sixteen.prefix(6))
        }
    }

    /// Four numbers of one to three digits with dots between.
    private static func ipv4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count <= 15 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4)
        var number = 0
        var digits = 0
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, bytes.count < 3 else { return nil }
                bytes.append(UInt8(number))
                number = 0
                digits = 0
            } else {
                guard (0x30...0x39).contains(byte), digits < 3 else { return nil }
                number = number * 10 + Int(byte - 0x30)
                guard number <= 255 else { return nil }
                digits += 1
            }
        }
        guard digits > 0, bytes.count == 3 else { return nil }
        bytes.append(UInt8(number))
        return bytes
    }

    /// RFC 4291 section 2.2: groups of hex digits, one `::`, an IPv4 tail.
    static func ipv6(_ text: [UInt8]) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        guard text.count <= 45, text.contains(colon) else { return nil }
        var head: [UInt8] = []
        var tail: [UInt8] = []
        var hasGap = false
        var rest = text[...]
        if rest.starts(with: "::".utf8) {
            hasGap = true
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != colon }
            rest = rest.dropFirst(group.count)
            let bytes: [UInt8]
            if rest.isEmpty, let four = ipv4(group) {
                bytes = four
            } else {
                guard (1...4).contains(group.count),
                    let value = UInt16(String(decoding: group, as: UTF8.self), radix: 16)
                else { return nil }
                bytes = [UInt8(value >> 8), UInt8(value & 0xff)]
            }
            if hasGap { tail += bytes } else { head += bytes }
            guard rest.popFirst() != nil else { break }
            if rest.first == colon {
                guard !hasGap else { return nil }
                hasGap = true
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let missing = 16 - head.count - tail.count
        guard hasGap ? missing >= 2 : missing == 0 else { return nil }
        return head + [UInt8](repeating: 0, count: missing) + tail
    }
}
