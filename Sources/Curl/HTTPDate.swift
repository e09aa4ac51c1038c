import CCurl
import Glibc

/// Dates of header fields (RFC 9110 section 5.6.7), as seconds since 1970. FoundationEssentials has
/// no format for them; the C library writes them, in the "C" locale that no program of ours leaves,
/// and libcurl reads all their forms.
package enum HTTPDate {
    private static let form = "%a, %d %b %Y %H:%M:%S GMT"

    /// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&time, &parts) != nil else { return "" }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe strftime($0.bindMemory(to: CChar.self).baseAddress, $0.count, form, &parts)
        }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// `nil` for anything that is no such date.
    package static func seconds(_ text: String) -> Int? {
        guard !text.utf8.contains(0), ccurl_load() == 1 else { return nil }
        let seconds = unsafe ccurl_getdate(text)
        return seconds < 0 ? nil : seconds
    }
}
