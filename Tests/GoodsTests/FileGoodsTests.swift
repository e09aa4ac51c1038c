import FastCGI
import Foundation
import Goods
import Store
import Testing

@testable import Goods

@Suite("Files that the gate sends itself") final class FileGoodsTests {
    private let root: URL
    private let paid: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "l402-goods-\(UUID())")
        paid = root.appending(path: "paid")
        try FileManager.default.createDirectory(
            at: paid.appending(path: "sub/.hidden"),
            withIntermediateDirectories: true
        )
        try Data("0123456789".utf8).write(to: paid.appending(path: "a.txt"))
        try Data("index".utf8).write(to: paid.appending(path: "sub/index.html"))
        try Data("hidden".utf8).write(to: paid.appending(path: "sub/.hidden/x"))
        try Data("hidden".utf8).write(to: paid.appending(path: ".env"))
        try Data("secret".utf8).write(to: root.appending(path: "secret"))
        try Data("rules".utf8).write(to: paid.appending(path: "rules"))
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private func get(
        _ path: String,
        method: String = "GET",
        _ fields: [String: String] = [:],
        except: [String] = [],
        sendfile: String? = nil
    ) throws -> (report: DeliveryReport, head: [String], body: String, returned: [ReturnCause]) {
        let exchange = FakeExchange(
            Dictionary(
                uniqueKeysWithValues: fields.map {
                    ("HTTP_" + $0.uppercased().replacing("-", with: "_"), $1)
                }
            )
        )
        var returned: [ReturnCause] = []
        let delivery = Delivery(
            exchange: exchange,
            method: method,
            headers: [("L402-Uses-Left", "3"), ("L402-Service", "x")],
            judge: { _, _ in method == "HEAD" ? .nothingDelivered : nil },
            giveBack: { cause in
                returned.append(cause)
                return true
            }
        )
        let report = try FileGoods.send(
            Array(path.utf8),
            below: paid.path,
            except: except,
            sendfile: sendfile,
            delivery
        )
        let answer = exchange.answer
        return (report, answer.head, answer.body, returned)
    }

    @Test("a whole file, with what is known of it")
    func whole() throws {
        let answer = try get("/a.txt")
        #expect(answer.report.status == 200 && answer.body == "0123456789" && answer.returned == [])
        for line in [
            "Status: 200 OK", "Content-Type: text/plain; charset=utf-8", "Content-Length: 10",
            "Accept-Ranges: bytes", "L402-Uses-Left: 3",
        ] { #expect(answer.head.contains(line), "\(answer.head)") }
        #expect(answer.head.contains { $0.hasPrefix("ETag: \"") })
        #expect(answer.head.contains { $0.hasPrefix("Last-Modified: ") && $0.hasSuffix(" GMT") })
    }

    @Test("HEAD tells the same and sends nothing")
    func head() throws {
        let answer = try get("/a.txt", method: "HEAD", ["Range": "bytes=0-1"])
        #expect(answer.report.status == 200 && answer.body.isEmpty)
        #expect(answer.head.contains("Content-Length: 10"))
        #expect(answer.returned == [.nothingDelivered])
        #expect(!answer.head.contains { $0.hasPrefix("L402-Uses-Left") })
    }

    @Test("one part, several parts, and a part that is not there")
    func ranges() throws {
        let one = try get("/a.txt", ["Range": "bytes=2-4"])
        #expect(one.report.status == 206 && one.body == "234")
        #expect(one.head.contains("Content-Range: bytes 2-4/10"))

        let two = try get("/a.txt", ["Range": "bytes=0-1,-2"])
        #expect(two.report.status == 206)
        let type = try #require(
            two.head.first { $0.hasPrefix("Content-Type: multipart/byteranges; boundary=") }
        )
        let boundary = type.split(separator: "=").last.map(String.init) ?? ""
        #expect(
            two.body == "\r\n--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Range: bytes 0-1/10\r\n\r\n01\r\n--\(boundary)\r\n"
                + "Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
                + "\r\n--\(boundary)--\r\n"
        )
        #expect(two.head.contains("Content-Length: \(two.body.utf8.count)"))

        let none = try get("/a.txt", ["Range": "bytes=10-"])
        #expect(none.report.status == 416 && none.returned == [.nothingDelivered])
        #expect(none.head.contains("Content-Range: bytes */10"))
    }

    @Test("conditional requests by tag and by date")
    func conditions() throws {
        let head = try get("/a.txt").head
        let tag = try #require(head.first { $0.hasPrefix("ETag: ") }).dropFirst(6)
        let date = try #require(head.first { $0.hasPrefix("Last-Modified: ") }).dropFirst(15)
        let table: [([String: String], Int)] = [
            (["If-None-Match": "\(tag)"], 304), (["If-None-Match": "\"x\", W/\(tag)"], 304),
            (["If-None-Match": "*"], 304), (["If-None-Match": "\"x\""], 200),
            (["If-None-Match": "\"x\"", "If-Modified-Since": "\(date)"], 200),
            (["If-Modified-Since": "\(date)"], 304),
            (["If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"], 200),
            (["If-Modified-Since": "nonsense"], 200), (["If-Match": "\(tag)"], 200),
            (["If-Match": "\"x\""], 412), (["If-Match": "W/\(tag)"], 412),
            (["If-Unmodified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"], 412),
            (["Range": "bytes=0-1", "If-Range": "\(tag)"], 206),
            (["Range": "bytes=0-1", "If-Range": "\(date)"], 206),
            (["Range": "bytes=0-1", "If-Range": "\"x\""], 200),
        ]
        for (fields, status) in table {
            let answer = try get("/a.txt", fields)
            #expect(answer.report.status == status, "\(fields)")
            let isDelivered = status == 200 || status == 206
            #expect(answer.returned == (isDelivered ? [] : [.nothingDelivered]), "\(fields)")
            #expect(answer.head.contains("L402-Uses-Left: 3") == isDelivered, "\(fields)")
            if status == 304 { #expect(answer.body.isEmpty) }
        }
    }

    @Test("a directory means its index, and nothing lists it")
    func index() throws {
        #expect(try get("/sub/").body == "index")
        #expect(try get("/").report.status == 404)
        #expect(
            try get("/sub/", sendfile: "/srv/sub/").head.contains("X-Sendfile: /srv/sub/index.html")
        )
    }

    @Test("a directory without its slash leads to it by the public address, and takes nothing")
    func redirect() throws {
        func get(_ uri: String, _ more: [String: String] = [:], except: [String] = []) throws
            -> ([String], [ReturnCause])
        {
            let exchange = FakeExchange(["REQUEST_URI": uri].merging(more) { $1 })
            var returned: [ReturnCause] = []
            let delivery = Delivery(
                exchange: exchange,
                method: "GET",
                headers: [("L402-Uses-Left", "3")],
                judge: { _, _ in nil },
                giveBack: {
                    returned.append($0)
                    return true
                }
            )
            _ = try FileGoods.send(
                Array("/sub".utf8),
                below: paid.path,
                except: except,
                sendfile: "/srv/sub",
                delivery
            )
            return (exchange.answer.head, returned)
        }
        let host = ["HTTP_HOST": "shop.example", "REQUEST_SCHEME": "https", "SERVER_PORT": "8443"]
        let (head, returned) = try get("//s%75b?a=%2F", host)
        #expect(head.contains("Status: 301 Moved Permanently"))
        #expect(head.contains("Location: https://shop.example:8443/sub/?a=%2F"))
        #expect(!head.contains { $0.hasPrefix("X-Sendfile") || $0.hasPrefix("L402-Uses-Left") })
        #expect(returned == [.nothingDelivered])
        #expect(try get("/sub").0.contains("Location: /sub/"))
        // A directory that has no page, or whose page is no goods, is not told from nothing.
        let index = paid.appending(path: "sub/index.html")
        #expect(try get("/sub", except: [index.path]).0.contains("Status: 404 Not Found"))
        try FileManager.default.removeItem(at: index)
        #expect(try get("/sub").0.contains("Status: 404 Not Found"))
    }

    @Test("what is there is known before anything is sold")
    func isThere() {
        func isThere(_ path: String, except: [String] = []) -> Bool {
            FileGoods.isThere(Array(path.utf8), below: paid.path, except: except)
        }
        for path in ["/a.txt", "/sub/", "/sub", "/sub/index.html"] { #expect(isThere(path)) }
        for path in [
            "/", "/nothing", "/.env", "/sub/.hidden/x", "/../secret", "/a.txt/", "/sub/x", "",
        ] { #expect(!isThere(path), "\(path)") }
        #expect(!isThere("/rules", except: [paid.appending(path: "rules").path]))
        #expect(!isThere("/sub", except: [paid.appending(path: "sub").path]))
    }

    @Test(
        "the client left before a byte: given back; later: taken",
        arguments: [0, 100, 3_000, 90_000]
    )
    func clientLeaves(after count: Int) throws {
        try Data(repeating: 0x61, count: 200_000).write(to: paid.appending(path: "large"))
        let exchange = FakeExchange([:])
        exchange.takesBytes = count
        var returned: [ReturnCause] = []
        let delivery = Delivery(
            exchange: exchange,
            method: "GET",
            headers: [],
            judge: { _, _ in nil },
            giveBack: {
                returned.append($0)
                return true
            }
        )
        #expect(throws: ExchangeError.self) {
            try FileGoods.send(Array("/large".utf8), below: paid.path, except: [], delivery)
        }
        #expect(returned == (count > 10_000 ? [] : [.failure]))
    }

    @Test("no path and no link leads out, and nothing hidden is served")
    func escapes() throws {
        let manager = FileManager.default
        try manager.createSymbolicLink(at: paid.appending(path: "out"), withDestinationURL: root)
        try manager.createSymbolicLink(
            at: paid.appending(path: "out.txt"),
            withDestinationURL: root.appending(path: "secret")
        )
        try manager.createSymbolicLink(
            at: paid.appending(path: "in.txt"),
            withDestinationURL: paid.appending(path: "a.txt")
        )
        mkfifo(paid.appending(path: "fifo").path, 0o600)
        for path in [
            "/../secret", "/sub/../../secret", "/out/secret", "/out.txt", "/.env", "/sub/.hidden/x",
            "/fifo",
            "/a.txt/", "/nothing", "", "a.txt", "/a.txt\0",
            "/" + String(repeating: "x", count: 5000),
        ] {
            let answer = try get(path)
            #expect(
                answer.report.status == 404 && answer.returned == [.nothingDelivered],
                "\(path)"
            )
            #expect(!answer.body.contains("secret") && !answer.body.contains("hidden"))
            #expect(answer.head.contains("L402-Refunded: 1"))
        }
        #expect(try get("/in.txt").body == "0123456789")
        // A sibling that begins with the same name is outside too.
        try manager.createDirectory(
            at: root.appending(path: "paid2"),
            withIntermediateDirectories: false
        )
        try Data("secret".utf8).write(to: root.appending(path: "paid2/x"))
        #expect(try get("/../paid2/x").report.status == 404)
    }

    @Test("rules, settings and state are no goods, wherever they lie")
    func privatePaths() throws {
        let rules = paid.appending(path: "rules").path
        #expect(try get("/rules").report.status == 200)
        #expect(try get("/rules", except: [rules]).report.status == 404)
        #expect(try get("/sub/", except: [paid.appending(path: "sub").path]).report.status == 404)
        #expect(try get("/a.txt", except: [rules, "/nowhere"]).report.status == 200)
    }

    @Test(
        "a file that the web server sends is looked at first, and costs nothing when it is not there"
    )
    func sendfile() throws {
        let there = try get("/a.txt", sendfile: "/srv/a.txt")
        #expect(there.report.status == 200 && there.body.isEmpty && there.returned == [])
        #expect(there.head.contains("X-Sendfile: /srv/a.txt"))
        #expect(there.head.contains("Content-Type: text/plain; charset=utf-8"))
        for path in ["/nothing", "/.env", "/../secret"] {
            let answer = try get(path, sendfile: "/srv" + path)
            #expect(answer.report.status == 404 && answer.returned == [.nothingDelivered])
            #expect(!answer.head.contains { $0.hasPrefix("X-Sendfile") })
        }
    }

    @Test("only reading is possible")
    func methods() throws {
        let answer = try get("/a.txt", method: "POST")
        #expect(answer.report.status == 405 && answer.returned == [.nothingDelivered])
        #expect(answer.head.contains("Allow: GET, HEAD"))
    }
}
