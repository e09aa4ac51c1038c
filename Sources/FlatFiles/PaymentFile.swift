import Crypto
import L402
import Lightning
import Store
import Text

/// The text of one payment's file.
///
///     l402-payment 2 used 0000000003 change 0000000005   ; in the first 512 bytes
///     payment_hash 3f97…
///     failed 00 since 0000000000              ; returns for failed goods, and when their hour began
///     state active                            ; or revoked, padded to 8
///     service dvm
///     site -                                  ; or the site's name
///     path /articles/a                        ; or path_sha256; no such line for a whole service
///     tier 0
///     uses 10                                 ; or unlimited
///     valid_until 1793232000 2026-10-28T…Z    ; the longest end, as tokens say it
///     valid_seconds 3600                      ; or - for what an older release sold
///     price_msat 21000
///     opened 2026-10-28T…Z
///     ends 1793232000 2026-10-28T…Z           ; reckoned from the first redemption
///     addresses                               ; deliveries: address, change, time, repeats
///     ---------------- 0000000000 0000000000 00
///     recent                                  ; the last requests that took a use, and the change
///     0123456789abcdef 0000000005             ; 16 hex digits of a hash of a request's id
///     ---------------- 0000000000             ; a free place
///
/// An unlimited payment has neither addresses nor requests. Files of `l402-payment 1`, which an
/// older release wrote, have no changes, failures, sites and addresses; they are read and taken
/// from as they stand. So are files of `l402-payment 2` without a path, which is all that releases
/// wrote that sold no single paths: these find a file with a path damaged, and serve nothing for it.
///
/// The file never grows: whatever a request changes is written with one call. It is less than one
/// page, so that no other process sees half of a write. A power cut can leave some sectors old and
/// others new: the counter is in the first one with the number of the change that wrote it, and a
/// request or an address with a later number is none, so that nothing is served uncounted.
struct PaymentFile {
    /// What was sold, as minted.
    let terms: PurchaseTerms
    /// Which payment.
    let paymentHash: PaymentHash
    let price: Millisatoshis
    let opened: String
    /// When it ends: reckoned at the first redemption.
    let ends: UInt64
    /// The whole text; changes are made in place.
    private(set) var text: [UInt8]
    /// Uses taken and not returned.
    private(set) var used: UInt64
    private(set) var isRevoked: Bool
    private(set) var failures: Failures
    private var change: UInt64
    private let layout: Layout

    static let limitBytes = 4096

    /// Returns for failed goods within an hour.
    struct Failures: Equatable {
        var count: UInt64 = 0
        var since: UInt64 = 0
        private static let hourSeconds: UInt64 = 3600

        /// An hour that begins in the future is over.
        private func isOpen(now: UInt64) -> Bool {
            since <= now && now - since < Self.hourSeconds
        }

        func areTooMany(now: UInt64) -> Bool {
            isOpen(now: now) && count >= UInt64(ReturnCause.maximumFailures)
        }

        mutating func add(now: UInt64) {
            if !isOpen(now: now) { self = Failures(count: 0, since: now) }
            count = min(count + 1, 99)
        }
    }

    /// A payment whose first use is taken; `nil` when its text could not be read back.
    static func opening(_ claim: PaymentClaim, now: UInt64) -> PaymentFile? {
        let terms = claim.terms
        let places = Layout.placeCount(terms.uses)
        let ends = terms.end(openedAt: now)
        var text = "\(Layout.magic)\(digits(1)) change \(digits(0))"
        text += "\npayment_hash \(claim.paymentHash.hex)\nfailed 00 since \(digits(0))"
        text += "\nstate active  \nservice \(terms.service)\nsite \(terms.site ?? "-")"
        if let address = terms.address { text += "\n\(address.name) \(address.value)" }
        text += "\ntier \(terms.tier)\nuses \(terms.usesText)"
        text += "\nvalid_until \(terms.validUntil) \(CalendarText.time(terms.validUntil))"
        text += "\nvalid_seconds \(terms.validSeconds.map(String.init) ?? "-")"
        text += "\nprice_msat \(claim.price.msat)\nopened \(CalendarText.time(now))"
        text += "\nends \(ends) \(CalendarText.time(ends))\naddresses\n"
        var bytes = Array(text.utf8)
        for _ in 0..<Layout.addressCount(terms.uses) { bytes += Layout.emptyAddress }
        bytes += "recent\n".utf8
        for _ in 0..<places { bytes += Layout.emptyPlace }
        guard bytes.count <= limitBytes, var file = PaymentFile(bytes) else { return nil }
        if places > 0 { file.note(claim, now: now) }
        return file
    }

