import L402
import Lightning
import Synchronization

@testable import Paywall

/// A wallet in memory: what it is told happened, happened.
final class WalletDouble: InvoiceSource {
    struct State {
        var made = 0
        var asked = 0
        var orders: [PaymentHash: (order: InvoiceOrder, isPaid: Bool)] = [:]
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
            state.orders[hash] = (order, false)
            return .success(
                Invoice(
                    bolt11: "lnbc\(state.made)",
                    paymentHash: hash,
                    expiresAt: GateSetup.now + order.expirySeconds,
                    amount: amount
                )
            )
        }
        return try result.get()
    }

    func payment(_ hash: PaymentHash, for question: Question) throws(WalletError) -> WalletPayment?
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
                        expiresAt: GateSetup.now + known.order.expirySeconds,
                        amount: price
                    ),
                    extra: known.order.extra
                )
            )
        }
        return try result.get()
    }

    func sats(for price: FiatAmount) throws(WalletError) -> UInt64 { price.hundredths * 10 }

    func pay(_ hash: PaymentHash) { state.withLock { $0.orders[hash]?.isPaid = true } }
}

/// Payments, free requests, places and events in memory.
final class StoreDouble: PaymentLedger, FreeCounter, PendingInvoices, Journal {
    struct State {
        var used: [PaymentHash: UInt64] = [:]
        var terms: [PaymentHash: PurchaseTerms] = [:]
        var free: [[UInt8]: UInt32] = [:]
        var places: [[UInt8]: Int] = [:]
        var events: [JournalEvent] = []
        var isBroken = false
    }
    let state = Mutex(State())

    private func check() throws(StateError) {
        if state.withLock({ $0.isBroken }) { throw StateError("no space left") }
    }

    func take(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        try check()
        return state.withLock { state in
            guard let used = state.used[claim.paymentHash] else { return .unknown }
            guard let uses = claim.uses else { return .taken(usesLeft: nil) }
            guard used < min(uses, claim.cap ?? uses) else { return .spent }
            state.used[claim.paymentHash] = used + 1
            return .taken(usesLeft: uses - used - 1)
        }
    }

    func open(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> TakeOutcome {
        try check()
        state.withLock {
            $0.used[claim.paymentHash] = $0.used[claim.paymentHash] ?? 0
            $0.terms[claim.paymentHash] = PurchaseTerms(
                service: claim.service,
                tier: claim.tier,
                validUntil: claim.validUntil,
                uses: claim.uses,
                priceSats: claim.price.msat / 1000
            )
        }
        return try take(claim, now: now)
    }

    func terms(of hash: PaymentHash) throws(StateError) -> PurchaseTerms? {
        try check()
        return state.withLock { $0.terms[hash] }
    }

    func giveBack(_ claim: PaymentClaim, now: UInt64) throws(StateError) -> Bool {
        state.withLock { state in
            guard let used = state.used[claim.paymentHash], used > 0 else { return false }
            state.used[claim.paymentHash] = used - 1
            return true
        }
    }

    func take(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome {
        try check()
        return state.withLock { state in
            let count = state.free[claim.rule + claim.client, default: 0]
            guard count < claim.limit else {
                return FreeOutcome(isGranted: false, left: 0, resetSeconds: 60)
            }
            state.free[claim.rule + claim.client] = count + 1
            return FreeOutcome(isGranted: true, left: claim.limit - count - 1, resetSeconds: 60)
        }
    }

    func peek(_ claim: FreeClaim, now: UInt64) throws(StateError) -> FreeOutcome {
        FreeOutcome(isGranted: false, left: 0, resetSeconds: 0)
    }

    func giveBack(_ claim: FreeClaim, takenAt: UInt64) throws(StateError) {
        state.withLock { state in
            let key = claim.rule + claim.client
            state.free[key] = (state.free[key] ?? 1) - 1
        }
    }

    func reserve(client: [UInt8], limit: Int, expiresAt: UInt64, now: UInt64) throws(StateError)
        -> PendingOutcome
    {
        try check()
        return state.withLock { state in
            guard state.places[client, default: 0] < limit else {
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

    func record(_ event: JournalEvent) { state.withLock { $0.events.append(event) } }
}

/// Master keys in memory.
final class KeysDouble: Sendable {
    let state = Mutex(["k"].compactMap { key(named: $0) })

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
    let rules: Rules
    let gate: Gate
    /// What the gate signs and verifies with; the last one signs.
    let keys: KeysDouble

    init(_ rules: String, policy: Gate.Policy = Gate.Policy()) throws {
        let wallet = WalletDouble()
        let store = StoreDouble()
        let keys = KeysDouble()
        self.rules = try Rules(parsing: Array(rules.utf8), fileName: "rules")
        self.wallet = wallet
        self.store = store
        self.keys = keys
        gate = Gate(
            parts: Gate.Parts(
                wallet: { $0 == nil ? wallet : nil },
                ledger: store,
                free: store,
                pending: store,
                journal: store,
                keys: { keys.state.withLock { $0 } },
                random: { [UInt8](repeating: 3, count: $0) }
            ),
            policy: policy
        )
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
            "REQUEST_ID": "r1",
        ].merging(parameters) { $1 }
        let request = try Request(
            isAuthorizer: isAuthorizer,
            parameter: { all[$0].map { Array($0.utf8) } },
            readBody: { body.utf8.count > $0 ? .tooLarge : .whole(Array(body.utf8)) }
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
