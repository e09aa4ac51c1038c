import ArgumentParser
import FlatFiles
import FoundationEssentials
import L402
import Store

/// `l402 keys …`: the master keys.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Look after the master keys that tokens are signed with.",
        subcommands: [List.self, Rotate.self]
    )

    /// `l402 keys list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Name the keys, the signing one last; never the keys themselves."
        )

        func run() throws {
            let keys = try withState { (directory) throws(StateError) in
                try KeyFile(directory).keys()
            }
            for (index, key) in keys.enumerated() {
                print(key.id + (index == keys.count - 1 ? "  signs" : "  verifies"))
            }
        }
    }

    /// `l402 keys rotate`.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Make a new key that signs from now on; tokens of the old ones stay good.",
            discussion:
                "Running gates see it at their next request. To end an old key, delete its line from the file \"keys\"."
        )

        func run() throws {
            let id = try withState { (directory) throws(StateError) in
                try KeyFile(directory).rotate(now: UInt64(max(0, Date().timeIntervalSince1970)))
            }
            print("new key \(id) signs from now on")
        }
    }
}
