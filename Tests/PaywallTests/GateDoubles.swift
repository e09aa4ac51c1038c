import HTTP
import L402
import Lightning
import Store
import Synchronization
import Wallets

@testable import Paywall

/// A wallet in memory: what it is told happened, happened.
final class WalletDouble: InvoiceIssuer {
    struct State {
        var made = 0
        var asked = 0
        /// Lists of payments given.
        var listed = 0
        var rate: Double?
        /// When invoices are made, in seconds since 1970.
        var now = GateSetup.now
        var orders: [PaymentHash: (order: InvoiceOrder, end: UInt64, isPaid: Bool)] = [:]
        var failure: WalletError?
        var paidAmount: Millisatoshis?
    }
    let state = Mutex(State())

    func makeInvoice(_ order: InvoiceOrder) throws(WalletError) -> Invoice {
        let result: Result<Invoice, WalletError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            state.made += 1
            guard
                let preimage = Preimage(
                    bytes: [UInt8](repeating: UInt8(state.made & 0xff), count: 32)
                ),
                let hash = preimage.paymentHash, let amount = Millisatoshis(sats: order.sats)
            else { return .failure(WalletError(.malformed, "double")) }
            let end = state.now + order.expirySeconds
            state.orders[hash] = (order, end, false)
            return .success(
                Invoice(
                    bolt11: "lnbc\(state.made)",
                    paymentHash: hash,
                    expiresAt: end,
                    amount: amount
                )
            )
        }
        return try result.get()
    }

    func payment(_ hash: PaymentHash, for question: Question) throws(WalletError)
        -> WalletPayment?
    {
        let result: Result<WalletPayment?, WalletError> = state.withLock { state in
            state.asked += 1
            if let failure = state.failure { return .failure(failure) }
            guard let known = state.orders[hash], let price = Millisatoshis(sats: known.order.sats)
            else { return .success(nil) }
            return .success(
                WalletPayment(
                    isPaid: known.isPaid,
                    amount: state.paidAmount ?? price,
                    invoice: Invoice(
                        bolt11: "lnbc-again",
                        paymentHash: hash,
                        expiresAt: known.end,
                        amount: price
                    ),
                    extra: known.order.extra
                )
            )
        }
        return try result.get()
    }

    func sats(for price: FiatAmount) throws(WalletError) -> UInt64 { price.hundredths * 10 }

    func paidLately() throws(WalletError) -> PaidLately {
        let result: Result<PaidLately, WalletError> = state.withLock { state in
            state.listed += 1
            if let failure = state.failure { return .failure(failure) }
            let paid = state.orders.filter(\.value.isPaid).map(\.key)
            return .success(PaidLately(paid: paid, since: 0))
        }
        return try result.get()
    }

    func unitsPerBitcoin(of currency: String) throws(WalletError) -> Double {
        guard let rate = state.withLock({ $0.rate }) else { throw WalletError(.timeout, "double") }
        return rate
    }

    func pay(_ hash: PaymentHash) { state.withLock { $0.orders[hash]?.isPaid = true } }
}

/// Payments, free requests, places and events in memory.
final class StoreDouble: PaymentLedger, FreeCounter, PendingInvoices, Journal {
    struct Payment {
        var terms: PurchaseTerms
        var end: UInt64
        var used: UInt64 = 0
        var requests: [String] = []
        var failures = 0
    }
    struct State {
        var payments: [PaymentHash: Payment] = [:]
        var free: [[UInt8]: UInt32] = [:]
        var freeRequests: Set<String> = []
        var places: [[UInt8]: Int] = [:]
        var events: [JournalEvent] = []
        var isBroken = false
        /// What the next takes say instead of their own answer.
        var nextOutcomes: [TakeOutcome] = []
    }
    let state = Mutex(State())

    /// Uses taken of all payments together.
    var used: [UInt64] { state.withLock { $0.payments.values.map(\.used) } }

    private func check() throws(StateError) {
        if state.withLock({ $0.isBroken }) { throw StateError("no space left") }
    }

    func take(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        try check()
        return state.withLock { state in
            if !state.nextOutcomes.isEmpty { return state.nextOutcomes.removeFirst() }
            let outcome = Self.outcome(claim, state, now)
            if case .taken(.some) = outcome {
                state.payments[claim.paymentHash]?.used += 1
                state.payments[claim.paymentHash]?.requests.append(claim.requestID)
            }
            return outcome
        }
    }

    func look(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        try check()
        return state.withLock { Self.outcome(claim, $0, now) }
    }

