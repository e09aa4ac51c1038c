import POSIX
import Paywall

/// The rules file on disk.
struct RulesFile {
    /// The file as it was when it was read.
    struct Contents {
        let bytes: [UInt8]
        /// `nil` when it changed meanwhile.
        let version: FileVersion?
    }

    /// What a process that has no older rules does with a file that is being written.
    enum Patience {
        /// At the start of a gate: a last line without end is waited for a little.
        case start
        /// As CGI, which reads the file for each request: anything that has just changed is waited
        /// for a little, and refused rather than sold by when it is not whole then.
        case cgi
        /// For a request in a gate that others use too: nothing is waited for.
        case request
    }

    let path: String

    private static let limitBytes = 64 << 20
    private static let pauseMilliseconds: UInt64 = 100
    /// How long a file has to stay as it is that is read for the first time.
    private static let quietMicroseconds: UInt64 = 3_000_000
    private static let longestWaitMicroseconds: UInt64 = 6_000_000

    /// `nil` when there is none, or none that may be looked at.
    var version: FileVersion? { FileStatus(path, followingLinks: true)?.version }

    /// The whole file.
    ///
    /// - Throws: ``RulesFileError`` when it cannot be read.
    func read() throws(RulesFileError) -> Contents {
        let before = version
        let bytes: [UInt8]
        do throws(WholeFile.Unreadable) {
            bytes = try WholeFile.read(path, limit: Self.limitBytes)
        } catch {
            throw RulesFileError(lines: ["\(path): cannot be read: \(error.words)"])
        }
        let after = version
        let isWhole = before == after && after?.size == Int64(bytes.count)
        return Contents(bytes: bytes, version: isWhole ? after : nil)
    }

    /// The file for a process that has no older rules.
    ///
    /// - Throws: ``RulesFileError``; a temporary one when somebody is still writing.
    func readFirst(_ patience: Patience) throws(RulesFileError) -> Contents {
        let start = Clock.monotonicMicroseconds()
        var settling = FileSettling(inForce: nil, now: 0)
        while true {
            let contents = try read()
            let now = Clock.monotonicMicroseconds()
            // The first look may believe the clock: nothing else tells how old the file is.
            let age =
                contents.version.flatMap {
                    settling.unchanged($0, now: now, clock: Clock.nanosecondsSince1970())
                } ?? 0
            let isEnded = Rules.isEnded(contents.bytes)
            if contents.version != nil {
                switch patience {
                case .start where isEnded, .request where isEnded: return contents
                case .start where age >= Self.quietMicroseconds: return contents
                case .cgi where isEnded && age >= Self.quietMicroseconds: return contents
                case _ where age >= FileSettling.unendedPatience: return contents
                case _: break
                }
            }
            guard patience != .request, now &- start < Self.longestWaitMicroseconds else {
                let why =
                    isEnded ? "" : ", and its last line is not ended: a finished file ends with one"
                throw RulesFileError(
                    lines: ["\(path): is being written\(why); nothing is served by half a file"],
                    isTemporary: true
                )
            }
            Pause.milliseconds(Self.pauseMilliseconds)
        }
    }
}

/// Why there are no rules, one line for each thing that is wrong.
struct RulesFileError: Error {
    let lines: [String]
    /// Whether it will be over in a moment.
    var isTemporary = false
}
