import L402
import Lightning
import Text

/// Reads the text of a payment's file, of this release or an older one.
enum PaymentFileReader {
    /// What a file says.
    struct Content {
        var terms: PurchaseTerms
        var paymentHash: PaymentHash
        var price: Millisatoshis
        var opened: String
        var ends: UInt64
        var used: UInt64
        var isRevoked: Bool
        var failures: PaymentFile.Failures
        var change: UInt64
        var layout: PaymentFile.Layout
    }

    private typealias Layout = PaymentFile.Layout

    /// `nil` for anything that no release would have written.
    static func read(_ bytes: [UInt8]) -> Content? {
        if bytes.starts(with: Layout.magic.utf8) { return current(bytes) }
        return bytes.starts(with: Layout.olderMagic.utf8) ? older(bytes) : nil
    }

    private static func current(_ bytes: [UInt8]) -> Content? {
        var lines = Lines(rest: bytes[...])
        let usedAt = Layout.magic.utf8.count
        let changeAt = usedAt + 10 + " change ".utf8.count
        guard let first = lines.next(), first.count == changeAt + 10,
            let used = Digits.number(first[usedAt..<usedAt + 10]),
            first[(usedAt + 10)..<changeAt].elementsEqual(" change ".utf8),
            let change = Digits.number(first[changeAt...]),
            let hash = lines.value("payment_hash ").flatMap({ PaymentHash(hex: $0) }),
            let failed = lines.value("failed "), failed.count == Layout.sinceOffset + 10,
            let failures = Digits.number(failed.prefix(2)),
            failed.dropFirst(2).prefix(7).elementsEqual(" since ".utf8),
            let since = Digits.number(failed.suffix(10)),
            let state = lines.value("state "), let isRevoked = Self.isRevoked(state),
            let service = lines.value("service "), let site = lines.value("site "),
            let address = Self.address(&lines),
            let tier = lines.value("tier ").flatMap(Digits.number).flatMap({ UInt8(exactly: $0) }),
            let uses = lines.value("uses ").flatMap(Self.uses),
            let until = lines.value("valid_until ").flatMap(Self.moment),
            let valid = lines.value("valid_seconds "),
            let price = lines.value("price_msat ").flatMap(Digits.number),
            let opened = lines.value("opened "),
            let ends = lines.value("ends ").flatMap(Self.moment),
            lines.value("addresses")?.isEmpty == true
        else { return nil }
        let validSeconds = Digits.number(valid)
        guard validSeconds != nil || valid.elementsEqual("-".utf8), !site.isEmpty else {
            return nil
        }
        let firstAddress = lines.rest.startIndex
        let addresses = Layout.addressCount(uses)
        for _ in 0..<addresses {
            guard let line = lines.next(), line.count == Layout.emptyAddress.count - 1 else {
                return nil
            }
        }
        guard lines.value("recent")?.isEmpty == true else { return nil }
        let layout = Layout(
            used: usedAt,
            change: changeAt,
            state: state.startIndex,
            failed: failed.startIndex,
            firstAddress: firstAddress,
            firstPlace: lines.rest.startIndex,
            addresses: addresses,
            places: Layout.placeCount(uses)
        )
        guard hasPlaces(lines.rest, layout) else { return nil }
        return Content(
            terms: PurchaseTerms(
                service: String(decoding: service, as: UTF8.self),
                site: site.elementsEqual("-".utf8) ? nil : String(decoding: site, as: UTF8.self),
                tier: tier,
                address: address,
                validUntil: until,
                validSeconds: validSeconds,
                uses: uses,
                priceSats: price / 1000
            ),
            paymentHash: hash,
            price: Millisatoshis(msat: price),
            opened: String(decoding: opened, as: UTF8.self),
            ends: ends,
            used: used,
            isRevoked: isRevoked,
            failures: PaymentFile.Failures(count: failures, since: since),
            change: change,
            layout: layout
        )
    }

