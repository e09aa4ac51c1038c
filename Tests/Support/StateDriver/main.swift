import FlatFiles
import Glibc
import L402
import Lightning
import Store
import Text

// A process that uses a state directory as a gate does, for tests that need several of them and
// for tests that kill them.
//
//     StateDriver COMMAND DIRECTORY OUTPUT NOW [ARGUMENT…]
//
// It appends a line to OUTPUT after each thing that a client would have been served for.

guard CommandLine.arguments.count >= 5, let now = UInt64(CommandLine.arguments[4]) else {
    print("usage: StateDriver COMMAND DIRECTORY OUTPUT NOW [ARGUMENT...]")
    exit(2)
}
let words = Array(CommandLine.arguments.dropFirst(5))
let output = open(CommandLine.arguments[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)

func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
}

/// The books, through their contract.
func store(_ directory: StateDirectory) -> FlatBooks { FlatBooks(directory, isOneShot: false) }

func number(_ index: Int) -> UInt64 {
    words.indices.contains(index) ? UInt64(words[index]) ?? 0 : 0
}

func hash(_ value: UInt64) -> PaymentHash? {
    let bytes = (0..<32).map { UInt8(truncatingIfNeeded: value >> UInt64($0 % 8 * 8)) }
    return PaymentHash(bytes: bytes)
}

func claim(_ hash: PaymentHash, uses: UInt64, until: UInt64, request: String = "") -> PaymentClaim {
    PaymentClaim(
        paymentHash: hash,
        terms: PurchaseTerms(service: "dvm", tier: 0, validUntil: until, uses: uses, priceSats: 21),
        requestID: request
    )
}

func freeClaim(
    _ client: UInt64,
    limit: UInt32,
    _ period: FreePeriod = .day,
    request: String = ""
) -> FreeClaim {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: client >> UInt64($0 * 8)) }
    return FreeClaim(
        rule: [1],
        client: bytes,
        network: Array(bytes[4...]),
        limit: limit,
        period: period,
        requestID: request
    )
}

/// Takes a use, or puts the payment on record: what the gate does once the wallet has confirmed.
func redeem(_ payments: any PaymentLedger, _ claim: PaymentClaim) throws(StateError) -> TakeOutcome
{
    let outcome = try payments.take(claim, now: now)
    return outcome == .unknown ? try payments.open(claim, now: now) : outcome
}

/// Interrupts whatever system call is going on, a thousand times a second.
func interruptOften() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(SIGALRM, &action, nil)
    var often = itimerval(
        it_interval: timeval(tv_sec: 0, tv_usec: 1000),
        it_value: timeval(tv_sec: 0, tv_usec: 1000)
    )
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &often, nil)
}

/// So that all processes of a test begin together.
func waitForStart() {
    guard let path = getenv("STATE_DRIVER_GO") else { return }
    while access(path, F_OK) != 0 { usleep(200) }
}

/// redeem USES COUNT [interrupted]: takes uses of one payment.
func raceForPayment(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    if words.contains("interrupted") { interruptOften() }
    for _ in 0..<number(1) {
        let outcome = try redeem(payments, claim(hash, uses: number(0), until: now + 3600))
        if case .taken = outcome { say("taken") }
    }
}

/// free LIMIT COUNT: takes free requests of one client.
func raceForFree(_ directory: StateDirectory) throws(StateError) {
    let free = store(directory).books.free
    for _ in 0..<number(1) {
        let claim = freeClaim(1, limit: UInt32(clamping: number(0)))
        if try free.take(claim, now: now).isGranted { say("taken") }
    }
}

/// mix USES: takes and returns uses of one payment, until killed.
func takeAndReturn(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    while true {
        let request = String(UInt64.random(in: .min ... .max), radix: 16)
        let claim = claim(hash, uses: number(0), until: now + 3600, request: request)
        if case .taken = try redeem(payments, claim) {
            say("taken")
            if Bool.random() {
                say("returning")
                if try payments.giveBack(claim, .nothingDelivered, now: now) { say("returned") }
            }
        }
    }
}

