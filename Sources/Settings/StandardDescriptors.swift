import Glibc

/// Descriptors 0, 1 and 2.
package enum StandardDescriptors {
    /// Puts something in the place of those that a spawner has closed, before any file is opened:
    /// else a file of the state would become standard error, and be written over by the log.
    package static func ensureOpen() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free one is taken. What cannot be written to does as well.
            if unsafe open("/dev/null", O_RDWR) < 0 { _ = unsafe open("/", O_RDONLY | O_DIRECTORY) }
        }
    }
}
