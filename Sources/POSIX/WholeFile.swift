import Glibc

/// Small files read whole.
package enum WholeFile {
    /// The bytes of a regular file; nothing else is waited for or read without end.
    ///
    /// - Parameters:
    ///   - limit: Bytes; a larger file is an error.
    ///   - isOfAnyKind: Whether pipes and the like are read to their end too, for a person who waits.
    /// - Throws: The system's reason.
    package static func read(_ path: String, limit: Int, ofAnyKind isOfAnyKind: Bool = false)
        throws(Unreadable) -> [UInt8]
    {
        let waiting = isOfAnyKind ? 0 : O_NONBLOCK
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | waiting)
        guard descriptor >= 0 else { throw Unreadable(SystemReason.last.words) }
        defer { close(descriptor) }
        guard isOfAnyKind || FileStatus(descriptor: descriptor)?.kind == .file else {
            throw Unreadable("Not a file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(SystemReason.last.words) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= limit else { throw Unreadable(SystemReason(EFBIG).words) }
        }
    }

    /// Why a file cannot be read.
    package struct Unreadable: Error {
        /// The system's words, without the file's name or contents.
        package let words: String

        init(_ words: String) { self.words = words }
    }

    /// The path without symbolic links; `nil` when nothing is there.
    package static func canonical(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
