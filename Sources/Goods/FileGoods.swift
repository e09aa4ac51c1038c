import FastCGI
import HTTP
import Store
import Text

/// Files that the gate sends itself, where the web server cannot be told to: ranges, validators,
/// conditional requests, in constant memory.
///
/// A file that is not there, or a part that it does not have, costs nothing: what the request took
/// is given back.
package enum FileGoods {
    private static let chunkBytes = 64 * 1024
    /// Goods are on their way from the first byte; the rest follows.
    private static let firstBytes = 4096

    /// Whether there is something to send at a path, decoded and beginning with `/`, below
    /// `directory`: asked before anything is sold.
    ///
    /// - Parameter privatePaths: Files and directories that are not goods.
    package static func isThere(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String]
    ) -> Bool {
        do throws(OpenedFile.Failure) {
            _ = try OpenedFile(directory: directory, path: path, except: privatePaths)
            return true
        } catch {
            // A redirect leads to its page.
            return error == .directory
        }
    }

    /// Sends the file at `path`, decoded and beginning with `/`, below `directory`.
    ///
    /// - Parameter privatePaths: Files and directories that are not goods, also where they are
    ///   below `directory`.
    /// - Parameter sendfile: What the web server reads the file by; `nil` where the gate sends it.
    /// - Throws: ``FastCGI/ExchangeError`` when the web server hangs up.
    package static func send(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String],
        sendfile: String? = nil,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        do throws(ExchangeError) {
            return try find(path, below: directory, except: privatePaths, sendfile, delivery)
        } catch {
            delivery.clientLeft()
            throw error
        }
    }

    private static func find(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String],
        _ sendfile: String?,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        guard delivery.isReading else {
            return try delivery.fail(
                405,
                code: "method_not_allowed",
                "files are read with GET; nothing has been taken",
                cause: .nothingDelivered,
                adding: [("Allow", "GET, HEAD")]
            )
        }
        let file: OpenedFile
        do throws(OpenedFile.Failure) {
            file = try OpenedFile(directory: directory, path: path, except: privatePaths)
        } catch {
            switch error {
            case .directory:
                return try redirect(delivery)
            case .notFound:
                return try delivery.fail(
                    404,
                    code: "file_not_found",
                    "there is no such file; nothing has been taken",
                    cause: .nothingDelivered
                )
            case .system(let reason):
                return try unreadable("\(directory): \(reason)", delivery)
            }
        }
        // The server is told the file that was found: it would refuse a directory.
        let isIndex = path.last == UInt8(ascii: "/")
        let name = sendfile.map { isIndex ? $0 + OpenedFile.indexName : $0 }
        return try send(file, MediaType.of(path), sendfile: name, delivery)
    }

    private static func unreadable(_ reason: String, _ delivery: Delivery)
        throws(ExchangeError) -> DeliveryReport
    {
        try delivery.fail(
            503,
            code: "file_unreadable",
            "the file cannot be read right now; nothing has been taken",
            cause: .failure,
            detail: reason
        )
    }

    /// To the same path with a slash at its end, as it is known outside.
    private static func redirect(_ delivery: Delivery) throws(ExchangeError) -> DeliveryReport {
        let uri = delivery.exchange.parameter("REQUEST_URI") ?? []
        guard let path = try? RequestPath(requestURI: uri) else {
            return try delivery.fail(
                404,
                code: "file_not_found",
                "there is no such file; nothing has been taken",
                cause: .nothingDelivered
            )
        }
        let origin = PublicOrigin(parameter: delivery.exchange.parameter)?.text ?? ""
        let query = path.query.map { "?" + String(foreign: $0) } ?? ""
        let location = origin + String(foreign: path.encodedForHeader) + "/" + query
        try delivery.answerTakingNothing(301, [("Location", location), ("Content-Length", "0")])
        return DeliveryReport(status: 301)
    }

    private static func send(
        _ file: OpenedFile,
        _ type: String,
        sendfile: String?,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        let conditions = FileConditions(
            size: file.size,
            modifiedSeconds: file.modifiedSeconds,
            modifiedNanoseconds: file.modifiedNanoseconds
        )
        let fields = [
            ("ETag", conditions.entityTag), ("Last-Modified", conditions.lastModified),
            ("Accept-Ranges", "bytes"),
        ]
        switch conditions.verdict(header: delivery.header) {
        case .failed:
            return try delivery.fail(
                412,
                code: "file_changed",
                "the file is another one by now; nothing has been taken",
                cause: .nothingDelivered
            )
        case .notModified:
            try delivery.answerTakingNothing(304, fields)
            return DeliveryReport(status: 304)
        case .send:
            break
        }
        let isPart = delivery.method == "GET" && conditions.allowsRange(header: delivery.header)
        let ranges = ByteRanges(isPart ? delivery.header("Range") : nil, size: file.size)
        if ranges == .unsatisfiable {
            let refused = [("Content-Range", "bytes */\(file.size)"), ("Content-Length", "0")]
            try delivery.answerTakingNothing(416, refused)
            return DeliveryReport(status: 416, code: "range_not_satisfiable")
        }
        if let sendfile {
            // The server has the same validators from here, and finds the parts itself.
            try delivery.begin(200, [("X-Sendfile", sendfile), ("Content-Type", type)] + fields)
            return DeliveryReport(status: 200)
        }
        switch ranges {
        case .unsatisfiable, .whole:
            let head = [("Content-Type", type), ("Content-Length", String(file.size))] + fields
            return try send([.file(0..<file.size)], of: file, 200, head, delivery)
        case .parts(let parts) where parts.count == 1:
            let part = parts.first ?? 0..<0
            let head = [
                ("Content-Type", type), ("Content-Length", String(part.count)),
                ("Content-Range", contentRange(part, file.size)),
            ]
            return try send([.file(part)], of: file, 206, head + fields, delivery)
        case .parts(let parts):
            let boundary = "l402-" + String(UInt64.random(in: .min ... .max), radix: 36)
            let pieces = multipart(parts, type: type, size: file.size, boundary: boundary)
            let head = [
                ("Content-Type", "multipart/byteranges; boundary=\(boundary)"),
                ("Content-Length", String(pieces.reduce(0) { $0 + $1.count })),
            ]
            return try send(pieces, of: file, 206, head + fields, delivery)
        }
    }

    private enum Piece {
        case text([UInt8])
        case file(Range<Int>)

        var count: Int {
            switch self {
            case .text(let bytes): bytes.count
            case .file(let range): range.count
            }
        }
    }

    /// RFC 9110 section 14.6.
    private static func multipart(
        _ parts: [Range<Int>],
        type: String,
        size: Int,
        boundary: String
    ) -> [Piece] {
        var pieces: [Piece] = []
        for part in parts {
            let head =
                "\r\n--\(boundary)\r\nContent-Type: \(type)\r\nContent-Range: "
                + contentRange(part, size) + "\r\n\r\n"
            pieces += [.text(Array(head.utf8)), .file(part)]
        }
        return pieces + [.text(Array("\r\n--\(boundary)--\r\n".utf8))]
    }

    private static func contentRange(_ part: Range<Int>, _ size: Int) -> String {
        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
    }

    private static func send(
        _ pieces: [Piece],
        of file: OpenedFile,
        _ status: Int,
        _ head: Fields,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        if delivery.method == "HEAD" {
            try delivery.begin(status, head)
            return DeliveryReport(status: status)
        }
        for piece in pieces {
            switch piece {
            case .text(let bytes):
                try pass(bytes, status, head, delivery)
            case .file(let range):
                var offset = range.lowerBound
                while offset < range.upperBound {
                    let wanted = min(chunkBytes, range.upperBound - offset)
                    let bytes = file.read(at: offset, count: wanted)
                    guard !bytes.isEmpty else {
                        guard delivery.isBegun else {
                            return try unreadable("the file ends before its end", delivery)
                        }
                        delivery.exchange.abort()
                        return DeliveryReport(
                            status: status,
                            code: "file_cut_short",
                            detail: "the file became shorter while it was sent"
                        )
                    }
                    try pass(bytes, status, head, delivery)
                    offset += bytes.count
                }
            }
        }
        // An empty file has no piece to begin with.
        if !delivery.isBegun { try delivery.begin(status, head) }
        return DeliveryReport(status: status)
    }

    /// Sends a part of the body; before the first of them the head.
    private static func pass(
        _ bytes: [UInt8],
        _ status: Int,
        _ head: Fields,
        _ delivery: Delivery
    ) throws(ExchangeError) {
        if delivery.isBegun { return try delivery.send(bytes) }
        try delivery.begin(status, head, body: Array(bytes.prefix(firstBytes)))
        if bytes.count > firstBytes { try delivery.send(Array(bytes.dropFirst(firstBytes))) }
    }
}
