import Foundation
import Synchronization
import Testing

@testable import FastCGI

/// A server on a unix socket, and a web server's side of it.
@Suite struct ServerTests {
    private let path =
        "\(FileManager.default.temporaryDirectory.path)/l402-server-\(UUID().uuidString.prefix(8))"

    /// Begins a request for a responder, without parameters or body.
    private static let request: [UInt8] =
        [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        + [1, 4, 0, 1, 0, 8, 0, 0, 1, 5, 97, 98, 99, 100, 101, 102]
        + [1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0]

    private func connected() throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        return descriptor
    }

    private func wait(_ what: String, until condition: () -> Bool) throws {
        for _ in 0..<2000 where !condition() { usleep(5000) }
        try #require(condition(), "\(what)")
    }

    private enum Leaving: CaseIterable { case closes, closesWithUnreadBody, aborts }

    @Test(arguments: Leaving.allCases)
    private func `a request sees that the web server has gone`(leaving: Leaving) throws {
        let looks = Atomic<Int>(0)
        let isGone = Atomic<Bool>(false)
        let server = try FastCGIServer(listener: try Listener(address: "unix:" + path), workers: 1)
        {
            exchange in
            repeat {
                looks.add(1, ordering: .relaxed)
                usleep(1000)
            } while !exchange.isPeerGone && looks.load(ordering: .relaxed) < 20_000
            isGone.store(exchange.isPeerGone, ordering: .relaxed)
        }
        let thread = Thread { _ = try? server.run() }
        thread.start()
        let client = try connected()
        var bytes = Self.request
        if leaving == .closesWithUnreadBody {
            bytes += [1, 5, 0, 1, 0, 8, 0, 0] + Array("a body!!".utf8)
        }
        write(client, bytes, bytes.count)
        try wait("looks") { looks.load(ordering: .relaxed) > 20 }
        let isGoneEarly = isGone.load(ordering: .relaxed)
        #expect(!isGoneEarly, "somebody reads the answer")
        if leaving == .aborts {
            let abort: [UInt8] = [1, 2, 0, 1, 0, 0, 0, 0]
            write(client, abort, abort.count)
        } else {
            close(client)
        }
        try wait("gone") { isGone.load(ordering: .relaxed) }
        if leaving == .aborts { close(client) }
        server.stop(afterSeconds: 1)
    }

    @Test func `what does not end in time is cut, and sees it`() throws {
        let isServing = Atomic<Bool>(false)
        let server = try FastCGIServer(listener: try Listener(address: "unix:" + path), workers: 2)
        {
            exchange in
            isServing.store(true, ordering: .relaxed)
            while !exchange.isPeerGone { usleep(1000) }
        }
        let ending = Mutex<FastCGIServer.Ending?>(nil)
        let thread = Thread {
            let result = try? server.run()
            ending.withLock { $0 = result }
        }
        thread.start()
        let client = try connected()
        defer { close(client) }
        write(client, Self.request, Self.request.count)
        try wait("a request") { isServing.load(ordering: .relaxed) }
        server.stop(afterSeconds: 1)
        #expect(access(path, F_OK) != 0, "the place is free at once")
        try wait("the end") { ending.withLock { $0 != nil } }
        let result = ending.withLock { $0 }
        #expect(result == FastCGIServer.Ending(cut: 1, left: 0))
    }
}
