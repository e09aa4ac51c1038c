import Glibc
import L402
import Lightning
import POSIX
import Store
import TestTools
import Testing
import Text

@testable import FlatFiles

/// A state directory that goes away with the test.
final class TemporaryState: Sendable {
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    init(in parent: String? = nil) throws { directory = try TemporaryDirectory(in: parent) }

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

/// Where the file of a claim is, below the state directory.
func paymentPath(_ claim: PaymentClaim) -> String {
    "payments/\(CalendarText.date(claim.terms.validUntil))/\(claim.paymentHash.hex)"
}
