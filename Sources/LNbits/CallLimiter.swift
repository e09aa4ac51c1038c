import POSIX
import Wallets

/// Bounds the calls to one LNbits: so many at once, so many waiting, and none for a while when it
/// does not answer. What it cannot take must not hold workers from requests that need no call.
final class CallLimiter: Sendable {
    /// Kinds of calls; redeeming goes before selling, and both before telling how things are.
    enum Kind {
        case create
        case check
        /// Takes one place when there is a second one free and nobody waits, and never waits itself.
        case status
    }

    private struct State {
        var running = 0
        var creating = 0
        var telling = 0
        var waiting = 0
        var waitingToCreate = 0
        var failures = 0
        var opensAgainAt: MonotonicTime?
        var pauseMilliseconds: UInt64 = firstPauseMilliseconds
        /// When the probe went out that has not come back yet.
        var probingSince: MonotonicTime?

        /// Whether a probe is under way that may still be answered soon. One that is not is left to
        /// its deadline: its answer counts too, and a slow LNbits would never be found working else.
        func isProbing(_ now: MonotonicTime) -> Bool {
            probingSince.map { now < $0.adding(milliseconds: CallLimiter.probeMilliseconds) }
                ?? false
        }
    }

    /// LNbits has one lock: more calls at once only wait inside it.
    private static let maximumRunning = 8
    /// The rest is kept for those who have paid and come to redeem.
    private static let maximumCreating = 6
    private static let maximumWaiting = 32
    private static let maximumWaitingToCreate = 24
    private static let failuresToOpen = 4
    private static let firstPauseMilliseconds: UInt64 = 1000
    /// A pause and a probe together are how long it takes to notice that LNbits is back.
    private static let longestPauseMilliseconds: UInt64 = 2000
    private static let probeMilliseconds: UInt64 = 2000

    private let state = Monitor(State())

    /// Takes a place for a call, waiting for one until the deadline, or until the breaker opens.
    ///
    /// - Throws: ``WalletError`` of kind `busy`.
    func enter(_ kind: Kind, deadline: MonotonicTime) throws(WalletError) {
        guard kind != .status else { return try enterToTell() }
        var isProbe = false
        let refusal = state.changeUnseen { state -> WalletError? in
            if let until = state.opensAgainAt {
                let now = MonotonicTime.now()
                guard now >= until, !state.isProbing(now) else { return Self.closed(until) }
                isProbe = true
            }
            guard state.waiting < Self.maximumWaiting,
                kind == .check || state.waitingToCreate < Self.maximumWaitingToCreate
            else {
                return WalletError(
                    .busy,
                    "\(state.waiting) calls to LNbits are waiting already",
                    retryAfterSeconds: 1
                )
            }
            if isProbe { state.probingSince = .now() }
            state.waiting += 1
            if kind == .create { state.waitingToCreate += 1 }
            return nil
        }
        if let refusal { throw refusal }
        let entered: Result<Void, WalletError>? = state.wait(until: deadline) { state in
            // Nobody waits for what does not answer.
            if let until = state.opensAgainAt, !isProbe { return .failure(Self.closed(until)) }
            guard state.running < Self.maximumRunning,
                kind == .check || state.creating < Self.maximumCreating
            else { return nil }
            state.running += 1
            if kind == .create { state.creating += 1 }
            return .success(())
        }
        state.changeUnseen { state in
            state.waiting -= 1
            if kind == .create { state.waitingToCreate -= 1 }
            if entered == nil, isProbe { state.probingSince = nil }
        }
        guard let entered else {
            throw WalletError(.busy, "no call to LNbits ended in time", retryAfterSeconds: 2)
        }
        try entered.get()
    }

    /// The last in line: whoever redeems or buys finds a place beside it, and is the one to find out
    /// whether LNbits answers again.
    private func enterToTell() throws(WalletError) {
        let entered = state.changeUnseen { state -> Bool in
            guard state.opensAgainAt == nil, state.waiting == 0, state.telling == 0,
                state.running + 1 < Self.maximumRunning
            else { return false }
            state.running += 1
            state.telling += 1
            return true
        }
        guard entered else {
            throw WalletError(
                .busy,
                "LNbits is being asked for those who pay; how things are is told later",
                retryAfterSeconds: 2
            )
        }
    }

    private static func closed(_ until: MonotonicTime) -> WalletError {
        WalletError(
            .busy,
            "LNbits does not answer; it is asked again soon",
            retryAfterSeconds: until.millisecondsFromNow() / 1000 + 1
        )
    }

    /// Gives the place back, and says whether LNbits answered at all.
    func leave(_ kind: Kind, answered: Bool) {
        state.change { state in
            state.running -= 1
            if kind == .create { state.creating -= 1 }
            if kind == .status { state.telling -= 1 }
            state.probingSince = nil
            if answered {
                state.failures = 0
                state.opensAgainAt = nil
                state.pauseMilliseconds = Self.firstPauseMilliseconds
                return
            }
            state.failures += 1
            guard state.failures >= Self.failuresToOpen else { return }
            state.opensAgainAt = MonotonicTime.now().adding(milliseconds: state.pauseMilliseconds)
            state.pauseMilliseconds = min(
                state.pauseMilliseconds * 2,
                Self.longestPauseMilliseconds
            )
        }
    }

    /// Callers that wait for a place.
    var waiting: Int { state.changeUnseen { $0.waiting } }

    /// Whether calls are refused at present.
    var isOpen: Bool { state.changeUnseen { $0.opensAgainAt != nil } }
}
