import Foundation
import Glibc
import TestTools
import Testing

@testable import HTTP

/// Holds ``RequestPath`` against a real nginx: its `$uri` and its 400s are the truth.
@Suite(.enabled(if: Nginx.isInstalled, "needs nginx"))
struct NginxPathTests {
    @Test func `paths are what a real nginx makes of them`() throws {
        let nginx = try Nginx()
        defer { nginx.stop() }
        var random = SplitMix(seed: 1402)
        var targets = Set(Self.tricky)
        while targets.count < 1500 {
            let start = ["/", "/", "/", "/a/b/", "/a/b/c/", "http://h/", "http://h:80", "/a"]
            let head = start.randomElement(using: &random) ?? "/"
            let target = head + random.text(of: trickyPieces, most: 9)
            // nginx takes any number of spaces before "HTTP/": they belong to no path.
            if !target.hasSuffix(" ") { targets.insert(target) }
        }
        var served = 0
        for target in targets.sorted() {
            let answer = try nginx.get(target)
            let path = try? RequestPath(requestURI: Array(target.utf8))
            switch answer {
            case .refused:
                #expect(path == nil, "nginx refuses \(target.debugDescription)")
            case .served(let uri, let query):
                served += 1
                #expect(path?.bytes == uri, "nginx serves \(target.debugDescription)")
                #expect(path?.query ?? [] == query, "nginx serves \(target.debugDescription)")
            }
        }
        #expect(served > 300)
        #expect(targets.count - served > 300)
    }

    @Test func `an encoded path comes back whole through nginx`() throws {
        let nginx = try Nginx()
        defer { nginx.stop() }
        for first in stride(from: 1, through: 255, by: 16) {
            let bytes = (first..<min(first + 16, 256)).flatMap { [UInt8(ascii: "x"), UInt8($0)] }
            let target = "/d/" + bytes.map { "%" + hex($0) }.joined()
            let path = try RequestPath(requestURI: Array(target.utf8))
            let header = String(decoding: path.encodedForHeader, as: UTF8.self)
            #expect(try nginx.get(header) == .served(uri: path.bytes, query: []))
        }
    }

    private func hex(_ byte: UInt8) -> String {
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }

    private static let tricky = [
        "/", "//", "/.", "/..", "/...", "/a/.", "/a/..", "/a/./", "/a/../", "/a/.?q", "/a/..?q",
        "/a/.#f", "/a/..#f", "/a/.%2e", "/a/%2e", "/a/%2e%2e", "/a/%2e%2e/", "/a/b/%2e%2E%2fc",
        "/..%2f", "/%2e%2e", "/a%2f..%2f..", "/a%2f..%2f../", "/a//..", "//..", "/a//../b",
        "/a///b", "/a/%2f/b", "/%2f", "/%2F%2f", "/a%2f%2e%2e", "/a/%2e%2e%2f%2e%2e", "/%", "/%2",
        "/%%", "/%2%66", "/a?%", "/a?%zz#x", "/%00", "/a%00b", "/a?%00", "/%25", "/%2525",
        "/%252e%252e/", "/%23a", "/%3fa", "/%3Fa", "/a#", "/a#?b", "/a?#b", "/a?b#c?d", "/#",
        "/a%20b", "/a+b", "/a b", "/a%0d%0ab", "/\u{1}", "/\u{7f}", "/%7f", "/a\\..\\b",
        "/a%5c..%5cb", "/a;x/b", "/a/..;/b", "/;/", "/é", "/%c3%a9", "/%ff%fe", "/.a", "/..a",
        "/a..", "/a.", "/./.", "/././", "/../", "/a/./../b", "/a/.././b", "/a/b/c/../../..",
        "/a/b/c/../../../", "/a/b/c/../../../..", "/admin/..%2ffree", "http://h", "http://h/",
        "http://h?q", "http://h//a", "http://h/..", "http://h:80/a", "http://h.example/a/../b",
        "h-t.t+p://h/a", "HTTP://H/a", "http:///a", "http://h#f", "http:/a", "http:a", "a", "*",
        "%2fa", "http://u@h/a", "http://[::1]/a", "http://[::1]:80/a", "http://h:/a",
        "http://h_x/a", "http://h:80x/a", "http://h:80?q",
    ]
}

/// A private nginx on a socket in a directory of its own that answers with what it reads.
private final class Nginx {
    static let program = "/usr/sbin/nginx"
    static var isInstalled: Bool { access(program, X_OK) == 0 }

    enum Response: Equatable {
        case refused
        case served(uri: [UInt8], query: [UInt8])
    }

    private let directory: URL
    private let process = Process()
    private var socketPath: String { directory.path + "/s" }

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "l402-nginx-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let configuration = """
            daemon off;
            worker_processes 1;
            pid pid;
            error_log error.log crit;
            events {}
            http {
                access_log off;
                client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
                uwsgi_temp_path t4; scgi_temp_path t5;
                server {
                    listen unix:\(directory.path)/s;
                    default_type text/plain;
                    location / { return 200 "$is_args$args\\n$uri"; }
                }
            }
            """
        try configuration.write(
            to: directory.appending(path: "conf"),
            atomically: true,
            encoding: .utf8
        )
        process.executableURL = URL(filePath: Self.program)
        process.arguments = ["-p", directory.path + "/", "-c", "conf", "-e", "error.log"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Up when it answers; given up on after ten seconds.
        for _ in 0..<1000 {
            if case .served = try? get("/") { return }
            guard process.isRunning else { break }
            usleep(10_000)
        }
        stop()
        throw NginxFailure.notStarted
    }

    func stop() {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Sends one request target as it is.
    func get(_ target: String) throws -> Response {
        let request = "GET \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        let response = try exchange(Array(request.utf8))
        let status = String(decoding: response.prefix(12), as: UTF8.self)
        if status == "HTTP/1.1 400" { return .refused }
        guard status == "HTTP/1.1 200",
            let head = response.firstRange(of: Array("\r\n\r\n".utf8)),
            let line = response[head.upperBound...].firstIndex(of: UInt8(ascii: "\n"))
        else { throw NginxFailure.answer(status) }
        return .served(
            uri: Array(response[(line + 1)...]),
            query: Array(response[head.upperBound..<line].dropFirst())
        )
    }

    /// One connection: everything sent, then everything received until the end.
    private func exchange(_ request: [UInt8]) throws -> [UInt8] {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw NginxFailure.socket(errno) }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw NginxFailure.socket(errno) }
        guard
            send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else { throw NginxFailure.socket(errno) }
        var response: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            // nginx may reset a connection that it has already answered.
            guard count > 0 else { return response }
            response += buffer.prefix(count)
        }
    }
}

private enum NginxFailure: Error {
    case notStarted
    case socket(Int32)
    case answer(String)
}
