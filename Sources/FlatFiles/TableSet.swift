import Glibc
import POSIX
import Store
import Synchronization

/// The open tables of one room of the state directory, by name.
final class TableSet: Sendable {
    private static let maximumOpen = 16

    private let directory: StateDirectory
    private let room: String
    private let meaning: String
    private let maximumSlots: Int
    private let open = Mutex<[String: HashedTable]>([:])

    init(_ directory: StateDirectory, room: String, meaning: String, maximumSlots: Int) {
        self.directory = directory
        self.room = room
        self.meaning = meaning
        self.maximumSlots = maximumSlots
    }

    /// The table of a name, made when it is not there.
    func table(_ name: String) throws(StateError) -> HashedTable {
        let known = open.withLock { $0[name] }
        // Once a second would do, but a file that was moved aside must not be counted in.
        if let known, known.isCurrent { return known }
        let made = try HashedTable(
            directory,
            "\(room)/\(name)",
            meaning: "\(meaning) \(name)",
            maximumSlots: maximumSlots
        )
        open.withLock { open in
            if open.count >= Self.maximumOpen { open.removeAll() }
            open[name] = made
        }
        return made
    }

    /// The same, but only when it is there.
    func existing(_ name: String) throws(StateError) -> HashedTable? {
        if unsafe access("\(directory.path)/\(room)/\(name)", F_OK) == 0 { return try table(name) }
        return nil
    }

    /// Removes whole files whose name `isOld`.
    func remove(where isOld: (String) -> Bool) {
        for name in Directory.names(in: "\(directory.path)/\(room)") where isOld(name) {
            unsafe unlink("\(directory.path)/\(room)/\(name)")
            open.withLock { _ = $0.removeValue(forKey: name) }
        }
    }
}
