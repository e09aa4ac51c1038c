import L402
import Synchronization

/// Tokens that have been verified and served, by the very header they came in: the same header says
/// the same again, as long as the master keys are the same. Whether the payment still has a use to
/// give is another question, asked for each request.
///
/// Only who has paid gets in here, so that forged tokens push nobody out. In memory, of one process.
package final class KnownTokens: Sendable {
    private static let places = 1024

    private struct Entry {
        let header: [UInt8]
        let service: String
        let tier: UInt8
        let keys: [MasterKey]
        let token: VerifiedToken
    }

    private let table = Mutex([Entry?](repeating: nil, count: places))

    package init() {}

    /// What an `Authorization` header is known to say for a rule; `nil` when it has not been seen,
    /// or its time is over.
    ///
    /// - Parameter keys: The keys in force, asked for when the header is known: that costs a look at
    ///   their file, and one that is not known takes the long way, which asks for them again.
    func token(_ header: [UInt8], for rule: Rule, now: UInt64, keys: () -> [MasterKey]?)
        -> VerifiedToken?
    {
        guard let entry = table.withLock({ $0[Self.place(header)] }), entry.header == header,
            entry.tier == rule.tier, entry.service == rule.service, now < entry.token.validUntil,
            entry.keys == keys()
        else { return nil }
        return entry.token
    }

    /// Keeps what was found out about a header.
    func keep(_ token: VerifiedToken, from header: [UInt8], for rule: Rule, keys: [MasterKey]) {
        let entry = Entry(
            header: header,
            service: rule.service,
            tier: rule.tier,
            keys: keys,
            token: token
        )
        table.withLock { $0[Self.place(header)] = entry }
    }

    /// The end of a header holds a signature or a preimage, so that it tells them apart.
    private static func place(_ header: [UInt8]) -> Int {
        var hasher = Hasher()
        for byte in header.suffix(24) { hasher.combine(byte) }
        return Int(UInt(bitPattern: hasher.finalize()) % UInt(places))
    }
}
