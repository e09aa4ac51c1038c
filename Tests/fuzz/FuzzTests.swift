import Curl
import FoundationEssentials
import Glibc
import HTTP
import Settings
import Store
import TestTools
import Testing
import Text
import Wallets

@testable import FlatFiles
@testable import Goods
@testable import L402
@testable import LNbits
@testable import Lightning
@testable import Macaroons
@testable import Paywall
@testable import Settings

/// Inputs for each parser that bytes from outside reach. A trap ends the process, and with it the
/// run; what takes long or grows is told. L402_FUZZ_COUNT says how many inputs each gets,
/// L402_FUZZ_SEED where they begin.
@Suite("Parsers take any bytes", .serialized) struct FuzzTests {
    private static let count = number("L402_FUZZ_COUNT") ?? 3000
    private static let seed = UInt64(number("L402_FUZZ_SEED") ?? 402)

    private static func number(_ variable: String) -> Int? {
        getenv(variable).flatMap { Int(String(cString: $0)) }
    }

    private func fuzz(_ room: String, _ parse: ([UInt8]) -> Void) throws {
        var mutator = try Mutator(room: room, seed: Self.seed)
        // What is made once and kept does not count as growth.
        for _ in 0..<min(1000, Self.count) { parse(mutator.next()) }
        let before = residentKilobytes()
        let clock = ContinuousClock()
        for _ in 0..<Self.count {
            let input = mutator.next()
            let time = clock.measure { parse(input) }
            if time > .seconds(10) {
                Issue.record(
                    "\(room): \(time) for \(input.count) bytes: \(Hex.encode(input.prefix(200)))"
                )
            }
        }
        let grown = residentKilobytes() - before
        #expect(grown < 64 * 1024, "\(room) grew by \(grown) kB")
    }

