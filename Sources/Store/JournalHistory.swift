/// Reads the journal back, for reports; never to decide.
package protocol JournalHistory: Sendable {
    /// The days that have a journal, `YYYY-MM-DD` of UTC, earliest first.
    func days() -> [String]

    /// Visits the events of a day in the order they were written, each with the number of events that
    /// it stands for. A day without a journal has no events.
    ///
    /// - Parameter day: `YYYY-MM-DD`, of UTC.
    /// - Returns: How many lines could not be read.
    /// - Throws: ``StateError`` for a day that is none, and for a journal that cannot be read.
    func visit(day: String, _ body: (JournalEvent, _ count: UInt64) -> Void) throws(StateError)
        -> Int
}
