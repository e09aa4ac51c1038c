import Crypto
import L402
import Lightning
import Paywall

/// The text of one payment's file.
///
///     l402-payment 1 used 0000000003          ; a fixed place in the first 512 bytes
///     payment_hash 3f97…
///     service dvm
///     tier 0
///     uses 10                                 ; or unlimited
///     valid_until 1793232000 2026-10-28T…Z
///     price_msat 21000
///     opened 2026-10-28T…Z
///     state active                            ; or revoked, padded to 8
///     recent                                  ; the last requests that took a use
///     0123456789abcdef                        ; 16 hex digits of a hash of a request's id
///     ----------------                        ; a free place
///
/// The file never grows: a take writes the counter and one place of `recent`, a return clears
/// that place and writes the counter. It is less than one page, so that no other process sees half
/// of a write, and the counter is in its first sector, so that a power cut leaves the old one or
/// the new.
struct PaymentFile {
    /// What was sold.
    let paymentHash: PaymentHash
    let service: String
    let tier: UInt8
    /// `nil` for unlimited.
    let uses: UInt64?
    let validUntil: UInt64
    let price: Millisatoshis
    let opened: String
    /// The whole text; changes are made in place.
    private(set) var text: [UInt8]
    /// Uses taken and not returned.
    private(set) var used: UInt64
    private(set) var isRevoked: Bool
    private let stateOffset: Int
    private let recentOffset: Int

    private static let magic = Array("l402-payment 1 used ".utf8)
    private static let counterDigits = 10
    private static let active = Array("active  ".utf8)
    private static let revoked = Array("revoked ".utf8)
    private static let emptyPlace = Array("----------------\n".utf8)
    private static let placeBytes = 17
    /// Requests on one token that can be on their way to failing goods at once.
    private static let maximumPlaces: UInt64 = 64
    static let limitBytes = 4096

    /// The text of a payment whose first use is taken; ``init(_:)`` reads it.
    static func text(opening claim: PaymentClaim, now: UInt64) -> [UInt8] {
        var text = String(decoding: magic, as: UTF8.self) + CalendarText.padded(1, counterDigits)
        text += "\npayment_hash \(claim.paymentHash.hex)\nservice \(claim.terms.service)"
        text +=
            "\ntier \(claim.terms.tier)\nuses \(claim.terms.uses.map(String.init) ?? "unlimited")"
        text +=
            "\nvalid_until \(claim.terms.validUntil) \(CalendarText.time(claim.terms.validUntil))"
        text += "\nprice_msat \(claim.price.msat)\nopened \(CalendarText.time(now))\nstate "
        let places = placeCount(claim.terms.uses)
        var bytes = Array(text.utf8) + active + Array("\nrecent\n".utf8)
        if places > 0 { bytes += place(claim.requestID) }
        for _ in 0..<max(0, places - 1) { bytes += emptyPlace }
        return bytes
    }

    /// Reads a file; `nil` for anything that this code would not have written.
    init?(_ bytes: [UInt8]) {
        var lines = Lines(rest: bytes[...])
        guard let first = lines.next(), first.count == Self.magic.count + Self.counterDigits,
            first.starts(with: Self.magic),
            let used = Digits.number(first.dropFirst(Self.magic.count)),
            let hash = lines.value("payment_hash ").flatMap({ PaymentHash(hex: $0) }),
            let service = lines.value("service "),
            let tier = lines.value("tier ").flatMap(Digits.number), let tier = UInt8(exactly: tier),
            let usesText = lines.value("uses "), let untilText = lines.value("valid_until "),
            let until = untilText.split(separator: 0x20).first.flatMap(Digits.number),
            let price = lines.value("price_msat ").flatMap(Digits.number),
            let opened = lines.value("opened "),
            let state = lines.value("state "),
            state.elementsEqual(Self.active) || state.elementsEqual(Self.revoked),
            lines.value("recent")?.isEmpty == true
        else { return nil }
        uses = Digits.number(usesText)
        guard uses != nil || usesText.elementsEqual("unlimited".utf8) else { return nil }
        text = bytes
        paymentHash = hash
        self.service = String(decoding: service, as: UTF8.self)
        self.tier = tier
        validUntil = until
        self.price = Millisatoshis(msat: price)
        self.opened = String(decoding: opened, as: UTF8.self)
        self.used = used
        isRevoked = state.elementsEqual(Self.revoked)
        stateOffset = state.startIndex
        recentOffset = lines.rest.startIndex
        let places = Self.placeCount(uses)
        guard lines.rest.count == places * Self.placeBytes,
            (0..<places).allSatisfy({
                bytes[recentOffset + ($0 + 1) * Self.placeBytes - 1] == 0x0a
            })
        else { return nil }
    }

