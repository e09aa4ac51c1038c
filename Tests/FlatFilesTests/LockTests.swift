import Glibc
import Lightning
import POSIX
import Store
import TestTools
import Testing

@testable import FlatFiles

/// File systems without locks, and locks that are never given up.
struct LockTests {
    @Test(arguments: [ENOLCK, EOPNOTSUPP, ENOSYS])
    func `without locks nothing begins, and one line says what would be right`(error: Int32) throws
    {
        let state = try TemporaryState()
        let room = try TemporaryState()
        let driver = try Driver("nolocks", state, [String(error)], output: "\(room.path)/out")
        #expect(driver.wait() == 0)
        let lines = try driver.lines()
        if lines == ["not to be had"] { return }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("no locks") == true)
        #expect(lines.first?.contains("L402_STATE_DIR") == true)
    }

    @Test func `a lock that is never given up is told, and holds nobody for long`() throws {
        let state = try TemporaryState()
        let directory = try state.open()
        let payments = Payments(directory)
        let free = FreeTier(directory)
        let claim = try paymentClaim(uses: 5)
        _ = try payments.open(claim, now: noon)
        _ = try free.take(freeClaim(1, limit: 9), now: noon)
        // As a process that was stopped at the wrong moment would.
        let paths = ["\(state.path)/\(paymentPath(claim))", "\(state.path)/free/2026-11-21.day"]
        let payment = try Descriptor(paths[0], O_RDWR)
        let window = try Descriptor(paths[1], O_RDWR)
        try payment.lock()
        try window.lock()
        let clock = ContinuousClock()
        let waited = clock.measure {
            let error = #expect(throws: StateError.self) { try payments.take(claim, now: noon) }
            #expect(error?.reason.contains(claim.paymentHash.hex) == true)
            #expect(throws: StateError.self) { try free.take(freeClaim(1, limit: 9), now: noon) }
        }
        #expect(waited < .seconds(20))
        // Whoever waits behind one that waited in vain does not wait as long again.
        let next = clock.measure {
            for _ in 0..<10 {
                #expect(throws: StateError.self) {
                    try free.take(freeClaim(1, limit: 9), now: noon)
                }
            }
        }
        #expect(next < .seconds(4))
        payment.unlock()
        window.unlock()
        #expect(try payments.take(claim, now: noon) == .taken(usesLeft: 3))
        #expect(try free.take(freeClaim(1, limit: 9), now: noon).left == 7)
    }
}
