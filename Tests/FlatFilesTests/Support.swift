import Glibc
import L402
import Lightning
import POSIX
import Store
import Testing
import Text

@testable import FlatFiles

/// Saturday 2026-11-21, 12:00:00 UTC.
let noon: UInt64 = 1_795_262_400

/// A state directory that goes away with the test.
final class TemporaryState: Sendable {
    let path: String

    init(in parent: String? = nil) throws {
        let parent = parent ?? (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
        var template = Array("\(parent)/l402-test-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { removeTree(path) }

    func open() throws -> StateDirectory { try StateDirectory(opening: path) }

    func read(_ name: String) throws -> [UInt8] { try bytes(of: "\(path)/\(name)") }

    /// Puts a file in the place of another, or makes one.
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws {
        let file = "\(path)/\(name)"
        unlink(file)
        let descriptor = try Descriptor(file, O_WRONLY | O_CREAT | O_EXCL)
        try descriptor.write(bytes, at: 0)
        chmod(file, mode)
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        try write(name, Array(text.utf8), mode: mode)
    }

    func names(_ room: String) -> [String] { Directory.names(in: "\(path)/\(room)").sorted() }

    func exists(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    /// As if it had last been written so many seconds ago.
    func age(_ name: String, seconds: Int) {
        var times = [timespec](
            repeating: timespec(tv_sec: time(nil) - seconds, tv_nsec: 0),
            count: 2
        )
        utimensat(AT_FDCWD, "\(path)/\(name)", &times, 0)
    }
}

func bytes(of file: String) throws -> [UInt8] {
    let descriptor = try Descriptor(file, O_RDONLY)
    return try descriptor.read(at: 0, count: descriptor.size)
}

func removeTree(_ path: String) {
    for name in Directory.names(in: path) {
        let entry = "\(path)/\(name)"
        if unlink(entry) != 0 { removeTree(entry) }
    }
    rmdir(path)
}

/// A hash that a number stands for; the one that the driver uses for it too.
func paymentHash(_ value: UInt64) throws -> PaymentHash {
    let bytes = (0..<32).map { UInt8(truncatingIfNeeded: value >> UInt64($0 % 8 * 8)) }
    return try #require(PaymentHash(bytes: bytes))
}

func paymentClaim(
    _ number: UInt64 = 7,
    uses: UInt64? = 1,
    cap: UInt64? = nil,
    validUntil: UInt64 = noon + 3600,
    validSeconds: UInt64? = nil,
    service: String = "dvm",
    site: String? = nil,
    priceSats: UInt64 = 21,
    request: String = "",
    delivery: DeliveryKey? = nil
) throws -> PaymentClaim {
    PaymentClaim(
        paymentHash: try paymentHash(number),
        terms: PurchaseTerms(
            service: service,
            site: site,
            tier: 0,
            validUntil: validUntil,
            validSeconds: validSeconds,
            uses: uses,
            priceSats: priceSats
        ),
        cap: cap,
        requestID: request,
        delivery: delivery
    )
}

/// Where the file of a claim is, below the state directory.
func paymentPath(_ claim: PaymentClaim) -> String {
    "payments/\(CalendarText.date(claim.terms.validUntil))/\(claim.paymentHash.hex)"
}

func freeClaim(
    _ client: UInt64,
    limit: UInt32 = 1,
    _ period: FreePeriod = .day,
    rule: [UInt8] = [1],
    network: [UInt8] = [10, 0],
    request: String = ""
) -> FreeClaim {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: client >> UInt64($0 * 8)) }
    return FreeClaim(
        rule: rule,
        client: bytes,
        network: network,
        limit: limit,
        period: period,
        requestID: request
    )
}