    /// The part of the text that holds what the operator may change.
    var head: ArraySlice<UInt8> { text[..<(layout.state + 9)] }

    /// Reads a file; `nil` for anything that this code, or that of an older release, would not have
    /// written.
    init?(_ bytes: [UInt8]) {
        guard let read = PaymentFileReader.read(bytes) else { return nil }
        text = bytes
        terms = read.terms
        paymentHash = read.paymentHash
        price = read.price
        opened = read.opened
        ends = read.ends
        used = read.used
        isRevoked = read.isRevoked
        failures = read.failures
        change = read.change
        layout = read.layout
    }

    // MARK: - Requests

    /// Takes a use for a request, and notes the delivery that it begins.
    mutating func take(_ claim: PaymentClaim, now: UInt64) {
        used += 1
        note(claim, now: now)
    }

    /// Whether this request took a use that it still has.
    func knows(_ requestID: String) -> Bool {
        !requestID.isEmpty && find(Self.name(requestID)) != nil
    }

    /// Returns the use that a request took; false when it took none or has it back already.
    mutating func giveBack(requestID: String, _ cause: ReturnCause, now: UInt64) -> Bool {
        guard !requestID.isEmpty, used > 0, let place = find(Self.name(requestID)) else {
            return false
        }
        forget(place)
        used -= 1
        if cause == .failure { failures.add(now: now) }
        writeHead()
        return true
    }

    private mutating func note(_ claim: PaymentClaim, now: UInt64) {
        // In files of an older release nothing has a number.
        if layout.failed != nil { change = min(change, Layout.maximumNumber - 1) + 1 }
        writeHead()
        if layout.places > 0, !claim.requestID.isEmpty {
            // The one that is free, or else the oldest.
            let place = find(Layout.noName) ?? oldest(layout.places, changeOfPlace)
            setPlace(place, Self.name(claim.requestID), change)
        }
        guard let delivery = claim.delivery,
            delivery.graceSeconds > 0 || delivery.reloadSeconds > 0,
            let address = Self.name(delivery), layout.addresses > 0
        else { return }
        let free = (0..<layout.addresses).first { holds(layout.address($0), Layout.noName) }
        setAddress(
            free ?? oldest(layout.addresses, changeOfAddress),
            address + Self.field(change) + Self.field(now) + Array(" 00".utf8)
        )
    }

    // MARK: - Deliveries

    /// Counts a further request of a delivery that took its use before; false when it belongs to
    /// none, or to one that is over.
    mutating func repeatDelivery(_ delivery: DeliveryKey, now: UInt64) -> Bool {
        guard let (place, repeats) = place(of: delivery, now: now) else { return false }
        let number = Array(Digits.padded(repeats, 2).utf8)
        let start = layout.address(place) + Layout.repeatsOffset
        text.replaceSubrange(start..<start + 2, with: number)
        return true
    }

    /// Whether a request belongs to a delivery that took its use before.
    func covers(_ delivery: DeliveryKey, now: UInt64) -> Bool {
        place(of: delivery, now: now) != nil
    }

    /// Where the delivery stands, and how often it will have been repeated with this request.
    private func place(of delivery: DeliveryKey, now: UInt64) -> (place: Int, repeats: UInt64)? {
        guard delivery.mayRepeat || delivery.reloadSeconds > 0, let address = Self.name(delivery)
        else { return nil }
        for place in 0..<layout.addresses
        where holds(layout.address(place), address) && changeOfAddress(place) <= change {
            // One that begins in the future is over.
            if let begun = number(layout.address(place) + Layout.timeOffset, 10), begun <= now,
                let repeats = number(layout.address(place) + Layout.repeatsOffset, 2),
                let weight = delivery.weight(age: now - begun, repeats: repeats)
            {
                return (place, repeats + weight)
            }
        }
        return nil
    }

