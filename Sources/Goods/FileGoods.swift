import FastCGI
import Paywall

/// Files that the gate sends itself, where the web server cannot be told to: ranges, validators,
/// conditional requests, in constant memory.
///
/// A file that is not there, or a part that it does not have, costs nothing: what the request took
/// is given back.
public enum FileGoods {
    private static let chunkBytes = 64 * 1024

    /// Sends the file at `path`, decoded and beginning with `/`, below `directory`.
    ///
    /// - Parameter privatePaths: Files and directories that are not goods, also where they are
    ///   below `directory`.
    /// - Parameter sendfile: What the web server reads the file by; `nil` where the gate sends it.
    /// - Throws: ``FastCGI/ExchangeError`` when the web server hangs up.
    public static func send(
        _ path: [UInt8],
        below directory: String,
        except privatePaths: [String],
        sendfile: String? = nil,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        guard delivery.method == "GET" || delivery.method == "HEAD" else {
            return try delivery.fail(
                405,
                code: "method_not_allowed",
                "files are read with GET; nothing has been taken",
                adding: [("Allow", "GET, HEAD")]
            )
        }
        let file: OpenedFile
        do throws(OpenedFile.Failure) {
            file = try OpenedFile(directory: directory, path: path, except: privatePaths)
        } catch {
            switch error {
            case .notFound:
                return try delivery.fail(
                    404,
                    code: "file_not_found",
                    "there is no such file; nothing has been taken"
                )
            case .system(let reason):
                return try delivery.fail(
                    503,
                    code: "file_unreadable",
                    "the file cannot be read right now; nothing has been taken",
                    detail: "\(directory): \(reason)"
                )
            }
        }
        if let sendfile {
            try delivery.begin(
                200,
                [("X-Sendfile", sendfile), ("Content-Type", MediaType.of(path))] + delivery.headers
            )
            return DeliveryReport(status: 200)
        }
        return try send(file, MediaType.of(path), delivery)
    }

    private static func send(_ file: OpenedFile, _ type: String, _ delivery: Delivery)
        throws(ExchangeError) -> DeliveryReport
    {
        let conditions = FileConditions(
            size: file.size,
            modifiedSeconds: file.modifiedSeconds,
            modifiedNanoseconds: file.modifiedNanoseconds
        )
        let fields =
            [
                ("ETag", conditions.entityTag), ("Last-Modified", conditions.lastModified),
                ("Accept-Ranges", "bytes"),
            ] + delivery.headers
        switch conditions.verdict(header: delivery.header) {
        case .failed:
            return try delivery.fail(
                412,
                code: "file_changed",
                "the file is another one by now; nothing has been taken"
            )
        case .notModified:
            try delivery.begin(304, fields)
            return DeliveryReport(status: 304)
        case .send:
            break
        }
        let asked =
            delivery.method == "GET"
                && conditions.allowsRange(ifRange: delivery.header("If-Range"))
            ? delivery.header("Range") : nil
        switch ByteRanges(asked, size: file.size) {
        case .unsatisfiable:
            let refused = [("Content-Range", "bytes */\(file.size)"), ("Content-Length", "0")]
            try delivery.begin(416, refused + delivery.headersAfterGivingBack())
            return DeliveryReport(status: 416, code: "range_not_satisfiable")
        case .whole:
            try delivery.begin(
                200,
                [("Content-Type", type), ("Content-Length", String(file.size))] + fields
            )
            if delivery.method == "HEAD" { return DeliveryReport(status: 200) }
            return try send([.file(0..<file.size)], of: file, status: 200, delivery)
        case .parts(let parts) where parts.count == 1:
            let part = parts.first ?? 0..<0
            try delivery.begin(
                206,
                [
                    ("Content-Type", type), ("Content-Length", String(part.count)),
                    ("Content-Range", contentRange(part, file.size)),
                ] + fields
            )
            return try send([.file(part)], of: file, status: 206, delivery)
        case .parts(let parts):
            let boundary = "l402-" + String(UInt64.random(in: .min ... .max), radix: 36)
            let pieces = multipart(parts, type: type, size: file.size, boundary: boundary)
            let length = pieces.reduce(0) { $0 + $1.count }
            try delivery.begin(
                206,
                [
                    ("Content-Type", "multipart/byteranges; boundary=\(boundary)"),
                    ("Content-Length", String(length)),
                ] + fields
            )
            return try send(pieces, of: file, status: 206, delivery)
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
        status: Int,
        _ delivery: Delivery
    ) throws(ExchangeError) -> DeliveryReport {
        for piece in pieces {
            switch piece {
            case .text(let bytes):
                try delivery.exchange.write(bytes)
            case .file(let range):
                var offset = range.lowerBound
                while offset < range.upperBound {
                    let bytes = file.read(
                        at: offset,
                        count: min(chunkBytes, range.upperBound - offset)
                    )
                    guard !bytes.isEmpty else {
                        delivery.giveBackSilently()
                        delivery.exchange.abort()
                        return DeliveryReport(
                            status: status,
                            code: "file_cut_short",
                            detail: "the file became shorter while it was sent"
                        )
                    }
                    try delivery.exchange.write(bytes)
                    offset += bytes.count
                }
            }
        }
        return DeliveryReport(status: status)
    }
}
