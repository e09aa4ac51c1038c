import POSIX

/// A regular file below a directory, opened for reading.
final class OpenedFile {
    enum Failure: SystemFailure, Equatable {
        /// Not there, no regular file, or outside the directory.
        case notFound
        /// A directory with an index page, named without the slash that belongs to it.
        case directory
        /// The system said no, in its own words.
        case system(String)

        init(_ reason: String) { self = .system(reason) }
    }

    /// What a directory's index page is called.
    static let indexName = "index.html"

    private let file: Descriptor<Failure>
    private let status: FileStatus

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
        let file = try Descriptor<Failure>.open(following: name)
        guard let file else { throw .notFound }
        let status = try file.status
        guard status.kind == .file, let place = file.place, Self.place(place, isIn: directory),
            !privatePaths.contains(where: { Self.place(place, isIn: $0) })
        else {
            guard status.kind == .directory, path.last != UInt8(ascii: "/") else {
                throw .notFound
            }
            _ = try Self(
                directory: directory,
                path: path + [UInt8(ascii: "/")],
                except: privatePaths
            )
            throw .directory
        }
        self.file = file
        self.status = status
    }

    /// In bytes.
    var size: Int { status.size }
    /// Modification time in seconds since 1970, and the nanoseconds beside them.
    var modifiedSeconds: Int { Int(status.version.written / 1_000_000_000) }
    var modifiedNanoseconds: Int { Int(status.version.written % 1_000_000_000) }

    /// At most `count` bytes from `offset`; empty at the end of the file and when it cannot be read.
    func read(at offset: Int, count: Int) -> [UInt8] {
        (try? file.read(at: offset, count: count)) ?? []
    }

    /// Whether a place is a file or directory, or below it; false for what does not exist.
    private static func place(_ place: [UInt8], isIn path: String) -> Bool {
        guard let real = WholeFile.canonical(path) else { return false }
        let root = Array(real.utf8)
        return place == root || place.starts(with: root.last == 0x2f ? root : root + [0x2f])
    }
}
