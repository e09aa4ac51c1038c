import Glibc
import POSIX
import Store
import TestTools
import Testing

@testable import FlatFiles

/// A small file system of its own.
final class SmallDisk {
    let path: String

    init() throws {
        var template = Array("/tmp/l402-disk-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
        let result = mount("tmpfs", path, "tmpfs", 0, "size=256k")
        try #require(result == 0)
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    func setReadOnly(_ isReadOnly: Bool) throws {
        let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        let result = mount("tmpfs", path, "tmpfs", flags, "size=256k")
        try #require(result == 0)
    }

    /// Leaves no byte free.
    func fill() throws {
        let file = try Descriptor("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND)
        while (try? file.append([UInt8](repeating: 1, count: 4096))) != nil {}
    }

    func clear() { unlink("\(path)/filler") }

    /// Whether this process may mount; in a container it often may not.
    static let isPermitted: Bool = (try? SmallDisk()) != nil
}

@Suite(.serialized, .enabled(if: SmallDisk.isPermitted, "needs the right to mount a tmpfs"))
struct DiskTests {
    @Test func `a full disk gives nothing away and loses nothing`() throws {
        let disk = try SmallDisk()
        let state = try StateDirectory(opening: "\(disk.path)/state")
        let payments = Payments(state)
        let free = FreeTier(state)
        let pending = PendingPlaces(state)
        let keys = try KeyFile(state)
        let known = try paymentClaim(1, uses: 9)
        #expect(try payments.open(known, now: noon) == .taken(usesLeft: 8))
        try disk.fill()

        let new = try paymentClaim(2)
        let full = "(ENOSPC)"
        expect(full) { () throws(StateError) in _ = try payments.open(new, now: noon) }
        expect(full) { () throws(StateError) in _ = try free.take(freeClaim(1), now: noon) }
        expect(full) { () throws(StateError) in _ = try keys.rotate(now: noon) }
        expect(full) { () throws(StateError) in
            _ = try pending.reserve(client: [1], limit: 1, expiresAt: noon + 60, now: noon)
        }
        // A payment on record needs no room; should a file system want some, it is refused.
        if let outcome = try? payments.take(known, now: noon) {
            #expect(outcome == .taken(usesLeft: 7))
        }
        #expect(try keys.keys().count == 1)

        disk.clear()
        #expect(try payments.take(new, now: noon) == .unknown)
        #expect(try payments.open(new, now: noon) == .taken(usesLeft: 0))
        #expect(try free.take(freeClaim(1), now: noon).isGranted)
        _ = try keys.rotate(now: noon)
        #expect(try keys.keys().count == 2)
        #expect(StateCheck(path: state.path).check(now: noon) == [])
    }

    @Test func `tables that cannot grow refuse newcomers and go on when there is room`() throws {
        let disk = try SmallDisk()
        let state = try StateDirectory(opening: "\(disk.path)/state")
        let free = FreeTier(state)
        _ = try KeyFile(state)
        #expect(try free.take(freeClaim(0, limit: 5), now: noon).isGranted)
        try disk.fill()
        var granted = 1
        for client: UInt64 in 1..<400 where (try? free.take(freeClaim(client), now: noon)) != nil {
            granted += 1
        }
        #expect(granted < 400)
        #expect(try free.take(freeClaim(0, limit: 5), now: noon).left == 3)
        disk.clear()
        for client: UInt64 in 400..<800 {
            #expect(try free.take(freeClaim(client), now: noon).isGranted)
        }
        #expect(try free.take(freeClaim(0, limit: 5), now: noon).left == 2)
        #expect(StateCheck(path: state.path).check(now: noon) == [])
    }

    @Test func `a read-only disk gives nothing away and keeps saying so`() throws {
        let disk = try SmallDisk()
        let state = try StateDirectory(opening: "\(disk.path)/state")
        let payments = Payments(state)
        let free = FreeTier(state)
        let known = try paymentClaim(1, uses: 9)
        let unlimited = try paymentClaim(3, uses: nil)
        _ = try payments.open(known, now: noon)
        _ = try payments.open(unlimited, now: noon)
        try disk.setReadOnly(true)
        let new = try paymentClaim(2)
        let refused = "(EROFS)"
        for _ in 0..<2 {
            expect(refused) { () throws(StateError) in _ = try payments.open(new, now: noon) }
            expect(refused) { () throws(StateError) in _ = try payments.take(known, now: noon) }
            expect(refused) { () throws(StateError) in
                _ = try free.take(freeClaim(1), now: noon)
            }
        }
        // What is known and takes nothing needs no writing.
        #expect(try payments.take(unlimited, now: noon) == .taken(usesLeft: nil))
        try disk.setReadOnly(false)
        #expect(try payments.take(known, now: noon) == .taken(usesLeft: 7))
        #expect(try payments.open(new, now: noon) == .taken(usesLeft: 0))
        #expect(try free.take(freeClaim(1), now: noon).isGranted)
    }

    /// The error of the body, which must name what the system said.
    private func expect(_ word: String, _ body: () throws(StateError) -> Void) {
        do throws(StateError) {
            try body()
            Issue.record("nothing was refused")
        } catch {
            #expect(error.reason.contains(word))
        }
    }
}

struct DescriptorTests {
    @Test func `without descriptors nothing is given away, and no use is lost by it`() throws {
        let state = try TemporaryState()
        let room = try TemporaryState()
        let driver = try Driver("starve", state, output: "\(room.path)/out")
        #expect(driver.wait() == 0)
        let lines = try driver.lines()
        #expect(lines.count == 24)
        #expect(lines.contains { $0.contains("failed") && $0.contains("(EMFILE)") })
        for spare in 0..<6 {
            func said(_ what: String) -> [String] {
                lines.filter { $0.hasPrefix("\(spare) ") && $0.contains(what) }
            }
            // Served either while they were short or afterwards: exactly once.
            #expect(said("payment taken").count == 1, "\(lines)")
            #expect(said("free true").count == 1, "\(lines)")
            #expect(said("high payment failed").isEmpty && said("high free failed").isEmpty)
        }
    }
}
