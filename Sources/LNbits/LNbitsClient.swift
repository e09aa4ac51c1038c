import Curl
import Lightning
import POSIX
import Synchronization
import Wallets

/// A wallet in LNbits, with an invoice/read key. Everything that answers is checked: that it is
/// LNbits, and that it speaks of what was asked.
package final class LNbitsClient: InvoiceIssuer {
    /// What asking at the start shows.
    package enum StartState: Sendable {
        /// The key is a wallet's invoice/read key.
        case ready
        /// The key can spend.
        case adminKey
        /// LNbits does not know the key; its words.
        case badKey(String)
        /// Nothing can be said.
        case unavailable(WalletError)
    }

    /// Everybody's first request waits for as long at most.
    private static let startMilliseconds: UInt64 = 3000

    private let server: LNbitsServer
    private let key: String
    private let keyName: String
    private let checks = Coalescer<Asked, Result<WalletPayment?, WalletError>>()
    private let rateQuestions = Coalescer<String, Result<FiatRate, WalletError>>()
    private let unpaid = UnpaidAnswers()
    private let walletID = Mutex<String?>(nil)
    /// Whether the key is one that may not be used; `nil` while nobody has been able to say.
    private let isAdminKey = Mutex<Bool?>(nil)

    /// A question under way. Who redeems must not share the refusal of one who only wants to know.
    private struct Asked: Hashable {
        let hash: PaymentHash
        let question: Question
    }

    /// A client of one wallet.
    ///
    /// - Parameters:
    ///   - server: The LNbits that it is in.
    ///   - key: Invoice/read key.
    ///   - keyName: The variable that holds it, for messages.
    package init(_ server: LNbitsServer, key: String, keyName: String = "LNBITS_KEY") {
        self.server = server
        self.key = key
        self.keyName = keyName
    }

    /// Makes an invoice; never repeated blindly, since each is a row in LNbits for ever.
    package func makeInvoice(_ order: InvoiceOrder) throws(WalletError) -> Invoice {
        try server.checkMayCreate()
        try refuseAdminKey()
        let request = CreateRequest(
            amount: order.sats,
            memo: order.memo,
            expiry: order.expirySeconds,
            extra: order.extra
        )
        var call = call("create", "/api/v1/payments", .create)
        call.method = "POST"
        call.body = request
        let created: CreateReply = try server.answer(call, status: 201)
        let invoice = try InvoiceCheck.check(created, against: order)
        walletID.withLock { $0 = created.wallet_id ?? $0 }
        return invoice
    }

    /// Asks of a payment; equal questions under way are asked once, and one that was just answered
    /// with "not paid" is answered so again for a second.
    package func payment(_ hash: PaymentHash, for question: Question) throws(WalletError)
        -> WalletPayment?
    {
        if let known = unpaid.answer(of: hash, for: question) { return known }
        let deadline = MonotonicTime.now().adding(milliseconds: server.timeoutMilliseconds)
        server.willWait()
        let asked = Asked(hash: hash, question: question)
        let result = checks.value(for: asked, deadline: deadline) {
            () -> Result<WalletPayment?, WalletError> in
            do throws(WalletError) {
                let answer = try self.askPayment(hash, for: question)
                self.unpaid.keep(answer, of: hash)
                return .success(answer)
            } catch {
                return .failure(error)
            }
        }
        guard let result else { throw WalletError(.timeout, "check: no answer in time") }
        return try result.get()
    }

    private func askPayment(_ hash: PaymentHash, for question: Question) throws(WalletError)
        -> WalletPayment?
    {
        // `{id}` also matches other columns; only 64 lower-case hex digits are ever asked for.
        let call = call(
            "check",
            "/api/v1/payments/\(hash.hex)",
            question == .redemption ? .check : .status
        )
        let reply = try server.reply(call)
        if server.isNotFound(reply, AnswerOrigin.noPayment) { return nil }
        let checked: CheckReply = try server.message(in: reply, of: call)
        guard let details = checked.details else {
            // LNbits answers 200 without details to a key that it does not know.
            throw WalletError(
                .badKey,
                "check: LNbits does not know \(keyName) (no details in its answer)"
            )
        }
        let payment = try PaymentCheck.check(checked, details, isOf: hash)
        // A payment that opens nothing need not be asked a second question about.
        if let payment { try checkWallet(of: details, isAsked: payment.isPaid) }
        return payment
    }

    /// Payments that LNbits is asked about at once: some 60 kB.
    private static let listedPayments = 50

    /// Asks for the newest payments that came in. By a path of its own: LNbits limits requests by
    /// address and path, and `/api/v1/payments` is where invoices are made.
    package func paidLately() throws(WalletError) -> PaidLately {
        // 0.12 knows no status to look for, and lists what is pending too.
        let call = call(
            "payments",
            "/api/v1/payments/paginated?status=success&amount%5Bgt%5D=0&sortby=time&direction=desc"
                + "&limit=\(Self.listedPayments)",
            .status
        )
        let page: PaidPage = try server.answer(call)
        return PaidLately(
            paid: page.data.filter(\.isPaid).compactMap {
                $0.payment_hash.flatMap { PaymentHash(hex: $0) }
            },
            since: page.data.count < Self.listedPayments
                ? 0 : page.data.last?.madeAt ?? .max
        )
    }

    /// What one bitcoin costs, for people: nobody waits for it while LNbits is busy.
    package func unitsPerBitcoin(of currency: String) throws(WalletError) -> Double {
        if let known = server.rates.rate(of: currency) { return try known.get().unitsPerBitcoin }
        let asked = askRate(of: currency, .status, Self.shownRateMilliseconds)
        if case .success = asked { server.rates.keep(asked, of: currency) }
        return try asked.get().unitsPerBitcoin
    }

    /// A page does not wait longer for a number that it can do without.
    private static let shownRateMilliseconds: UInt64 = 1500

    /// What a fiat amount is in sats, rounded up; each currency is asked for once a minute.
    package func sats(for price: FiatAmount) throws(WalletError) -> UInt64 {
        guard let sats = try rate(of: price.currency).sats(hundredths: price.hundredths) else {
            throw WalletError(
                .malformed,
                "conversion: \(price) is more than \(FiatRate.soldSats.upperBound) sats"
            )
        }
        return sats
    }

    private func rate(of currency: String) throws(WalletError) -> FiatRate {
        if let known = server.rates.rate(of: currency) { return try known.get() }
        let deadline = MonotonicTime.now().adding(milliseconds: server.timeoutMilliseconds)
        server.willWait()
        let result = rateQuestions.value(for: currency, deadline: deadline) {
            let asked = self.askRate(of: currency)
            self.server.rates.keep(asked, of: currency)
            return asked
        }
        guard let result else { throw WalletError(.timeout, "conversion: no answer in time") }
        return try result.get()
    }

    private func askRate(
        of currency: String,
        _ kind: CallLimiter.Kind = .create,
        _ timeoutMilliseconds: UInt64? = nil
    ) -> Result<FiatRate, WalletError> {
        var call = call("conversion", "/api/v1/conversion", kind)
        call.timeoutMilliseconds = timeoutMilliseconds
        call.method = "POST"
        call.body = ConversionRequest(to: currency)
        do throws(WalletError) {
            let amounts: [String: Double] = try server.answer(call)
            guard let rate = amounts[currency].flatMap(FiatRate.init(unitsPerBitcoin:)) else {
                throw WalletError(.malformed, "conversion: there is no price of \(currency)")
            }
            return .success(rate)
        } catch {
            return .failure(error)
        }
    }

    /// Asks once who we are.
    package func checkAtStart() -> StartState {
        do throws(WalletError) {
            return try askWhetherAdmin() ? .adminKey : .ready
        } catch {
            if error.kind == .badKey { return .badKey(error.reason) }
            return .unavailable(error)
        }
    }

    /// Whether the breaker is open: LNbits is not asked at present.
    package var isBreakerOpen: Bool { server.isBreakerOpen }

    /// The base URL as it may be shown: without user and password.
    package var shownURL: String { server.shownURL }

    /// Seconds since 1970 by LNbits' clock; see ``LNbitsServer/secondClock``.
    package var secondClock: UInt64? { server.secondClock }

    // MARK: - Whose key, whose payment

    private func askWhetherAdmin() throws(WalletError) -> Bool {
        var call = call("wallet", "/api/v1/wallet", .check)
        call.timeoutMilliseconds = Self.startMilliseconds
        let wallet: WalletReply = try server.answer(call)
        let isAdmin = wallet.id != nil
        isAdminKey.withLock { $0 = isAdmin }
        return isAdmin
    }

    /// Nothing is sold with a key that can spend, also where nobody could ask at the start: LNbits
    /// was down, or the settings came with a request.
    private func refuseAdminKey() throws(WalletError) {
        var isAdmin = isAdminKey.withLock { $0 }
        if isAdmin == nil {
            do throws(WalletError) {
                isAdmin = try askWhetherAdmin()
            } catch {
                // What is not LNbits, or does not answer that, shows at the order itself.
                guard [.notLNbits, .refused, .malformed].contains(error.kind) else { throw error }
            }
        }
        guard isAdmin != true else {
            throw WalletError(
                .badKey,
                "\(keyName): this is the wallet's admin key, which can spend; give its invoice/read key",
                retryAfterSeconds: 60
            )
        }
    }

    /// Holds a payment against the wallet that the key is of.
    ///
    /// - Parameter isAsked: Whether LNbits is asked which wallet that is, when it has not said yet.
    private func checkWallet(of details: CheckReply.Details, isAsked: Bool) throws(WalletError) {
        var ours = walletID.withLock { $0 }
        if ours == nil, isAsked { ours = try askWalletID() }
        // No release leaves the wallet out; what knows ours and does not tell theirs is a copy.
        guard let ours, ours != details.wallet_id else { return }
        throw WalletError(.malformed, "check: the payment is of another wallet")
    }

    /// The wallet of our newest payment: an invoice key is told its wallet in no other way.
    /// `nil` from what does not say it.
    private func askWalletID() throws(WalletError) -> String? {
        let call = call("payments", "/api/v1/payments?limit=1", .check)
        let reply = try server.reply(call)
        if AnswerOrigin.words(of: reply) != nil, [400, 404, 405].contains(reply.status) {
            return nil
        }
        let listed: [ListedPayment] = try server.message(in: reply, of: call)
        guard let newest = listed.first else {
            throw WalletError(
                .malformed,
                "check: LNbits tells of a payment, and has none in the wallet of \(keyName)"
            )
        }
        if let id = newest.wallet_id { walletID.withLock { $0 = id } }
        return newest.wallet_id
    }

    private func call(_ what: String, _ path: String, _ kind: CallLimiter.Kind)
        -> LNbitsServer.Call
    {
        LNbitsServer.Call(
            path: path,
            kind: kind,
            origin: AnswerOrigin(
                what: what,
                keyName: keyName,
                urlName: server.urlName,
                key: key
            )
        )
    }
}

extension LNbitsClient {
    /// Asks of all wallets at the same time who we are, so that one that hangs costs no more than
    /// its own deadline; in the order given.
    ///
    /// - Parameter start: Runs something on a thread of its own; false when there is none.
    package static func checkAtStart(
        _ clients: [LNbitsClient],
        onThread start: (@escaping @Sendable () -> Void) -> Bool
    ) -> [StartState] {
        let states = Monitor<[Int: StartState]>([:])
        for (number, client) in clients.enumerated() {
            let ask: @Sendable () -> Void = {
                let state = client.checkAtStart()
                states.change { $0[number] = state }
            }
            // The last one, and what finds no thread, is asked here.
            if number == clients.count - 1 || !start(ask) { ask() }
        }
        let deadline = MonotonicTime.now().adding(milliseconds: startMilliseconds + 1000)
        _ = states.wait(until: deadline) { $0.count == clients.count ? true : nil }
        let known = states.changeUnseen { $0 }
        return clients.indices.map {
            known[$0] ?? .unavailable(WalletError(.timeout, "wallet: no whole answer in time"))
        }
    }
}
