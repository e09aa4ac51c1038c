/// Variables that come from one place.
package struct SettingsLayer: Sendable, Equatable {
    /// Where variables come from, from the least trusted to the most.
    package enum Origin: Int, Sendable, Comparable {
        /// Parameters of a request; as CGI the environment.
        case request
        /// The file that a request's `L402_ENV_FILE` names.
        case requestFile
        /// The process's environment and the file that its `L402_ENV_FILE` names.
        case process

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Values by name; an empty one counts as not set.
    package var variables: [String: String]
    /// Where they come from.
    package var origin: Origin

    package init(_ variables: [String: String], from origin: Origin) {
        self.variables = variables
        self.origin = origin
    }
}

/// What requests may set, by who can send them.
package enum RequestTrust: Sendable {
    /// Everything: they come through a unix socket, or as CGI.
    case full
    /// They come through a port of this machine, which every program on it reaches: files that they
    /// name have to be safe from others, and no key of a file goes to an address that they name.
    case loopback
    /// Nothing: whoever reaches the port can send them.
    case none
}

/// The files that settings name.
package struct SettingsFiles {
    /// Reads a small file; throws the system's reason.
    package var read: (_ path: String) throws(FileReason) -> [UInt8]
    /// Whether a file or directory is there, belongs to root or to us, and nobody else can change
    /// it or put another in its place.
    package var isSafe: (_ path: String) -> Bool

    /// Why a file cannot be read.
    package struct FileReason: Error {
        /// The system's words, without the file's contents.
        package let text: String

        package init(_ text: String) { self.text = text }
    }

    package init(
        read: @escaping (_ path: String) throws(FileReason) -> [UInt8],
        isSafe: @escaping (_ path: String) -> Bool
    ) {
        self.read = read
        self.isSafe = isSafe
    }
}
