import POSIX
import Paywall
import Synchronization

/// The page for people: the built-in one, or the file of `L402_PAGE`, read again when it has changed
/// and is left alone since the last look. A broken new version is reported once and the last good one
/// stays.
final class PageStore: Sendable {
    private struct State {
        var template: PageTemplate?
        /// Of what was read last, whole or broken.
        var version: FileVersion?
        /// Of what the last look saw: half a file is not taken.
        var seen: FileVersion?
        var lookedAt: UInt64 = 0
    }

    /// Requests look at the file at most this often.
    private static let lookEveryMicroseconds: UInt64 = 1_000_000

    private let path: String?
    private let log: Log
    private let state = Mutex(State())

    /// - Parameters:
    ///   - path: The file; `nil` for the built-in page.
    ///   - readsNow: Whether a broken file stops the start; a process for one request reads it only
    ///     when it shows a page.
    /// - Throws: ``SiteError`` with everything that is wrong, one line each.
    init(path: String?, readsNow: Bool, log: Log) throws(SiteError) {
        self.path = path
        self.log = log
        guard readsNow, let path else { return }
        let version = Self.version(path)
        let template = try Self.read(path)
        let now = Clock.monotonicMicroseconds()
        state.withLock {
            $0 = State(template: template, version: version, seen: version, lookedAt: now)
        }
    }

    /// The page in force, after a look at the file when the last one is a second old.
    func current() -> PageTemplate {
        guard let path else { return .standard }
        let now = Clock.monotonicMicroseconds()
        return state.withLock { state in
            if state.template == nil {
                take(path, Self.version(path), &state)
            } else if now &- state.lookedAt >= Self.lookEveryMicroseconds {
                state.lookedAt = now
                let version = Self.version(path)
                if version == state.seen, version != state.version { take(path, version, &state) }
                state.seen = version
            }
            return state.template ?? .standard
        }
    }

    /// Reads the file again at once: the operator says that it is finished.
    func reload() {
        guard let path else { return }
        state.withLock { take(path, Self.version(path), &$0) }
    }

    private func take(_ path: String, _ version: FileVersion?, _ state: inout State) {
        let isFirst = state.template == nil
        state.version = version
        do throws(SiteError) {
            state.template = try Self.read(path)
            if !isFirst { log.info("page re-read from \(path)") }
        } catch {
            for line in error.lines { log.error(line) }
            log.error(
                "\(path) is broken; the \(isFirst ? "built-in" : "last good") page stays in force"
            )
            if isFirst { state.template = .standard }
        }
    }

    private static func version(_ path: String) -> FileVersion? {
        FileStatus(path, followingLinks: true)?.version
    }

    private static func read(_ path: String) throws(SiteError) -> PageTemplate {
        let bytes: [UInt8]
        do throws(WholeFile.Unreadable) {
            bytes = try WholeFile.read(path, limit: PageTemplate.limitBytes)
        } catch {
            throw SiteError(lines: ["L402_PAGE: \(path) cannot be read: \(error.words)"])
        }
        do throws(PageTemplateError) {
            return try PageTemplate(parsing: bytes, fileName: path)
        } catch {
            throw SiteError(lines: error.lines)
        }
    }
}
