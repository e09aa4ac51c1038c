import Synchronization

/// How often each client has lately had the wallet asked about a payment that was not there or not
/// paid. LNbits answers some 200 such questions a second to everybody together, so that nobody may
/// ask without end.
///
/// In memory, of one process, in a table that does not grow: two clients that fall into one place
/// are counted together, which takes many thousands of them within a minute to happen.
package final class FailedAttempts: Sendable {
    /// Questions of one client and minute. A page that looks every two seconds needs 30.
    package static let perMinute = 60
    private static let places = 1 << 14

    private struct Place {
        var minute: UInt64 = 0
        var count = 0
    }

    private let table = Mutex([Place](repeating: Place(), count: places))

    package init() {}

    /// Whether a client has used up this minute's questions.
    func isExhausted(_ client: [UInt8], now: UInt64) -> Bool {
        let index = Self.index(client)
        return table.withLock { places in
            places[index].minute == now / 60 && places[index].count >= Self.perMinute
        }
    }

    /// Counts one that led nowhere.
    func count(_ client: [UInt8], now: UInt64) {
        let index = Self.index(client)
        table.withLock { places in
            if places[index].minute != now / 60 { places[index] = Place(minute: now / 60) }
            places[index].count += 1
        }
    }

    /// The standard library's hash has a secret of its own in each process, so that nobody can
    /// choose whom to fall together with.
    private static func index(_ client: [UInt8]) -> Int {
        Int(UInt(bitPattern: client.hashValue) % UInt(places))
    }
}
