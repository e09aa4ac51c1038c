import Text

/// Counts the free tier, exactly, across all processes.
package protocol FreeCounter: Sendable {
    /// Takes one free request when there is one left; the same request (``FreeClaim/requestID``)
    /// takes once, however often it asks, in whatever process. After
    /// ``ReturnCause/maximumFailures`` returns within a window there is none left.
    func take(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome

    /// Returns the free request that `claim.requestID` took at `takenAt`, when its window is still
    /// open; `false` when there is none to return.
    func giveBack(_ claim: FreeClaim, _ cause: ReturnCause, takenAt: UInt64) throws(StateError)
        -> Bool
}

/// A free request, asked for by a client.
package struct FreeClaim: Sendable {
    /// Names the site and the rule whose allowance is drawn on: stable while the rule's methods,
    /// host and path are.
    package let rule: [UInt8]
    /// The client: 4 bytes of IPv4 or the first 8 of IPv6. Kept only as a keyed hash.
    package let client: [UInt8]
    /// The wider network of the client, for when there are too many clients to count each:
    /// 2 bytes of IPv4 or 4 of IPv6.
    package let network: [UInt8]
    /// Requests per window.
    package let limit: UInt32
    /// The window.
    package let period: FreePeriod
    /// The request that takes or returns it; see ``PaymentClaim/requestID``.
    package let requestID: String

    package init(
        rule: [UInt8],
        client: [UInt8],
        network: [UInt8],
        limit: UInt32,
        period: FreePeriod,
        requestID: String
    ) {
        self.rule = rule
        self.client = client
        self.network = network
        self.limit = limit
        self.period = period
        self.requestID = requestID
    }
}

/// What became of a free request.
package struct FreeOutcome: Equatable, Sendable {
    /// Whether it may pass.
    package let isGranted: Bool
    /// Free requests left in this window afterwards.
    package let left: UInt32
    /// Seconds until the window turns.
    package let resetSeconds: UInt64

    package init(isGranted: Bool, left: UInt32, resetSeconds: UInt64) {
        self.isGranted = isGranted
        self.left = left
        self.resetSeconds = resetSeconds
    }
}