    private static func outcome(_ claim: PaymentClaim, _ state: State, _ now: UInt64)
        -> TakeOutcome
    {
        guard let known = state.payments[claim.paymentHash] else { return .unknown }
        guard now < known.end else { return .expired }
        guard let uses = claim.terms.uses else { return .taken(usesLeft: nil) }
        if known.requests.contains(claim.requestID) {
            return .repeated(usesLeft: uses - known.used)
        }
        if known.failures >= ReturnCause.maximumFailures { return .failing }
        guard known.used < min(uses, claim.cap ?? uses) else { return .spent }
        return .taken(usesLeft: uses - known.used - 1)
    }

    func open(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        try check()
        state.withLock {
            guard $0.payments[claim.paymentHash] == nil else { return }
            $0.payments[claim.paymentHash] = Payment(
                terms: claim.terms,
                end: claim.terms.end(openedAt: now)
            )
        }
        return try take(claim, now: now)
    }

    func record(_ hash: PaymentHash) throws(StateError) -> PaymentRecord? {
        try check()
        return state.withLock { state in
            state.payments[hash].flatMap { known in
                guard let price = Millisatoshis(sats: known.terms.priceSats) else { return nil }
                return PaymentRecord(
                    paymentHash: hash,
                    terms: known.terms,
                    used: known.used,
                    ends: known.end,
                    price: price,
                    opened: "",
                    isRevoked: false
                )
            }
        }
    }

    func terms(of hash: PaymentHash) throws(StateError) -> PurchaseTerms? {
        try check()
        return state.withLock { $0.payments[hash]?.terms }
    }

    func giveBack(_ claim: PaymentClaim, _ cause: ReturnCause, now: UInt64) throws(StateError)
        -> Bool
    {
        state.withLock { state in
            guard var known = state.payments[claim.paymentHash],
                let place = known.requests.firstIndex(of: claim.requestID)
            else { return false }
            known.requests.remove(at: place)
            known.used -= 1
            if cause == .failure { known.failures += 1 }
            state.payments[claim.paymentHash] = known
            return true
        }
    }

    func take(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome {
        try check()
        return state.withLock { state in
            let count = state.free[claim.rule + claim.client, default: 0]
            if state.freeRequests.contains(claim.requestID) {
                return FreeOutcome(isGranted: true, left: claim.limit - count, resetSeconds: 60)
            }
            guard count < claim.limit else {
                return FreeOutcome(isGranted: false, left: 0, resetSeconds: 60)
            }
            state.free[claim.rule + claim.client] = count + 1
            state.freeRequests.insert(claim.requestID)
            return FreeOutcome(isGranted: true, left: claim.limit - count - 1, resetSeconds: 60)
        }
    }

    func giveBack(_ claim: FreeClaim, _ cause: ReturnCause, takenAt: UInt64) throws(StateError)
        -> Bool
    {
        state.withLock { state in
            guard state.freeRequests.remove(claim.requestID) != nil else { return false }
            let key = claim.rule + claim.client
            state.free[key] = (state.free[key] ?? 1) - 1
            return true
        }
    }

    func reserve(
        client: [UInt8],
        limit: Int,
        below: Int,
        expiresAt: UInt64,
        now: UInt64
    ) throws(StateError) -> PendingOutcome {
        try check()
        return state.withLock { state in
            guard state.places[client, default: 0] < min(limit, below) else {
                return .full(retryAfterSeconds: 9)
            }
            state.places[client, default: 0] += 1
            return .reserved(PendingPlace(text: client.map(String.init).joined(separator: "-")))
        }
    }

    func release(_ place: PendingPlace) throws(StateError) {
        for one in place.all {
            let client = one.text.split(separator: "-").compactMap { UInt8($0) }
            state.withLock { $0.places[client, default: 0] -= 1 }
        }
    }

    func releaseAll(client: [UInt8], now: UInt64) throws(StateError) {
        state.withLock { $0.places[client] = 0 }
    }

    func record(_ event: JournalEvent) { state.withLock { $0.events.append(event) } }
}

/// What waiting pages share, in memory. A turn is given whenever a test says so.
final class WaitingDouble: WaitingRoom {
    struct State {
        var invoices: [PaymentHash: WaitingInvoice] = [:]
        var turns: [WaitingTurn] = []
        var given = 0
    }
    let state = Mutex(State())

    func keep(_ invoice: WaitingInvoice) {
        state.withLock { $0.invoices[invoice.paymentHash] = invoice }
    }

    func invoice(_ hash: PaymentHash) -> WaitingInvoice? { state.withLock { $0.invoices[hash] } }