    private static func older(_ bytes: [UInt8]) -> Content? {
        var lines = Lines(rest: bytes[...])
        let usedAt = Layout.olderMagic.utf8.count
        guard let first = lines.next(), first.count == usedAt + 10,
            let used = Digits.number(first[usedAt...]),
            let hash = lines.value("payment_hash ").flatMap({ PaymentHash(hex: $0) }),
            let service = lines.value("service "),
            let tier = lines.value("tier ").flatMap(Digits.number).flatMap({ UInt8(exactly: $0) }),
            let uses = lines.value("uses ").flatMap(Self.uses),
            let until = lines.value("valid_until ").flatMap(Self.moment),
            let price = lines.value("price_msat ").flatMap(Digits.number),
            let opened = lines.value("opened "),
            let state = lines.value("state "), let isRevoked = Self.isRevoked(state),
            lines.value("recent")?.isEmpty == true
        else { return nil }
        let layout = Layout(
            used: usedAt,
            change: usedAt,
            state: state.startIndex,
            failed: nil,
            firstAddress: 0,
            firstPlace: lines.rest.startIndex,
            addresses: 0,
            places: Layout.placeCount(uses)
        )
        guard hasPlaces(lines.rest, layout) else { return nil }
        return Content(
            terms: PurchaseTerms(
                service: String(decoding: service, as: UTF8.self),
                tier: tier,
                validUntil: until,
                uses: uses,
                priceSats: price / 1000
            ),
            paymentHash: hash,
            price: Millisatoshis(msat: price),
            opened: String(decoding: opened, as: UTF8.self),
            ends: until,
            used: used,
            isRevoked: isRevoked,
            failures: PaymentFile.Failures(),
            change: .max,
            layout: layout
        )
    }

    /// The line of the one address that was bought, which whole services do not have. Inside the
    /// outer optional, which is `nil` for a line that no release would have written.
    private static func address(_ lines: inout Lines) -> BoughtAddress?? {
        for name in [BoughtAddress.textName, BoughtAddress.digestName]
        where lines.rest.starts(with: "\(name) ".utf8) {
            let value = (lines.next() ?? []).dropFirst(name.utf8.count + 1)
            return BoughtAddress(name: name, value: value).map { .some($0) }
        }
        return .some(nil)
    }

    private static func hasPlaces(_ rest: ArraySlice<UInt8>, _ layout: Layout) -> Bool {
        let bytes = layout.placeBytes
        return rest.count == layout.places * bytes
            && (0..<layout.places).allSatisfy { rest[layout.place($0) + bytes - 1] == 0x0a }
    }

    private static func isRevoked(_ state: ArraySlice<UInt8>) -> Bool? {
        if state.elementsEqual("active  ".utf8) { return false }
        return state.elementsEqual("revoked ".utf8) ? true : nil
    }

    /// Inside the outer optional: `nil` for unlimited.
    private static func uses(_ text: ArraySlice<UInt8>) -> UInt64?? {
        if let number = Digits.number(text) { return .some(number) }
        return text.elementsEqual("unlimited".utf8) ? .some(nil) : nil
    }

    /// Seconds, and behind a blank the same for people.
    private static func moment(_ text: ArraySlice<UInt8>) -> UInt64? {
        text.split(separator: 0x20).first.flatMap(Digits.number)
    }
}

/// The lines of a file, from the first on. Bytes and not text: a redemption reads one file, and
/// has microseconds for it.
private struct Lines {
    var rest: ArraySlice<UInt8>

    /// The next line without its end; `nil` when there is no whole one.
    mutating func next() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: 0x0a) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    /// What stands behind `name` on the next line.
    mutating func value(_ name: StaticString) -> ArraySlice<UInt8>? {
        guard let line = next(), line.count >= name.utf8CodeUnitCount else { return nil }
        let isNamed = name.withUTF8Buffer { unsafe line.starts(with: $0) }
        return isNamed ? line.dropFirst(name.utf8CodeUnitCount) : nil
    }
}
