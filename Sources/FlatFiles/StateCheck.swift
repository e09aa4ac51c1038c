import Glibc
import POSIX
import Store

/// Something in the state directory that is not as it should be.
package struct StateFinding: Equatable, Sendable, CustomStringConvertible {
    /// How it can be mended without giving anything away.
    enum Mend: Equatable, Sendable {
        case chmod(mode_t)
        case chown(Owner)
        case makeDirectory
        case remove
        case truncate(Int)
        case setAside
        case rewriteMark(UInt64, UInt64)
        case doubtMark(UInt64)
    }

    /// Which file or directory.
    package let path: String
    /// What is wrong, and what follows from it, in one line.
    package let problem: String
    let mend: Mend?

    /// Whether ``StateCheck/repair(now:)`` mends it.
    package var isRepairable: Bool { mend != nil }

    /// `path: problem`.
    package var description: String { "\(path): \(problem)" }
}

/// Looks through a state directory for what would make the gate refuse, and mends what can be
/// mended. Changes nothing that gates which run meanwhile rely on, and never makes a payment usable
/// again: a damaged payment stays refused, and the wallet knows whether it was paid.
package struct StateCheck {
    let root: String
    /// Temporary files are younger than this while somebody writes them.
    static let temporarySeconds: UInt64 = 3600
    /// Tables set aside by a repair are kept for so long.
    static let setAsideSeconds: UInt64 = 7 * 86_400
    static let setAsideSuffix = ".damaged"

    /// A check of the directory at `path`, which need not be sound or even there.
    package init(path: String) {
        root = path
    }

    /// All that is wrong, in the order of the directory; nothing is changed.
    ///
    /// - Parameter now: Seconds since 1970.
    package func check(now: UInt64) -> [StateFinding] {
        guard let status = FileStatus(root, followingLinks: true) else {
            return [finding(root, "\(StateError.system(root, "look at it").reason)")]
        }
        guard status.kind == .directory else {
            return [finding(root, "is not a directory")]
        }
        var findings: [StateFinding] = []
        if status.mode & 0o077 != 0 {
            findings.append(finding(root, "others may look into it or write to it", .chmod(0o700)))
        }
        let owner = status.owner
        findings += checkFormat(owner) + checkRooms(owner) + checkKeys(owner)
        findings += checkPayments(owner, now: now)
        findings += checkTables("free", owner, now: now) + checkTables("pending", owner, now: now)
        return findings + checkJournal(owner)
    }

    private func checkFormat(_ owner: Owner) -> [StateFinding] {
        let path = "\(root)/format"
        do throws(StateError) {
            guard let file = try Descriptor.openIfPresent(path, O_RDONLY) else {
                return [finding(path, "is missing; the next start writes it")]
            }
            let text = String(decoding: try file.read(at: 0, count: 64), as: UTF8.self)
            guard text == StateDirectory.format else {
                return [
                    finding(
                        path,
                        "is not \"l402-state 1\": made by another version, which must also read it"
                    )
                ]
            }
            return checkFile(path, owner)
        } catch {
            return [finding(path, error.reason)]
        }
    }

    private func checkRooms(_ owner: Owner) -> [StateFinding] {
        StateDirectory.rooms.flatMap { (room) -> [StateFinding] in
            let path = "\(root)/\(room)"
            guard let status = FileStatus(path, followingLinks: true) else {
                return [finding(path, "is missing", .makeDirectory)]
            }
            guard status.kind == .directory else {
                return [finding(path, "is not a directory")]
            }
            return checkMode(path, status, owner, right: 0o700)
        }
    }

    private func checkKeys(_ owner: Owner) -> [StateFinding] {
        let path = "\(root)/keys"
        guard let status = FileStatus(path) else {
            return [
                finding(
                    path,
                    "is missing; a new key is made at the next start, and no token sold before is good"
                )
            ]
        }
        let modes = checkMode(path, status, owner, right: 0o600)
        if !modes.isEmpty { return modes }
        do throws(StateError) {
            _ = try KeyFile.read(at: path)
            return []
        } catch {
            return [finding(path, error.reason.replacing("\(path)", with: "keys"))]
        }
    }

    private func checkJournal(_ owner: Owner) -> [StateFinding] {
        Directory.names(in: "\(root)/journal").sorted().flatMap { name in
            checkFile("\(root)/journal/\(name)", owner)
        }
    }

    /// Owner and permissions of a file that only the gate should read and write.
    func checkFile(_ path: String, _ owner: Owner) -> [StateFinding] {
        // Gone meanwhile, as expired things go.
        guard let status = FileStatus(path) else { return [] }
        guard status.kind == .file else { return [finding(path, "is not a file")] }
        return checkMode(path, status, owner, right: 0o600)
    }

    func checkMode(_ path: String, _ status: FileStatus, _ owner: Owner, right: mode_t)
        -> [StateFinding]
    {
        var findings: [StateFinding] = []
        if status.owner.user != owner.user {
            findings.append(
                finding(
                    path,
                    "belongs to user \(status.owner.user), not to \(owner.user) as the directory does",
                    geteuid() == 0 ? .chown(owner) : nil
                )
            )
        }
        if status.mode & 0o777 != right {
            let found = String(status.mode & 0o777, radix: 8)
            findings.append(
                finding(
                    path,
                    "has permissions \(found), not \(String(right, radix: 8))",
                    .chmod(right)
                )
            )
        }
        return findings
    }

    func finding(_ path: String, _ problem: String, _ mend: StateFinding.Mend? = nil)
        -> StateFinding
    {
        StateFinding(path: path, problem: problem, mend: mend)
    }
}
