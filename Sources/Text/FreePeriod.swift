/// A window of the free tier, in UTC.
package enum FreePeriod: String, Sendable, CaseIterable {
    /// 60 seconds.
    case minute
    /// 3,600 seconds.
    case hour
    /// 86,400 seconds.
    case day

    /// Its length in seconds. UTC as computers count it has no other days.
    package var seconds: UInt64 {
        switch self {
        case .minute: 60
        case .hour: 3600
        case .day: 86_400
        }
    }
}
