import L402

/// The master keys that tokens are signed with.
package protocol KeyRing: Sendable {
    /// The keys in force: the last one signs, all verify. A key that another process added is among
    /// them at the next call.
    func keys() throws(StateError) -> [MasterKey]

    /// Adds a key, which signs from now on; its id.
    ///
    /// - Parameter now: Seconds since 1970.
    func rotate(now: UInt64) throws(StateError) -> String
}
