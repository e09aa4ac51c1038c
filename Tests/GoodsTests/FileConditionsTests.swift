import Testing

@testable import Goods

@Suite("Conditions on a file that a server has compressed") struct FileConditionsTests {
    private let file = FileConditions(size: 10, modifiedSeconds: 1000, modifiedNanoseconds: 7)
    /// The tag without its last quote.
    private var tag: String { String(file.entityTag.dropLast()) }

    private func verdict(_ fields: [String: String]) -> FileConditions.Verdict {
        file.verdict { fields[$0] }
    }

    @Test(
        "its tag is known again with what was added to it",
        arguments: ["-gzip", ";gzip", "-br", "--gzip", "-zstd", "-deflate", ";br", "+gzip"]
    )
    func codings(suffix: String) {
        for weak in ["", "W/"] {
            #expect(verdict(["If-None-Match": "\(weak)\(tag)\(suffix)\""]) == .notModified)
            #expect(verdict(["If-None-Match": "\"x\", \(weak)\(tag)\(suffix)\""]) == .notModified)
        }
        #expect(verdict(["If-Match": "\(tag)\(suffix)\""]) == .send)
        // The client has other bytes, which no part of the file goes on from.
        for name in ["If-Match", "If-Range"] {
            #expect(!file.allowsRange { [name: "\(tag)\(suffix)\""][$0] })
            #expect(file.allowsRange { [name: "\(tag)\""][$0] })
        }
    }

    @Test("nothing else is taken for it")
    func others() {
        for suffix in ["-gzipx", "gzip", "-gz", "-", "-gzip-gzip"] {
            #expect(verdict(["If-None-Match": "\(tag)\(suffix)\""]) == .send)
        }
        for odd in ["\"gzip\"", "\"-gzip\"", "\"", "\"\"", "W/", "gzip", "", ","] {
            #expect(verdict(["If-None-Match": odd]) == .send)
            #expect(verdict(["If-Match": odd]) == .failed)
        }
    }
}
