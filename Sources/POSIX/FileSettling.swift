/// Judges when a file that changed is whole, so that what an editor or a script is still
/// writing is never put in force.
///
/// A writer may pause, and what it has written so far may parse. So a version counts when it has
/// not changed for a while: five seconds; one where it was renamed into place and was written
/// before that; thirty where its last line is not ended, which finished files seldom are.
package struct FileSettling: Sendable {
    private var inForce: FileVersion?
    private var seen: FileVersion?
    private var seenSince: UInt64
    private var lookedAt: UInt64

    private static let second: UInt64 = 1_000_000

    /// - Parameters:
    ///   - inForce: The version that was read; `nil` when there was no file.
    ///   - now: Microseconds of a clock that only grows.
    package init(inForce: FileVersion?, now: UInt64) {
        self.inForce = inForce
        seen = inForce
        seenSince = now
        lookedAt = now
    }

    /// For how many microseconds the file has been as it is now; `nil` when it is what is in force.
    ///
    /// - Parameter clock: Nanoseconds since 1970, for the time between two looks: they come with
    ///   requests. It never counts for more than the time since the last look.
    package mutating func unchanged(
        _ version: FileVersion?,
        now: UInt64,
        clock: Int64
    ) -> UInt64? {
        if version != seen {
            let sinceLook = now &- lookedAt
            var age: UInt64 = 0
            if let version, clock > version.changed {
                age = min(UInt64(clock - version.changed) / 1000, sinceLook)
            }
            seen = version
            seenSince = now &- age
        }
        lookedAt = now
        return version == inForce ? nil : now &- seenSince
    }

    /// Whether this is the version that was read last.
    package func isInForce(_ version: FileVersion) -> Bool { version == inForce }

    /// Notes that a version was put in force, or was found broken: it is not looked at again.
    package mutating func settle(_ version: FileVersion?, now: UInt64) {
        inForce = version
        seen = version
        seenSince = now
    }

    /// How many microseconds a version has to stay as it is.
    ///
    /// - Parameter isEnded: Whether its last line is ended.
    package func patience(for version: FileVersion?, isEnded: Bool) -> UInt64 {
        guard let version else { return 5 * Self.second }
        if !isEnded { return Self.unendedPatience }
        let isRenamed = version.file != inForce?.file && version.written < version.changed
        return isRenamed ? Self.second : Self.endedPatience
    }

    /// For a file whose last line is ended.
    package static let endedPatience = 5 * second
    /// For a file whose last line is not.
    package static let unendedPatience = 30 * second
}
