import L402
import Store
import TestTools
import Testing

/// The master keys.
struct KeyRingTests {
    let tested: TestedBooks

    init() throws { tested = try TestedStore.chosen.make() }

    private var keys: any KeyRing { tested.books.keys }

    @Test func `there is a key from the start, the same for everybody`() throws {
        let first = try keys.keys()
        #expect(first.count == 1)
        #expect(try tested.again().books.keys.keys().map(\.bytes) == first.map(\.bytes))
    }

    @Test func `a new key signs, the old ones still verify, and who runs already sees it`() throws {
        let before = try keys.keys().map(\.id)
        let id = try tested.again().books.keys.rotate(now: noon)
        #expect(try keys.keys().map(\.id) == before + [id])
    }
}
