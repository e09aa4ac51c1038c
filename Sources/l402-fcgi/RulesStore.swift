import Glibc
import Paywall
import Synchronization

/// The rules in force: read at the start, again when the file changes or on SIGHUP. A broken new
/// version is reported once and the last good one stays.
final class RulesStore: Sendable {
    private struct Version: Equatable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private struct State {
        var rules: Rules
        var version: Version?
        var lookedAt: UInt64
    }

    /// Requests look at the file at most this often.
    private static let lookEveryMicroseconds: UInt64 = 1_000_000

    let path: String
    private let log: Log
    private let state: Mutex<State>

    /// Reads the file for the first time.
    ///
    /// - Throws: ``RulesFileError`` with everything that is wrong, one line each.
    init(path: String, log: Log) throws(RulesFileError) {
        self.path = path
        self.log = log
        let version = Self.version(of: path)
        state = Mutex(
            State(
                rules: try Self.read(path, log),
                version: version,
                lookedAt: Clock.monotonicMicroseconds()
            )
        )
    }

    /// The rules in force, after a look at the file when the last one is a second old.
    func current() -> Rules {
        let now = Clock.monotonicMicroseconds()
        return state.withLock { state in
            if now &- state.lookedAt >= Self.lookEveryMicroseconds {
                state.lookedAt = now
                if Self.version(of: path) != state.version { reload(&state) }
            }
            return state.rules
        }
    }

    /// Reads the file again whether it changed or not.
    func reload() {
        state.withLock { reload(&$0) }
    }

    private func reload(_ state: inout State) {
        state.version = Self.version(of: path)
        do throws(RulesFileError) {
            state.rules = try Self.read(path, log)
            log.info("rules re-read from \(path): \(state.rules.rules.count) rules")
        } catch {
            for line in error.lines { log.error(line) }
            log.error("\(path) is broken; the last good rules stay in force")
        }
    }

    private static func read(_ path: String, _ log: Log) throws(RulesFileError) -> Rules {
        guard let text = WholeFile.read(path, limit: 64 << 20) else {
            throw RulesFileError(lines: [
                "\(path): cannot be read: \(String(cString: strerror(errno)))"
            ])
        }
        do throws(RulesFileErrors) {
            let rules = try Rules(parsing: text, fileName: path)
            for warning in rules.warnings { log.warn("\(warning)") }
            return rules
        } catch {
            throw RulesFileError(lines: error.errors.map { "\($0)" })
        }
    }

    private static func version(of path: String) -> Version? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Version(
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
    }
}

/// Why there are no rules, one line for each thing that is wrong.
struct RulesFileError: Error {
    let lines: [String]
}

/// Small files read whole.
enum WholeFile {
    /// The bytes of a regular file; `nil` with `errno` set when it cannot be read or is larger.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = chunk.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= limit else {
                errno = EFBIG
                return nil
            }
        }
    }
}
