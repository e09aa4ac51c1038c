import Crypto
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
    /// Uses taken and not returned.
    var used: UInt64
    var isRevoked: Bool
    /// Places for requests that took a use, each 16 bytes and a newline.
    var recent: [UInt8]

    private static let magic = "l402-payment 1 used "
    private static let headEnd = Array("\nrecent\n".utf8)
    private static let emptyPlace = Array("----------------\n".utf8)
    private static let placeBytes = 17
    /// Requests on one token that can be on their way to failing goods at once.
    private static let maximumPlaces: UInt64 = 64
    static let limitBytes = 4096

    /// The file of a payment whose first use is taken.
    init(opening claim: PaymentClaim, now: UInt64) {
        paymentHash = claim.paymentHash
        service = claim.service
        tier = claim.tier
        uses = claim.uses
        validUntil = claim.validUntil
        price = claim.price
        opened = CalendarText.time(now)
        isRevoked = false
        used = 1
        let places = claim.uses.map { Int(min($0, Self.maximumPlaces)) } ?? 0
        recent = Array(repeatElement(Self.emptyPlace, count: places).joined())
        if places > 0 { setPlace(0, Self.place(claim.requestID)) }
    }

    /// Reads a file back; `nil` for anything that this code would not have written.
    init?(_ bytes: [UInt8]) {
        guard let head = bytes.firstRange(of: Self.headEnd) else { return nil }
        let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 9, let first = lines.first, first.hasPrefix(Self.magic),
            first.utf8.count == Self.magic.utf8.count + 10, let used = UInt64(first.suffix(10))
        else { return nil }
        func value(_ index: Int, _ name: String) -> Substring? {
            lines[index].hasPrefix(name + " ") ? lines[index].dropFirst(name.count + 1) : nil
        }
        guard let hash = value(1, "payment_hash").flatMap({ PaymentHash(hex: $0) }),
            let service = value(2, "service"), let tier = value(3, "tier").flatMap({ UInt8($0) }),
            let usesText = value(4, "uses"), usesText == "unlimited" || UInt64(usesText) != nil,
            let until = value(5, "valid_until")?.split(separator: " ").first.flatMap({ UInt64($0) }
            ),
            let price = value(6, "price_msat").flatMap({ UInt64($0) }),
            let opened = value(7, "opened"),
            let state = value(8, "state"), state == "active  " || state == "revoked "
        else { return nil }
        paymentHash = hash
        self.service = String(service)
        self.tier = tier
        uses = UInt64(usesText)
        validUntil = until
        self.price = Millisatoshis(msat: price)
        self.opened = String(opened)
        self.used = used
        isRevoked = state == "revoked "
        recent = Array(bytes[head.upperBound...])
        let places = uses.map { Int(min($0, Self.maximumPlaces)) } ?? 0
        guard recent.count == places * Self.placeBytes,
            (0..<places).allSatisfy({ recent[($0 + 1) * Self.placeBytes - 1] == 0x0a })
        else { return nil }
    }

    /// The whole text.
    var text: [UInt8] {
        var text = Self.magic + CalendarText.padded(used, 10)
        text += "\npayment_hash \(paymentHash.hex)\nservice \(service)\ntier \(tier)\nuses "
        text += uses.map(String.init) ?? "unlimited"
        text +=
            "\nvalid_until \(validUntil) \(CalendarText.time(validUntil))\nprice_msat \(price.msat)"
        text += "\nopened \(opened)\nstate \(isRevoked ? "revoked " : "active  ")\nrecent\n"
        return Array(text.utf8) + recent
    }

    /// Takes a use for a request, in the next place after the last one used.
    mutating func take(requestID: String) {
        used += 1
        guard placeCount > 0, !requestID.isEmpty else { return }
        let oldest = Int(truncatingIfNeeded: used % UInt64(placeCount))
        setPlace(find(Self.emptyPlace) ?? oldest, Self.place(requestID))
    }

    /// Returns the use that a request took; false when it took none or has it back already.
    mutating func giveBack(requestID: String) -> Bool {
        guard !requestID.isEmpty, used > 0, let taken = find(Self.place(requestID))
        else { return false }
        setPlace(taken, Self.emptyPlace)
        used -= 1
        return true
    }

    /// Returns one use by the operator's word. Requests that could return uses themselves are
    /// forgotten where they would be more than the uses left to return.
    mutating func refund() {
        guard uses != nil, used > 0, !isRevoked else { return }
        used -= 1
        var kept: UInt64 = 0
        for index in 0..<placeCount where !holds(index, Self.emptyPlace) {
            if kept == used { setPlace(index, Self.emptyPlace) } else { kept += 1 }
        }
    }

    private var placeCount: Int { recent.count / Self.placeBytes }

    private func holds(_ index: Int, _ place: [UInt8]) -> Bool {
        let start = index * Self.placeBytes
        return (0..<Self.placeBytes).allSatisfy { recent[start + $0] == place[$0] }
    }

    private func find(_ place: [UInt8]) -> Int? {
        (0..<placeCount).first { holds($0, place) }
    }

    private mutating func setPlace(_ index: Int, _ place: [UInt8]) {
        let start = index * Self.placeBytes
        recent.replaceSubrange(start..<start + Self.placeBytes, with: place)
    }

    /// Request ids are not kept as they are: a hash of fixed width is enough to know one again.
    private static func place(_ requestID: String) -> [UInt8] {
        if requestID.isEmpty { return emptyPlace }
        let digest = SHA256.hash(data: Array(requestID.utf8))
        return Hex.encodeASCII(digest.prefix(8)) + [0x0a]
    }
}
