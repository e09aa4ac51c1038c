import Text

/// The media type of a file by the end of its name, as web servers tell it.
package enum MediaType {
    /// The value of `Content-Type` for a decoded path; that of an index page for one that ends with
    /// a slash.
    package static func of(_ path: [UInt8]) -> String {
        let name = path.split(separator: UInt8(ascii: "/")).last ?? []
        guard path.last != UInt8(ascii: "/") else { return "text/html; charset=utf-8" }
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return unknown }
        let ending = String(foreign: name[(dot + 1)...]).lowercased()
        guard let type = types[ending] else { return unknown }
        let isText = type.hasPrefix("text/") || type == "application/javascript"
        return isText ? type + "; charset=utf-8" : type
    }

    private static let unknown = "application/octet-stream"

    private static let types = [
        "html": "text/html", "htm": "text/html", "css": "text/css", "txt": "text/plain",
        "md": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values",
        "ics": "text/calendar", "vtt": "text/vtt", "js": "text/javascript",
        "mjs": "text/javascript", "json": "application/json", "jsonl": "application/jsonl",
        "map": "application/json", "webmanifest": "application/manifest+json",
        "xml": "application/xml", "rss": "application/rss+xml", "atom": "application/atom+xml",
        "xhtml": "application/xhtml+xml", "pdf": "application/pdf", "epub": "application/epub+zip",
        "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip",
        "bz2": "application/x-bzip2", "xz": "application/x-xz", "zst": "application/zstd",
        "7z": "application/x-7z-compressed", "tar": "application/x-tar",
        "wasm": "application/wasm", "rtf": "application/rtf", "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "parquet": "application/vnd.apache.parquet", "sqlite": "application/vnd.sqlite3",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
        "webp": "image/webp", "avif": "image/avif", "svg": "image/svg+xml", "ico": "image/x-icon",
        "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "mp3": "audio/mpeg",
        "m4a": "audio/mp4", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
        "flac": "audio/flac", "wav": "audio/wav", "weba": "audio/webm", "mp4": "video/mp4",
        "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
        "mkv": "video/x-matroska", "ts": "video/mp2t", "m3u8": "application/vnd.apple.mpegurl",
        "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
    ]
}