    func turn(_ wallet: String, madeAt: UInt64?) throws(StateError) -> WaitingTurn {
        state.withLock { state in
            state.given += 1
            return state.turns.isEmpty ? .yours(asksForOne: false) : state.turns.removeFirst()
        }
    }

    func end(_ wallet: String, paid: [PaymentHash]?, since: UInt64?) {
        state.withLock { state in
            for hash in paid ?? [] { state.invoices[hash]?.isPaid = true }
        }
    }

    func rate(of currency: String, now: UInt64, ask: () -> Double?) -> Double? { ask() }
}

/// Master keys in memory.
final class KeysDouble: KeyRing {
    let state = Mutex(["k"].compactMap { key(named: $0) })

    func keys() throws(StateError) -> [MasterKey] { state.withLock { $0 } }

    func rotate(now: UInt64) throws(StateError) -> String { throw StateError("not here") }

    /// A key of a name of one letter.
    static func key(named name: Character) -> MasterKey? {
        MasterKey(
            id: String(name),
            bytes: [UInt8](repeating: name.asciiValue ?? 0, count: 32),
            created: 0
        )
    }
}

/// A gate over doubles and requests to it.
struct GateSetup {
    static let now: UInt64 = 1_800_000_000

    let wallet: WalletDouble
    let store: StoreDouble
    let waiting = WaitingDouble()
    let rules: Rules
    let gate: Gate
    /// What the gate signs and verifies with; the last one signs.
    let keys: KeysDouble
    /// Requests that were given no name.
    private let ids = IDs()

    private final class IDs: Sendable {
        let last = Mutex(0)
        func withLock(_ body: (inout Int) -> Int) -> Int { last.withLock { body(&$0) } }
    }

    init(
        _ rules: String,
        policy: Gate.Policy = Self.policy(),
        others: [WalletDouble] = [],
        sharing other: GateSetup? = nil,
        isThere: @escaping @Sendable ([UInt8], String) -> Bool = { _, _ in true },
        page: PageTemplate = .standard
    ) throws {
        let waiting = self.waiting
        let wallet = other?.wallet ?? WalletDouble()
        let store = other?.store ?? StoreDouble()
        let keys = other?.keys ?? KeysDouble()
        self.rules = try Rules(parsing: Array(rules.utf8), fileName: "rules")
        self.wallet = wallet
        self.store = store
        self.keys = keys
        let draws = IDs()
        gate = Gate(
            parts: Gate.Parts(
                wallets: { name in name == nil ? [wallet] + others : [] },
                books: Books(
                    ledger: store,
                    free: store,
                    pending: store,
                    journal: store,
                    keys: keys
                ),
                random: { count in
                    let drawn = UInt8(
                        truncatingIfNeeded: draws.withLock {
                            $0 += 1; return $0
                        }
                    )
                    return [UInt8](repeating: drawn, count: count)
                },
                isThere: isThere,
                waitABit: { _ in true },
                waiting: waiting,
                page: { page },
                // No code that anybody could read.
                qr: { text in
                    (0..<21).map { row in (0..<21).map { (row + $0 + text.utf8.count) % 2 == 0 } }
                }
            ),
            policy: policy
        )
    }

    /// As the defaults are, and goods for every rule that names none.
    static func policy() -> Gate.Policy {
        var policy = Gate.Policy()
        policy.defaultServe = .named("@goods")
        return policy
    }

    /// Asks as a client at 192.0.2.1 would; header fields by their CGI names.
    func ask(
        _ method: String = "GET",
        _ uri: String,
        body: String = "",
        at now: UInt64 = Self.now,
        isAuthorizer: Bool = false,
        _ parameters: [String: String] = [:]
    ) throws -> Decision {
        let all = [
            "REQUEST_METHOD": method, "REQUEST_URI": uri, "REMOTE_ADDR": "192.0.2.1",
        ].merging(parameters) { $1 }
        let request = try Request(
            isAuthorizer: isAuthorizer,
            parameter: { all[$0].map { Array($0.utf8) } },
            readBody: { body.utf8.count > $0 ? .tooLarge : .whole(Array(body.utf8)) },
            searchBody: { body.contains($0) },
            fallbackID: {
                String(
                    ids.withLock {
                        $0 += 1; return $0
                    }
                )
            }
        )
        return gate.decide(request, rules: rules, now: now)
    }
}

extension Decision {
    /// The first value of a header field of the answer.
    func header(_ name: String) -> String? { answer.headers.first { $0.name == name }?.value }

    var bodyText: String { String(decoding: answer.body, as: UTF8.self) }

    /// The token of the challenge.
    var token: String {
        let line = header("WWW-Authenticate") ?? ""
        return line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
    }
}
