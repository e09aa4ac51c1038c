import Glibc
import POSIX
import Store

/// Mending what ``StateCheck/check(now:)`` found.
extension StateCheck {
    /// Mends what can be mended; each finding, with the reason when it is still there.
    ///
    /// - Parameter now: Seconds since 1970.
    package func repair(now: UInt64) -> [(finding: StateFinding, failure: StateError?)] {
        check(now: now).map { finding in
            do throws(StateError) {
                try mend(finding)
                return (finding, nil)
            } catch {
                return (finding, error)
            }
        }
    }

    private func mend(_ finding: StateFinding) throws(StateError) {
        let path = finding.path
        switch finding.mend {
        case nil:
            throw StateError("\(path): cannot be repaired: \(finding.problem)")
        case .chmod(let mode):
            guard unsafe chmod(path, mode) == 0 else {
                throw .system(path, "change the permissions of")
            }
        case .chown(let owner):
            guard unsafe lchown(path, owner.user, owner.group) == 0 else {
                throw .system(path, "change the owner of")
            }
        case .makeDirectory:
            try StateDirectory(opening: root).makeDirectory(path)
        case .remove:
            guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .system(path, "remove") }
        case .truncate(let bytes) where path.hasSuffix("/\(RecentRequests.fileName)"):
            try Descriptor(path, O_RDWR).truncate(to: bytes)
        case .truncate(let bytes):
            try HashedTable.truncate(path, to: bytes)
        case .setAside:
            // Gates notice that the name leads elsewhere before their next request.
            guard unsafe rename(path, path + Self.setAsideSuffix) == 0 else {
                throw .system(path, "move")
            }
        case .rewriteMark(let latest, let now):
            try Payments(StateDirectory(opening: root)).rewriteMark(latest, now: now)
        case .doubtMark(let now):
            try Payments(StateDirectory(opening: root)).doubtMark(now: now)
        }
    }
}
