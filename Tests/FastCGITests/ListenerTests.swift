import Foundation
import Testing

@testable import FastCGI

@Suite struct ListenerTests {
    private let directory = FileManager.default.temporaryDirectory.path
    private var path: String { "\(directory)/l402-listener-\(UUID().uuidString.prefix(8))" }

    @Test func `through a socket of ours only root, we ourselves and system users may ask`() throws
    {
        let path = path
        let listener = try Listener(address: "unix:" + path)
        defer { unlink(path) }
        for user in [0, Int64(geteuid()), 33, 999, 65_534] {
            #expect(listener.welcomes(user: user))
        }
        for user in [Int64(-1), 1000, 60_000] where user != Int64(geteuid()) {
            #expect(!listener.welcomes(user: user))
        }
    }

    @Test func `a socket that nobody answers on is taken over, one that is in use is not`() throws {
        let path = path
        let first = try Listener(address: "unix:" + path)
        let error = #expect(throws: FastCGIError.self) { try Listener(address: "unix:" + path) }
        #expect(error?.description.contains("another process answers") == true)
        close(first.descriptor)
        let second = try Listener(address: "unix:" + path)
        close(second.descriptor)
        unlink(path)
    }

    @Test func `what is in the way is named and left alone`() throws {
        let path = path
        try Data("mine".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let error = #expect(throws: FastCGIError.self) { try Listener(address: "unix:" + path) }
        #expect(error?.description == "\(path): exists and is no socket")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        let long = "unix:/" + String(repeating: "x", count: 200)
        #expect(throws: FastCGIError.self) { try Listener(address: long) }
        #expect(throws: FastCGIError.self) { try Listener(address: "unix:/nowhere/at/all") }
        #expect(throws: FastCGIError.self) { try Listener(address: "no.such.host.invalid:9402") }
    }
}
