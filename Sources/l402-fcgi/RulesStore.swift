import POSIX
import Paywall
import Synchronization

/// The rules in force: read at the start, again when the file has changed and is whole, or on
/// SIGHUP. A broken new version is reported once and the last good one stays.
final class RulesStore: Sendable {
    private struct State {
        var rules: Rules
        var settling: FileSettling
        var lookedAt: UInt64
        /// The version that was said to be unfinished.
        var toldUnended: FileVersion?
    }

    /// Requests look at the file at most this often.
    private static let lookEveryMicroseconds: UInt64 = 1_000_000

    var path: String { file.path }
    private let file: RulesFile
    private let log: Log
    private let wallets: Set<String>?
    private let state: Mutex<State>

    /// Reads the file for the first time.
    ///
    /// - Parameter wallets: The names of the wallets that have a key; `nil` leaves rules that name
    ///   others alone.
    /// - Throws: ``RulesFileError`` with everything that is wrong, one line each.
    init(
        path: String,
        log: Log,
        wallets: Set<String>?,
        patience: RulesFile.Patience
    ) throws(RulesFileError) {
        file = RulesFile(path: path)
        self.log = log
        self.wallets = wallets
        let contents = try file.readFirst(patience)
        let now = Clock.monotonicMicroseconds()
        state = Mutex(
            State(
                rules: try Self.parse(contents.bytes, path, wallets, log),
                settling: FileSettling(inForce: contents.version, now: now),
                lookedAt: now
            )
        )
    }

    /// The rules in force, after a look at the file when the last one is a second old.
    func current() -> Rules {
        let now = Clock.monotonicMicroseconds()
        return state.withLock { state in
            if now &- state.lookedAt >= Self.lookEveryMicroseconds {
                state.lookedAt = now
                look(&state, now: now)
            }
            return state.rules
        }
    }

    /// Reads the file again at once, whether it changed or not: the operator says that it is
    /// finished. Only a last line that is not ended is waited for even so.
    func reload() {
        let now = Clock.monotonicMicroseconds()
        state.withLock { state in
            guard let contents = readAgain(&state, now: now) else { return }
            guard let version = contents.version else {
                log.warn("\(path): is being written; it is read when it is whole")
                return
            }
            if Rules.isEnded(contents.bytes) || state.settling.isInForce(version) {
                take(contents.bytes, version, &state, now: now)
            } else {
                state.toldUnended = nil
                tellUnended(version, &state)
            }
        }
    }

    private func look(_ state: inout State, now: UInt64) {
        let version = file.version
        let clock = Clock.nanosecondsSince1970()
        guard let age = state.settling.unchanged(version, now: now, clock: clock) else { return }
        // Nothing is taken sooner, so that a file under way is not read at every look.
        guard age >= state.settling.patience(for: version, isEnded: true) else { return }
        guard let contents = readAgain(&state, now: now), contents.version == version else {
            return
        }
        let isEnded = Rules.isEnded(contents.bytes)
        if age >= state.settling.patience(for: version, isEnded: isEnded) {
            take(contents.bytes, version, &state, now: now)
        } else {
            tellUnended(version, &state)
        }
    }

    /// `nil` when it cannot be read, which is told once.
    private func readAgain(_ state: inout State, now: UInt64) -> RulesFile.Contents? {
        do throws(RulesFileError) {
            return try file.read()
        } catch {
            state.settling.settle(file.version, now: now)
            tellBroken(error)
            return nil
        }
    }

    private func take(
        _ bytes: [UInt8],
        _ version: FileVersion?,
        _ state: inout State,
        now: UInt64
    ) {
        state.settling.settle(version, now: now)
        do throws(RulesFileError) {
            let newer = try Self.parse(bytes, path, wallets, log)
            for service in state.rules.ended(by: newer) {
                log.warn(service.text(oldFileName: path))
            }
            state.rules = newer
            log.info("rules re-read from \(path): \(newer.rules.count) rules")
        } catch {
            tellBroken(error)
        }
    }

    private func tellBroken(_ error: RulesFileError) {
        for line in error.lines { log.error(line) }
        log.error("\(path) is broken; the last good rules stay in force")
    }

    private func tellUnended(_ version: FileVersion?, _ state: inout State) {
        guard state.toldUnended != version else { return }
        state.toldUnended = version
        log.warn(
            "\(path): its last line is not ended, so it may be half written: the last good rules "
                + "stay in force; end it with a line feed, or leave it as it is for 30 s"
        )
    }

    private static func parse(
        _ bytes: [UInt8],
        _ path: String,
        _ wallets: Set<String>?,
        _ log: Log
    ) throws(RulesFileError) -> Rules {
        do throws(RulesFileErrors) {
            let rules = try Rules(parsing: bytes, fileName: path, wallets: wallets)
            for warning in rules.warnings { log.warn("\(warning)") }
            return rules
        } catch {
            throw RulesFileError(lines: error.errors.map { "\($0)" })
        }
    }
}
