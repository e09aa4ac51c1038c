import Glibc

/// What is in a directory.
package enum Directory {
    /// The names in a directory, unsorted; none when it is not there.
    package static func names(in path: String) -> [String] {
        var names: [String] = []
        eachName(in: path) {
            names.append($0)
            return true
        }
        return names
    }

    /// Visits the names in a directory one by one until `body` says `false`: a directory of a
    /// million entries is not read for the sake of a few.
    package static func eachName(in path: String, _ body: (String) -> Bool) {
        guard let directory = unsafe opendir(path) else { return }
        defer { unsafe closedir(directory) }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." && !body(name) { return }
        }
    }

    /// The directory that a path is in.
    package static func parent(of path: String) -> String {
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return directory.isEmpty ? "/" : String(directory)
    }
}
