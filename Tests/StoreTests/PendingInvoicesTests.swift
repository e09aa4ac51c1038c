import Store
import TestTools
import Testing

/// Places of unpaid invoices.
struct PendingInvoicesTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var pending: any PendingInvoices { tested.books.pending }

    func reserve(
        _ client: UInt8 = 1,
        limit: Int = 2,
        for seconds: UInt64 = 600,
        at now: UInt64 = noon
    ) throws -> PendingPlace? {
        switch try pending.reserve(
            client: [client],
            limit: limit,
            expiresAt: now + seconds,
            now: now
        ) {
        case .reserved(let place): place
        case .full: nil
        }
    }

    @Test func `a client holds so many places and no more`() throws {
        #expect(try reserve(for: 600) != nil)
        #expect(try reserve(for: 300) != nil)
        #expect(
            try pending.reserve(client: [1], limit: 2, expiresAt: noon + 900, now: noon)
                == .full(retryAfterSeconds: 300)
        )
        #expect(try reserve(2) != nil)
    }

    @Test func `a place is free again when its invoice is paid or expired`() throws {
        let first = try #require(try reserve(for: 600))
        #expect(try reserve(for: 600) != nil)
        try pending.release(first)
        #expect(try reserve(for: 100) != nil)
        #expect(try reserve() == nil)
        #expect(try reserve(at: noon + 99) == nil)
        #expect(try reserve(at: noon + 100) != nil)
        #expect(try reserve(at: noon + 100) == nil)
    }

    @Test func `two places are freed as one`() throws {
        let first = try #require(try reserve(1, limit: 1))
        let second = try #require(try reserve(2, limit: 1))
        try pending.release(PendingPlace(text: first.text + "." + second.text))
        #expect(try reserve(1, limit: 1) != nil)
        #expect(try reserve(2, limit: 1) != nil)
    }

    @Test func `a client with many places has them all`() throws {
        let places = try (0..<200).compactMap { _ in try reserve(limit: 200) }
        #expect(Set(places).count == 200)
        #expect(try reserve(limit: 200) == nil)
        #expect(try reserve(2, limit: 200) != nil)
    }

    @Test func `places of yesterday count while they live`() throws {
        let midnight = noon / 86_400 * 86_400 + 86_400
        let first = try #require(try reserve(at: midnight - 10))
        #expect(try reserve(at: midnight - 5) != nil)
        #expect(try reserve(at: midnight + 5) == nil)
        try pending.release(first)
        #expect(try reserve(at: midnight + 5) != nil)
        #expect(try reserve(at: midnight + 5) == nil)
    }

    @Test func `all places of a client who has paid are free again, and no one else's`() throws {
        let midnight = noon / 86_400 * 86_400 + 86_400
        for _ in 0..<9 { #expect(try reserve(limit: 20, at: midnight - 5) != nil) }
        for _ in 0..<11 { #expect(try reserve(limit: 20, at: midnight + 5) != nil) }
        #expect(try reserve(2, limit: 1, at: midnight + 5) != nil)
        #expect(try reserve(limit: 20, at: midnight + 5) == nil)
        try pending.releaseAll(client: [1], now: midnight + 6)
        for _ in 0..<20 { #expect(try reserve(limit: 20, at: midnight + 6) != nil) }
        #expect(try reserve(limit: 20, at: midnight + 6) == nil)
        #expect(try reserve(2, limit: 1, at: midnight + 6) == nil)
    }

    @Test func `a limit of none lets nobody in`() throws {
        #expect(try reserve(limit: 0) == nil)
        #expect(try reserve(limit: -1) == nil)
    }

    @Test func `its text is short and plain`() throws {
        let place = try #require(try reserve())
        #expect(place.text.utf8.count <= 80)
        #expect(
            place.text.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-:.".contains($0))
            }
        )
    }
}
