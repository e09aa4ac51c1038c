import POSIX
import Store

/// Files whose errors are the books' own.
typealias Descriptor = POSIX.Descriptor<StateError>

extension StateError: SystemFailure {
    /// A file system without locks is no place for the state.
    package static func withoutLocks(_ reason: String) -> StateError {
        StateError(
            "\(reason): this file system has no locks that processes share; put "
                + "L402_STATE_DIR on a disk of this machine (ext4, xfs, btrfs, tmpfs), or mount the "
                + "network's with its lock service"
        )
    }
}