/// same COUNT: one request, asked for again and again; says what each asking was told.
func askAgain(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    let free = store(directory).books.free
    for _ in 0..<number(0) {
        let claim = claim(hash, uses: 10, until: now + 3600, request: "one")
        switch try redeem(payments, claim) {
        case .taken: say("taken")
        case .repeated: say("repeated")
        case let other: say("\(other)")
        }
        if try free.take(freeClaim(1, limit: 10, request: "one"), now: now).isGranted {
            say("free")
        }
    }
}

/// return COUNT: returns what the requests 0, 1, 2… took; says which did.
func returnAll(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    let free = store(directory).books.free
    for id in 0..<number(0) {
        let claim = claim(hash, uses: 50, until: now + 3600, request: "\(id)")
        if try payments.giveBack(claim, .nothingDelivered, now: now) { say("use \(id)") }
        let request = freeClaim(1, limit: 50, request: "\(id)")
        if try free.giveBack(request, .nothingDelivered, takenAt: now) { say("free \(id)") }
    }
}

/// grace COUNT: asks for further ranges of one delivery.
func repeatDelivery(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    for id in 0..<number(0) {
        let key = DeliveryKey(
            address: [UInt8](repeating: 1, count: 8),
            graceSeconds: 600,
            mayRepeat: true
        )
        let claim = PaymentClaim(
            paymentHash: hash,
            terms: claim(hash, uses: 1, until: now + 3600).terms,
            requestID: "\(getpid())-\(id)",
            delivery: key
        )
        if case .withinGrace = try payments.take(claim, now: now) { say("free") }
    }
}

/// endless USES: takes uses for requests of its own, saying each before and after, until killed.
func takeEndlessly(_ directory: StateDirectory) throws(StateError) {
    guard let hash = hash(7) else { return }
    let payments = store(directory).books.ledger
    for id: UInt64 in 0... {
        let request = "\(getpid())-\(id)"
        say("asking \(request)")
        let claim = claim(hash, uses: number(0), until: now + 3600, request: request)
        if case .taken = try redeem(payments, claim) { say("taken \(request)") }
    }
}

/// Has the kernel answer every `flock` of this process with an error, as file systems without locks
/// do; false where that cannot be had.
func refuseLocks(_ error: Int32) -> Bool {
    #if arch(x86_64)
        let flockCall: UInt32 = 73
    #else
        let flockCall: UInt32 = 32
    #endif
    // BPF: load the number of the call; flock returns the error, everything else is allowed.
    let program: [(UInt16, UInt8, UInt8, UInt32)] = [
        (0x20, 0, 0, 0), (0x15, 0, 1, flockCall),
        (0x06, 0, 0, 0x0005_0000 | UInt32(error)), (0x06, 0, 0, 0x7fff_0000),
    ]
    var code: [UInt8] = []
    for (operation, isTrue, isFalse, value) in program {
        code += withUnsafeBytes(of: operation) { Array($0) } + [isTrue, isFalse]
        code += withUnsafeBytes(of: value) { Array($0) }
    }
    typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
    guard let address = dlsym(dlopen(nil, RTLD_NOW), "prctl") else { return false }
    let control = unsafeBitCast(address, to: Control.self)
    return code.withUnsafeBytes { code in
        // A `struct sock_fprog`: a count, and where the instructions are.
        let head = [UInt(program.count), UInt(bitPattern: code.baseAddress)]
        return head.withUnsafeBytes { head in
            control(38, 1, 0, 0, 0) == 0
                && control(22, 2, UInt(bitPattern: head.baseAddress), 0, 0) == 0
        }
    }
}

/// nolocks ERROR: opens the directory where there are no locks.
func openWithoutLocks() {
    guard refuseLocks(Int32(truncatingIfNeeded: number(0))) else { return say("not to be had") }
    do throws(StateError) {
        _ = try StateDirectory(opening: CommandLine.arguments[2])
        say("opened")
    } catch {
        say(error.reason)
    }
}