    /// Takes a use for a request, in the next place after the last one used.
    mutating func take(requestID: String) {
        count(used + 1)
        guard placeCount > 0, !requestID.isEmpty else { return }
        let oldest = Int(truncatingIfNeeded: used % UInt64(placeCount))
        setPlace(find(Self.emptyPlace) ?? oldest, Self.place(requestID))
    }

    /// Returns the use that a request took; false when it took none or has it back already.
    mutating func giveBack(requestID: String) -> Bool {
        guard !requestID.isEmpty, used > 0, let taken = find(Self.place(requestID))
        else { return false }
        setPlace(taken, Self.emptyPlace)
        count(used - 1)
        return true
    }

    /// Returns one use by the operator's word. Requests that could return uses themselves are
    /// forgotten where they would be more than the uses left to return.
    mutating func refund() {
        guard uses != nil, used > 0, !isRevoked else { return }
        count(used - 1)
        var kept: UInt64 = 0
        for index in 0..<placeCount where !holds(index, Self.emptyPlace) {
            if kept == used { setPlace(index, Self.emptyPlace) } else { kept += 1 }
        }
    }

    /// Ends the payment by the operator's word.
    mutating func revoke() {
        isRevoked = true
        text.replaceSubrange(stateOffset..<stateOffset + Self.revoked.count, with: Self.revoked)
    }

    private mutating func count(_ number: UInt64) {
        used = number
        let digits = Array(CalendarText.padded(number, Self.counterDigits).utf8)
        text.replaceSubrange(Self.magic.count..<Self.magic.count + digits.count, with: digits)
    }

    private static func placeCount(_ uses: UInt64?) -> Int {
        uses.map { Int(min($0, maximumPlaces)) } ?? 0
    }

    private var placeCount: Int { Self.placeCount(uses) }

    private func holds(_ index: Int, _ place: [UInt8]) -> Bool {
        let start = recentOffset + index * Self.placeBytes
        // The first byte tells most of them apart.
        return text[start] == place[0]
            && text[start..<start + Self.placeBytes].elementsEqual(place)
    }

    private func find(_ place: [UInt8]) -> Int? {
        (0..<placeCount).first { holds($0, place) }
    }

    private mutating func setPlace(_ index: Int, _ place: [UInt8]) {
        let start = recentOffset + index * Self.placeBytes
        text.replaceSubrange(start..<start + Self.placeBytes, with: place)
    }

    /// Request ids are not kept as they are: a hash of fixed width is enough to know one again.
    private static func place(_ requestID: String) -> [UInt8] {
        if requestID.isEmpty { return emptyPlace }
        let digest = Array(SHA256.hash(data: Array(requestID.utf8)))
        return Hex.encodeASCII(digest[..<8]) + [0x0a]
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
        let isNamed = name.withUTF8Buffer { line.starts(with: $0) }
        return isNamed ? line.dropFirst(name.utf8CodeUnitCount) : nil
    }
}

/// Decimal digits as bytes.
enum Digits {
    /// The number they stand for; `nil` for none, for another character, and beyond 64 bits.
    static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tens, overflowed) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(digit - 0x30))
            guard !overflowed, !overflows else { return nil }
            number = sum
        }
        return number
    }
}
