import Glibc

/// A regular file below a directory, opened for reading.
final class OpenedFile {
    enum Failure: Error, Equatable {
        /// Not there, no regular file, or outside the directory.
        case notFound
        /// The system said no, in its own words.
        case system(String)
    }

    let size: Int
    /// Modification time in seconds since 1970.
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int
    private let descriptor: Int32

    /// Opens the file at `path`, decoded and beginning with `/`, below `directory`.
    ///
    /// Where the file really is, is asked of the kernel after it has been opened, so that neither
    /// `..` nor a symbolic link leads out of the directory, also while somebody changes links.
    /// Names that begin with a dot are not served: what is kept there is not for sale.
    init(directory: String, path: [UInt8]) throws(Failure) {
        let isHidden = path.split(separator: UInt8(ascii: "/")).contains {
            $0.first == UInt8(ascii: ".") && !$0.elementsEqual(".well-known".utf8)
        }
        guard path.first == UInt8(ascii: "/"), !path.contains(0), !isHidden else {
            throw .notFound
        }
        var name = Array(directory.utf8) + path
        if name.last == UInt8(ascii: "/") { name += "index.html".utf8 }
        // Not to wait for the writer of a fifo.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        descriptor = (name + [0]).withUnsafeBytes {
            $0.bindMemory(to: CChar.self).baseAddress.map { open($0, flags) } ?? -1
        }
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, ENXIO: throw .notFound
            case let other: throw .system(String(cString: strerror(other)))
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            Self.isBelow(directory, descriptor)
        else {
            close(descriptor)
            throw .notFound
        }
        size = Int(status.st_size)
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
    }

    deinit { close(descriptor) }

    /// At most `count` bytes from `offset`; empty at the end of the file and when it cannot be read.
    func read(at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            while true {
                let got = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                if got < 0 && errno == EINTR { continue }
                used = max(0, got)
                return
            }
        }
    }

    private static func isBelow(_ directory: String, _ descriptor: Int32) -> Bool {
        guard let real = realpath(directory, nil) else { return false }
        defer { free(real) }
        var root = String(cString: real)
        if !root.hasSuffix("/") { root += "/" }
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = target.withUnsafeMutableBytes { buffer in
            buffer.bindMemory(to: CChar.self).baseAddress.map {
                readlink("/proc/self/fd/\(descriptor)", $0, buffer.count)
            } ?? -1
        }
        return count > 0 && target.prefix(count).starts(with: root.utf8)
    }
}
