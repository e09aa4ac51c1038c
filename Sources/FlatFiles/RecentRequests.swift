import Glibc
import POSIX
import Store
import Synchronization

/// Which requests took a free request lately: `free/recent`, 65,536 places of 16 bytes that are used
/// again and again, so that it never grows.
///
///     8 bytes    hash of the request, its client and its window; its last 16 bits say which place
///     8 bytes    the same, turned round: a place that was half written is an empty one
///
/// Who is remembered took his request and may return it. A newcomer takes the place of whoever had
/// it: that one can return nothing any more, and would take another when it asked again. Nothing of
/// this is money: it is not made durable, and when it cannot be written the request is counted and
/// forgotten. All of it happens under the lock of the window's table.
final class RecentRequests: Sendable {
    static let fileName = "recent"
    private static let places: UInt64 = 1 << 16
    private static let placeBytes = 16
    static let fileBytes = Int(places) * placeBytes

    private let path: String
    private let directory: StateDirectory
    private let opened = AtomicLazyReference<Opened>()

    private final class Opened: Sendable {
        let file: Descriptor
        init(_ file: consuming Descriptor) { self.file = file }
    }

    /// A request in its window.
    struct Request {
        fileprivate let hash: UInt64

        /// `nil` for a request that has no id.
        init?(_ claim: FreeClaim, window: String) {
            if claim.requestID.isEmpty { return nil }
            var mixer = Mixer()
            mixer.add(claim.requestID.utf8)
            mixer.add(window.utf8)
            mixer.add(claim.client)
            mixer.add(claim.rule)
            hash = mixer.value
        }

        fileprivate var offset: Int {
            Int(truncatingIfNeeded: hash % RecentRequests.places) * RecentRequests.placeBytes
        }

        fileprivate var bytes: [UInt8] {
            unsafe withUnsafeBytes(of: (hash.littleEndian, (~hash).littleEndian)) {
                unsafe Array($0)
            }
        }
    }

    init(_ directory: StateDirectory) {
        self.directory = directory
        path = "\(directory.path)/free/\(Self.fileName)"
    }

    /// Whether this request took a free request that it still has.
    func isTaken(_ request: Request) -> Bool {
        guard let file = try? open() else { return false }
        let found = try? file.file.read(at: request.offset, count: Self.placeBytes)
        return found == request.bytes
    }

    /// Remembers that it took one.
    func setTaken(_ request: Request) {
        try? open().file.write(request.bytes, at: request.offset)
    }

    /// Forgets it; false when that cannot be written.
    func forget(_ request: Request) -> Bool {
        let empty = [UInt8](repeating: 0, count: Self.placeBytes)
        return (try? open().file.write(empty, at: request.offset)) != nil
    }

    private func open() throws(StateError) -> Opened {
        if let known = opened.load() { return known }
        let file = try Descriptor(path, O_RDWR | O_CREAT)
        // Whoever comes first gives it its size; all of it is empty places.
        if try file.size == 0 {
            try directory.handOver(file)
            try file.truncate(to: Self.fileBytes)
        }
        return opened.storeIfNil(Opened(file))
    }
}

/// A hash of texts that their sender does not choose (ids that the web server makes): fast, and not
/// a secret. FNV-1a, and the mixing of SplitMix64 behind it.
private struct Mixer {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // So that "ab" and "c" is not "a" and "bc".
        state = (state ^ 0x100) &* 0x100_0000_01b3
    }

    var value: UInt64 {
        var value = state &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
