import Foundation
import Testing

@testable import Goods

@Suite("Texts that stand above a price") final class TeaserTests {
    private let root: URL
    private let texts: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "l402-teasers-\(UUID())")
        texts = root.appending(path: "texts")
        try FileManager.default.createDirectory(
            at: texts.appending(path: "sub/.hidden"),
            withIntermediateDirectories: true
        )
        for (name, text) in [
            ("texts/a.txt", "0123456789"), ("texts/sub/index.html", "index"), ("secret", "secret"),
            ("texts/sub/.hidden/x", "hidden"), ("texts/.env", "hidden"), ("texts/rules", "rules"),
        ] {
            try Data(text.utf8).write(to: root.appending(path: name))
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    @Test("one is short, whole and below its directory")
    func teaser() throws {
        func teaser(_ path: String, except: [String] = []) -> FileGoods.Teaser {
            FileGoods.teaser(Array(path.utf8), below: texts.path, except: except)
        }
        #expect(teaser("/a.txt") == .text("0123456789"))
        for path in ["/sub", "/sub/", "/sub/index.html"] { #expect(teaser(path) == .text("index")) }
        for path in ["/", "/nothing", "/.env", "/../secret", "/a.txt/", "", "/sub/.hidden/x"] {
            #expect(teaser(path) == .none, "\(path)")
        }
        #expect(teaser("/rules", except: [texts.appending(path: "rules").path]) == .none)
        try FileManager.default.createSymbolicLink(
            at: texts.appending(path: "link"),
            withDestinationURL: root.appending(path: "secret")
        )
        #expect(teaser("/link") == .none)
        let file = texts.appending(path: "long")
        try Data(repeating: 0x61, count: 16_384).write(to: file)
        #expect(teaser("/long") == .text(String(repeating: "a", count: 16_384)))
        try Data(repeating: 0x61, count: 16_385).write(to: file)
        #expect(teaser("/long") == .unfit("is longer than 16384 bytes"))
        try Data([0x61, 0xff]).write(to: file)
        #expect(teaser("/long") == .unfit("is not UTF-8 text"))
    }
}
