/// Variables that come from one place.
public struct SettingsLayer: Sendable, Equatable {
    /// Where variables come from, from the least trusted to the most.
    public enum Origin: Int, Sendable, Comparable {
        /// Parameters of a request; as CGI the environment.
        case request
        /// The file that a request's `L402_ENV_FILE` names.
        case requestFile
        /// The process's environment and the file that its `L402_ENV_FILE` names.
        case process

        /// From the least trusted to the most.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Values by name; an empty one counts as not set.
    public var variables: [String: String]
    /// Where they come from.
    public var origin: Origin

    /// Variables of one place.
    public init(_ variables: [String: String], from origin: Origin) {
        self.variables = variables
        self.origin = origin
    }
}

/// What requests may set, by who can send them.
public enum RequestTrust: Sendable {
    /// Everything: they come through a unix socket, or as CGI.
    case full
    /// They come through a port of this machine, which every program on it reaches: files that they
    /// name have to be safe from others, and no key of a file goes to an address that they name.
    case loopback
    /// Nothing: whoever reaches the port can send them.
    case none
}

/// The files that settings name.
public struct SettingsFiles {
    /// Reads a small file; throws the system's reason.
    public var read: (_ path: String) throws(FileReason) -> [UInt8]
    /// Whether a file or directory is there, belongs to root or to us, and nobody else can change
    /// it or put another in its place.
    public var isSafe: (_ path: String) -> Bool

    /// Why a file cannot be read.
    public struct FileReason: Error {
        /// The system's words, without the file's contents.
        public let text: String

        /// The system's words.
        public init(_ text: String) { self.text = text }
    }

    /// Ways to read and to judge.
    public init(
        read: @escaping (_ path: String) throws(FileReason) -> [UInt8],
        isSafe: @escaping (_ path: String) -> Bool
    ) {
        self.read = read
        self.isSafe = isSafe
    }
}
