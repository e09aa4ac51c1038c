import POSIX
import Testing

/// When a file that changed counts as whole.
struct FileSettlingTests {
    private static let second: UInt64 = 1_000_000
    private static let start: UInt64 = 1000 * second
    private static func nanoseconds(_ seconds: Int64) -> Int64 { seconds * 1_000_000_000 }
    private static let epoch: Int64 = 1_800_000_000 * 1_000_000_000

    private func version(_ size: Int64, file: UInt64 = 1, written: Int64 = 0, changed: Int64? = nil)
        -> FileVersion
    {
        FileVersion(
            file: FileIdentity(device: 0, inode: file),
            size: size,
            written: Self.epoch + Self.nanoseconds(written),
            changed: Self.epoch + Self.nanoseconds(changed ?? written)
        )
    }

    /// Looks once a second at what the file is then; the seconds at which it counts as whole.
    private func taken(_ versions: [FileVersion?], isEnded: Bool = true, clockAhead: Int64 = 0)
        -> [Int]
    {
        var settling = FileSettling(inForce: version(10), now: Self.start)
        return versions.indices.filter { index in
            let now = Self.start + UInt64(index + 1) * Self.second
            let clock = Self.epoch + Self.nanoseconds(Int64(index) + 1 + clockAhead)
            let age = settling.unchanged(versions[index], now: now, clock: clock)
            guard let age, age >= settling.patience(for: versions[index], isEnded: isEnded) else {
                return false
            }
            settling.settle(versions[index], now: now)
            return true
        }
    }

    @Test func `a file written in place counts five seconds after its last write, once`() {
        let half = [FileVersion](repeating: version(20, written: 1), count: 4)
        let versions = half + [FileVersion](repeating: version(30, written: 5), count: 8)
        #expect(taken(versions) == [9])
        // However the clock was set meanwhile.
        #expect(taken(versions, clockAhead: 86_400) == [8])
        #expect(taken(versions, clockAhead: -86_400) == [9])
    }

    @Test func `a writer that pauses every three seconds is never taken half way`() {
        let versions = (0..<40).map { (second: Int64) in
            version(20 + second / 3, written: second / 3 * 3)
        }
        #expect(taken(versions) == [])
    }

    @Test func `a file renamed into place counts after a second`() {
        let versions = [FileVersion](
            repeating: version(20, file: 2, written: -50, changed: 1),
            count: 4
        )
        #expect(taken(versions) == [1])
        // One made in place is being written from then on.
        #expect(taken([FileVersion](repeating: version(20, file: 2, written: 1), count: 8)) == [5])
    }

    @Test func `a last line that is not ended is waited for half a minute`() {
        let versions = [FileVersion](
            repeating: version(20, file: 2, written: -50, changed: 1),
            count: 40
        )
        #expect(taken(versions, isEnded: false) == [30])
    }

    @Test func `a file that is gone for a moment is no change, one that stays away is`() {
        let there = version(10)
        #expect(taken([nil, nil, nil, nil, there, there, there, there, there, there]) == [])
        #expect(taken([nil, nil, nil, nil, nil, nil, nil, nil]) == [5])
    }

    @Test func `between two requests far apart the clock tells how old a change is`() {
        var settling = FileSettling(inForce: version(10), now: Self.start)
        let later = Self.start + 3600 * Self.second
        let age = settling.unchanged(
            version(20, written: 3590),
            now: later,
            clock: Self.epoch + Self.nanoseconds(3600)
        )
        #expect(age == 10 * Self.second)
    }
}
