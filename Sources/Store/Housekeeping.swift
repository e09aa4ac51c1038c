import Text

/// How much of the journal is kept: what is older, or beyond the size, goes, the oldest days first.
package struct JournalBounds: Sendable, Equatable {
    /// Days that are kept.
    package let days: UInt64
    /// MiB that are kept.
    package let megabytes: UInt64

    package init(days: UInt64, megabytes: UInt64) {
        self.days = days
        self.megabytes = megabytes
    }
}

/// Removes what is over, a little at a time, so that no request waits for it.
///
/// What a clock that is ahead removed would be lost for good. So nothing is removed, or marked as
/// over, unless a second clock agrees within an hour; with `nil` for it nothing happens.
package protocol Housekeeping: Sendable {
    /// Removes at most `maximum` payments that are over; how many it removed.
    ///
    /// A removed payment stays over for good: no clock that steps back revives its token.
    func sweepPayments(now: UInt64, secondClock: UInt64?, maximum: Int) throws(StateError) -> Int

    /// Drops the counts of windows, and the places of invoices, that are over.
    func sweepWindows(now: UInt64, secondClock: UInt64?)

    /// Writes down what the journal has gathered, and makes it smaller.
    func sweepJournal(now: UInt64, secondClock: UInt64?, bounds: JournalBounds) throws(StateError)

    /// Writes down what the journal has gathered, once nothing more will come.
    func close(now: UInt64)

    /// How full the tables of the free tier's open windows are, 0 to 1.
    func freeFill(now: UInt64) -> [(period: FreePeriod, ratio: Double)]

    /// How full the table of unpaid invoices is, 0 to 1.
    func pendingFill(now: UInt64) -> Double
}
