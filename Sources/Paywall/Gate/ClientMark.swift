import L402

/// For whom an offer was made, kept in its token's id, so that nothing is stored: half of the id is
/// random, the other half a code over it and the client.
///
/// A token that comes in a cookie may have been planted by a stranger, who would have the reader pay
/// his invoice; so its invoice is shown again to the client only that it was made for.
enum ClientMark {
    /// Random bytes in an id of 32.
    static let randomBytes = 16

    /// A token id for an offer to a client.
    ///
    /// - Parameter random: ``randomBytes`` good random bytes.
    static func tokenID(random: [UInt8], client: [UInt8], key: MasterKey) -> [UInt8] {
        random + code(random, client, key)
    }

    /// Whether a token id was made for a client by one of these keys.
    static func isOn(_ tokenID: [UInt8], client: [UInt8], keys: [MasterKey]) -> Bool {
        let random = Array(tokenID.prefix(randomBytes))
        let mark = Array(tokenID.dropFirst(randomBytes))
        return keys.contains { code(random, client, $0) == mark }
    }

    /// Begins with words, so that it can never be the 66 bytes of an identifier, which the same key
    /// authenticates: those begin with two zero bytes.
    private static func code(_ random: [UInt8], _ client: [UInt8], _ key: MasterKey) -> [UInt8] {
        Array(key.authenticate(Array("l402 client 1\n".utf8) + random + client).prefix(16))
    }
}
