import Glibc

/// A regular file below a directory, opened for reading.
final class OpenedFile {
    enum Failure: Error, Equatable {
        /// Not there, no regular file, or outside the directory.
        case notFound
        /// A directory with an index page, named without the slash that belongs to it.
        case directory
        /// The system said no, in its own words.
        case system(String)
    }

    /// What a directory's index page is called.
    static let indexName = "index.html"

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
    init(directory: String, path: [UInt8], except privatePaths: [String] = []) throws(Failure) {
        let isHidden = path.split(separator: UInt8(ascii: "/")).contains {
            $0.first == UInt8(ascii: ".") && !$0.elementsEqual(".well-known".utf8)
        }
        guard path.first == UInt8(ascii: "/"), !path.contains(0), !isHidden else {
            throw .notFound
        }
        var name = Array(directory.utf8) + path
        if name.last == UInt8(ascii: "/") { name += Self.indexName.utf8 }
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
            let place = Self.place(of: descriptor), Self.place(place, isIn: directory),
            !privatePaths.contains(where: { Self.place(place, isIn: $0) })
        else {
            close(descriptor)
            let isDirectory =
                status.st_mode & S_IFMT == S_IFDIR && path.last != UInt8(ascii: "/")
            guard isDirectory else { throw .notFound }
            _ = try Self(
                directory: directory,
                path: path + [UInt8(ascii: "/")],
                except: privatePaths
            )
            throw .directory
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

    /// Where an open file really is.
    private static func place(of descriptor: Int32) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = target.withUnsafeMutableBytes { buffer in
            buffer.bindMemory(to: CChar.self).baseAddress.map {
                readlink("/proc/self/fd/\(descriptor)", $0, buffer.count)
            } ?? -1
        }
        return count > 0 ? Array(target.prefix(count)) : nil
    }

    /// Whether a place is a file or directory, or below it; false for what does not exist.
    private static func place(_ place: [UInt8], isIn path: String) -> Bool {
        guard let real = realpath(path, nil) else { return false }
        defer { free(real) }
        let root = Array(String(cString: real).utf8)
        return place == root || place.starts(with: root.last == 0x2f ? root : root + [0x2f])
    }
}