/// live: opens payments and lets days and windows go by, sweeping, until killed. Says each payment
/// that was served, with its day.
func live(_ directory: StateDirectory) throws(StateError) {
    let payments = store(directory).books.ledger
    let free = store(directory).books.free
    let pending = store(directory).books.pending
    let housekeeping = store(directory).backOffice.housekeeping
    var random = SystemRandomNumberGenerator()
    // An hour at a time, a day at most: of two such processes none sweeps what the other opens.
    for step: UInt64 in 0... {
        let moment = now + min(step * 3600, 86_400)
        let id = random.next()
        guard let hash = hash(id) else { return }
        let claim = claim(hash, uses: 1, until: moment + 7200)
        if case .taken = try payments.open(claim, now: moment) {
            say("opened \(id) \(moment + 7200)")
        }
        for period in FreePeriod.allCases {
            for client in 0..<UInt64(20) {
                _ = try free.take(freeClaim(client &+ id, limit: 3, period), now: moment)
            }
        }
        let place = try pending.reserve(client: [1], limit: 3, expiresAt: moment + 60, now: moment)
        if case .reserved(let place) = place, Bool.random() { try pending.release(place) }
        if Int.random(in: 0..<3) == 0 {
            housekeeping.sweepWindows(now: moment, secondClock: moment)
            _ = try housekeeping.sweepPayments(now: moment, secondClock: moment, maximum: 3)
        }
    }
}

/// starve: with 0, 1, 2… descriptors left, opens a payment and counts a free request; then again
/// with enough of them.
func starve(_ directory: StateDirectory) {
    let payments = store(directory).books.ledger
    let free = store(directory).books.free
    let next = dup(0)
    close(next)
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    for spare in 0..<UInt64(6) {
        guard let hash = hash(100 + spare) else { return }
        let claim = claim(hash, uses: 1, until: now + 3600)
        var low = limit
        low.rlim_cur = rlim_t(next) + rlim_t(spare)
        func attempt(_ name: String) {
            do throws(StateError) {
                say("\(spare) \(name) payment \(try redeem(payments, claim))")
            } catch {
                say("\(spare) \(name) payment failed: \(error.reason)")
            }
            do throws(StateError) {
                let outcome = try free.take(freeClaim(spare, limit: 1), now: now)
                say("\(spare) \(name) free \(outcome.isGranted)")
            } catch {
                say("\(spare) \(name) free failed: \(error.reason)")
            }
        }
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low)
        attempt("low")
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        attempt("high")
    }
}

/// keys: says the keys of the directory.
func sayKeys(_ directory: StateDirectory) throws(StateError) {
    for key in try store(directory).books.keys.keys() { say(Hex.encode(key.bytes)) }
}

/// rotate: adds a key.
func rotate(_ directory: StateDirectory) throws(StateError) {
    say(try store(directory).books.keys.rotate(now: now))
}

/// pending LIMIT COUNT: reserves places of one client.
func raceForPlaces(_ directory: StateDirectory) throws(StateError) {
    let pending = store(directory).books.pending
    for _ in 0..<number(1) {
        let outcome = try pending.reserve(
            client: [9],
            limit: Int(clamping: number(0)),
            expiresAt: now + 60,
            now: now
        )
        if case .reserved(let place) = outcome { say(place.text) }
    }
}

/// journal COUNT: writes events with long paths.
func writeJournal(_ directory: StateDirectory) {
    let journal = store(directory).books.journal
    let path = "/" + String(repeating: "x", count: 1500)
    for _ in 0..<number(0) {
        journal.record(
            JournalEvent(time: now, kind: .paid, service: "dvm", method: "GET", path: path)
        )
    }
}

do throws(StateError) {
    waitForStart()
    if CommandLine.arguments[1] == "nolocks" {
        openWithoutLocks()
        exit(0)
    }
    let directory = try StateDirectory(opening: CommandLine.arguments[2])
    switch CommandLine.arguments[1] {
    case "redeem": try raceForPayment(directory)
    case "free": try raceForFree(directory)
    case "mix": try takeAndReturn(directory)
    case "same": try askAgain(directory)
    case "return": try returnAll(directory)
    case "grace": try repeatDelivery(directory)
    case "endless": try takeEndlessly(directory)
    case "live": try live(directory)
    case "starve": starve(directory)
    case "keys": try sayKeys(directory)
    case "rotate": try rotate(directory)
    case "pending": try raceForPlaces(directory)
    case "journal": writeJournal(directory)
    case let other:
        print("unknown command \(other)")
        exit(2)
    }
} catch {
    say("failed: \(error.reason)")
    exit(1)
}