    // MARK: - The operator

    /// Returns one use by the operator's word. Requests that could return uses themselves are
    /// forgotten where they would be more than the uses left to return.
    mutating func refund() {
        guard terms.uses != nil, used > 0, !isRevoked else { return }
        used -= 1
        var kept: UInt64 = 0
        for place in 0..<layout.places where !holds(layout.place(place), Layout.noName) {
            if kept == used { forget(place) } else { kept += 1 }
        }
        writeHead()
    }

    /// Ends the payment by the operator's word.
    mutating func revoke() {
        isRevoked = true
        text.replaceSubrange(layout.state..<layout.state + 8, with: Array("revoked ".utf8))
    }

    // MARK: - The text

    private mutating func writeHead() {
        put(used, at: layout.used, 10)
        guard let failed = layout.failed else { return }
        put(change, at: layout.change, 10)
        put(failures.count, at: failed, 2)
        put(failures.since, at: failed + Layout.sinceOffset, 10)
    }

    private mutating func put(_ number: UInt64, at offset: Int, _ width: Int) {
        let digits = Array(Digits.padded(min(number, Layout.maximumNumber), width).utf8)
        text.replaceSubrange(offset..<offset + width, with: digits)
    }

    /// Frees the place of a request, and what it noted of a delivery: goods that were not delivered
    /// have no further ranges.
    private mutating func forget(_ place: Int) {
        let taken = changeOfPlace(place)
        setPlace(place, Layout.noName, 0)
        guard taken > 0 else { return }
        for address in 0..<layout.addresses where changeOfAddress(address) == taken {
            setAddress(address, Layout.emptyAddress.dropLast())
        }
    }

    private mutating func setPlace(_ place: Int, _ name: [UInt8], _ change: UInt64) {
        let start = layout.place(place)
        let bytes = layout.failed == nil ? name : name + Self.field(change)
        text.replaceSubrange(start..<start + bytes.count, with: bytes)
    }

    private mutating func setAddress(_ address: Int, _ bytes: [UInt8]) {
        let start = layout.address(address)
        text.replaceSubrange(start..<start + bytes.count, with: bytes)
    }

    private func find(_ name: [UInt8]) -> Int? {
        (0..<layout.places).first {
            holds(layout.place($0), name) && changeOfPlace($0) <= change
        }
    }

    private func holds(_ start: Int, _ name: [UInt8]) -> Bool {
        // The first byte tells most of them apart.
        text[start] == name[0] && text[start..<start + name.count].elementsEqual(name)
    }

    private func oldest(_ count: Int, _ change: (Int) -> UInt64) -> Int {
        (0..<count).min { change($0) < change($1) } ?? 0
    }

    /// Older files have no numbers there; their places go round.
    private func changeOfPlace(_ place: Int) -> UInt64 {
        guard layout.failed != nil else {
            return UInt64(place) == used % UInt64(max(1, layout.places)) ? 0 : 1
        }
        return number(layout.place(place) + 17, 10) ?? .max
    }

    private func changeOfAddress(_ address: Int) -> UInt64 {
        number(layout.address(address) + 17, 10) ?? .max
    }

    private func number(_ offset: Int, _ width: Int) -> UInt64? {
        Digits.number(text[offset..<offset + width])
    }

    private static func digits(_ number: UInt64) -> String { Digits.padded(number, 10) }

    private static func field(_ number: UInt64) -> [UInt8] {
        Array(" \(digits(min(number, Layout.maximumNumber)))".utf8)
    }

    /// Request ids are not kept as they are: a hash of fixed width is enough to know one again.
    private static func name(_ requestID: String) -> [UInt8] {
        let digest = Array(SHA256.hash(data: Array(requestID.utf8)))
        return Hex.encodeASCII(digest[..<8])
    }

    private static func name(_ delivery: DeliveryKey) -> [UInt8]? {
        delivery.address.count == 8 ? Hex.encodeASCII(delivery.address[...]) : nil
    }
}
