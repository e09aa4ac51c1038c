import Foundation
import POSIX
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
        let error = #expect(throws: SystemError.self) { try Listener(address: "unix:" + path) }
        #expect(error?.description.contains("another process answers") == true)
        for descriptor in first.descriptors { close(descriptor) }
        let second = try Listener(address: "unix:" + path)
        second.letGo()
        #expect(access(path, F_OK) != 0)
    }

    @Test func `what is in the way is named and left alone`() throws {
        let path = path
        try Data("mine".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let error = #expect(throws: SystemError.self) { try Listener(address: "unix:" + path) }
        #expect(error?.description == "\(path): exists and is no socket")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        let long = "unix:/" + String(repeating: "x", count: 200)
        #expect(throws: SystemError.self) { try Listener(address: long) }
        #expect(throws: SystemError.self) { try Listener(address: "unix:/nowhere/at/all") }
        #expect(throws: SystemError.self) { try Listener(address: "no.such.host.invalid:9402") }
    }

    @Test func `a socket that another process has put in our place is left alone`() throws {
        let path = path
        let old = try Listener(address: "unix:" + path)
        old.releasePath()
        let new = try Listener(address: "unix:" + path)
        old.letGo()
        #expect(access(path, F_OK) == 0)
        new.letGo()
        #expect(access(path, F_OK) != 0)
    }

    @Test(arguments: ["0.0.0.0:0", "[::]:0"])
    func `an address that other machines reach is taken only when asked for`(address: String) throws
    {
        let error = #expect(throws: SystemError.self) { try Listener(address: address) }
        #expect(error?.description.contains("L402_LISTEN_ANYWHERE=on") == true)
        guard let listener = try? Listener(address: address, anywhere: true) else { return }
        #expect(listener.reach == .anywhere)
        listener.letGo()
    }

    @Test func `loopback addresses are reached by this machine alone`() throws {
        let listener = try Listener(address: "127.3.2.1:0")
        defer { listener.letGo() }
        #expect(listener.reach == .loopback && listener.place.hasPrefix("127.3.2.1:"))
    }
}