    private func residentKilobytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var pages = 0
        var resident = 0
        return withUnsafeMutablePointer(to: &pages) { first in
            withUnsafeMutablePointer(to: &resident) { second in
                withVaList([first, second]) { vfscanf(file, "%ld %ld", $0) }
            }
        } == 2 ? resident * 4 : 0
    }

    @Test func `Authorization and the other places of a credential`() throws {
        let key = try #require(MasterKey(id: "k", bytes: Array(1...32), created: 0))
        try fuzz("authorization") { bytes in
            var sources = CredentialSources()
            sources.authorization = bytes
            sources.cookie = Array("l402=".utf8) + bytes
            sources.paymentHashBody = bytes
            sources.macaroonHeader = bytes
            for case .tokens(let tokens, _, _) in PresentedCredentials(sources).credentials {
                for token in tokens {
                    let verified = try? token.verified(
                        by: [key],
                        for: "x",
                        tier: 0,
                        isWithin: { _ in true },
                        now: 0
                    )
                    #expect(verified == nil)
                }
            }
        }
    }

    @Test func macaroons() throws {
        try fuzz("macaroon") { bytes in
            guard let macaroon = try? Macaroon(decoding: bytes) else { return }
            // What was read is written the same way and read again.
            #expect((try? Macaroon(decoding: macaroon.encoded))?.encoded == macaroon.encoded)
            _ = try? Token(decoding: bytes)
        }
    }

    @Test func invoices() throws {
        try fuzz("bolt11") { bytes in
            _ = try? Bolt11Invoice(decoding: String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func rules() throws {
        try fuzz("rules") { bytes in
            guard let rules = try? Rules(parsing: bytes, fileName: "rules") else { return }
            _ = rules.match(method: "GET", host: "a.example", path: Array("/a/b/b/c".utf8))
        }
    }

    @Test func `environment files and settings`() throws {
        try fuzz("environment") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = SecretText.masked(text)
            _ = SecretText.quoted(text)
            guard let variables = try? EnvironmentFile.parse(bytes, path: "env") else { return }
            let files = SettingsFiles(read: { _ in bytes }, isSafe: { _ in false })
            for origin in [SettingsLayer.Origin.request, .process] {
                let layers = [
                    SettingsLayer(variables, from: origin),
                    SettingsLayer(["LNBITS_KEY": text, "L402_LISTEN": text], from: .process),
                ]
                _ = try? GateSettings(layers: layers, trust: .loopback, files: files)
            }
        }
    }

    @Test func `JSON of clients`() throws {
        try fuzz("client-json") { bytes in
            let fields = BodyFields(bytes, names: ["prompt", "payment_hash", "a"])
            _ = (fields.has("prompt"), fields.text("payment_hash"))
        }
    }

    @Test func `JSON of LNbits`() throws {
        let order = InvoiceOrder(sats: 21, memo: "m", expirySeconds: 600, extra: [:])
        let hash = PaymentHash(bytes: [UInt8](repeating: 7, count: 32))
        try fuzz("lnbits-json") { bytes in
            let data = Data(bytes)
            let decoder = JSONDecoder()
            if let reply = try? decoder.decode(CreateReply.self, from: data) {
                #expect((try? InvoiceCheck.check(reply, against: order)) == nil)
            }
            if let rates = try? decoder.decode([String: Double].self, from: data) {
                _ = rates.values.map { FiatRate(unitsPerBitcoin: $0)?.sats(hundredths: 25) }
            }
            _ = try? decoder.decode([ListedPayment].self, from: data)
            _ = try? decoder.decode(ErrorReply.self, from: data)
            if let checked = try? decoder.decode(CheckReply.self, from: data),
                let details = checked.details, let hash
            {
                #expect((try? PaymentCheck.check(checked, details, isOf: hash))??.isPaid != true)
            }
            _ = SafeText.clean(String(decoding: bytes, as: UTF8.self), limit: 120)
            _ = try? decoder.decode(WalletReply.self, from: data)
        }
    }

    @Test func `paths and queries`() throws {
        try fuzz("path") { bytes in
            guard let path = try? RequestPath(requestURI: bytes) else { return }
            #expect(path.bytes.first == UInt8(ascii: "/"))
            #expect(!path.encodedForHeader.contains { $0 <= 0x20 || $0 >= 0x7f })
            // What the path means, it means when it is written out.
            #expect((try? RequestPath(requestURI: path.encodedForHeader))?.bytes == path.bytes)
            _ = (path.readings, path.isAmbiguous)
            // What a request would buy opens that request, however it is spelled.
            for per in [SinglePer.path, .url(["a", "page"])] {
                guard let sold = SoldAddress(path, per: per) else { continue }
                #expect(sold.place(of: BoughtAddress(sold.text)) == .itself)
                #expect(sold.place(of: .digested(sold.text)) == .itself)
                let written = try? RequestPath(requestURI: Array(sold.text.utf8))
                #expect(written.flatMap { SoldAddress($0, per: per) }?.text == sold.text)
            }
        }
    }

    @Test func `files of payments`() throws {
        try fuzz("payment") { bytes in
            guard var file = PaymentFile(bytes) else { return }
            let used = file.used
            let claim = PaymentClaim(
                paymentHash: file.paymentHash,
                terms: file.terms,
                requestID: "r",
                delivery: DeliveryKey(
                    address: Array(1...8),
                    graceSeconds: 60,
                    mayRepeat: bytes.count.isMultiple(of: 2)
                )
            )
            _ = file.repeatDelivery(
                DeliveryKey(address: Array(1...8), graceSeconds: 60, mayRepeat: true),
                now: 1
            )
            guard used < 9_999_999_999 else { return }
            file.take(claim, now: 1_800_000_000)
            #expect(PaymentFile(file.text)?.used == used + 1)
            _ = file.giveBack(requestID: "r", .failure, now: 1_800_000_000)
            #expect(PaymentFile(file.text) != nil)
            file.refund()
            file.revoke()
            #expect(PaymentFile(file.text)?.isRevoked == true)
        }
    }

    @Test func `counts of a minute, marks and lines of the journal`() throws {
        try fuzz("books") { bytes in
            if let counts = MinuteCounts(bytes) {
                #expect(counts.events.count <= MinuteCounts.maximumKeys + 7)
                #expect(MinuteCounts(counts.text) != nil)
            }
            if var mark = SweepMark(bytes) {
                #expect(mark.text.isEmpty || SweepMark(mark.text) == mark)
                mark.doubt(now: 1)
                mark.advance(to: 86_400, now: 1)
                #expect(SweepMark(mark.text) == mark)
            }
            let lines = bytes.split(separator: 0x0a)
            let columns = lines.first.flatMap { JournalColumns($0) }
            for line in lines {
                _ = JournalFormat.File(name: String(decoding: line, as: UTF8.self))
                guard let read = columns?.event(line) else { continue }
                let text = JournalFormat.line(read.event, time: [], count: read.count)
                #expect(text.count { $0 == 0x0a } == 1)
            }
        }
    }

    @Test func `tables of the state`() throws {
        try fuzz("keys") { bytes in
            _ = TableHead(
                bytes + [UInt8](repeating: 0, count: max(0, HashedTable.pageBytes - bytes.count))
            )
            var page = Array(bytes.prefix(HashedTable.pageBytes))
            page += [UInt8](repeating: 0, count: HashedTable.pageBytes - page.count)
            let table = TablePage(page, path: "x")
            _ = (table.isSound, table.find(7), table.slots.count, table.freeSlot(page: 0, pages: 3))
            _ = CalendarText.seconds(String(decoding: bytes, as: UTF8.self))
            _ = HashedTable.pages(page[..<10])
        }
    }

    @Test func `ranges, dates and conditions`() throws {
        let conditions = FileConditions(
            size: 10,
            modifiedSeconds: 784_111_777,
            modifiedNanoseconds: 5
        )
        try fuzz("range") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = (
                ByteRanges(text, size: 10), HTTPDate.seconds(text), conditions.verdict { _ in text }
            )
        }
    }

    @Test func `addresses, durations and other fields`() throws {
        try fuzz("headers") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = (ClientAddress(bytes), DurationText.seconds(text), ServeTarget(text))
            #expect(String(foreign: bytes).utf8.count <= bytes.count)
            let request = try? Request(
                isAuthorizer: false,
                parameter: { $0 == "REQUEST_URI" ? Array("/".utf8) + bytes : bytes },
                readBody: { _ in .whole(bytes) }
            )
            _ = request?.query("payment_hash")
        }
    }
}
