/// The text of a settings or key file.
package enum SettingsText {
    /// Decodes UTF-8, without the byte order mark that Windows' editors put before it.
    ///
    /// - Parameters:
    ///   - variable: The variable that names the file.
    ///   - path: Names the file in the error; never its contents.
    /// - Throws: ``SettingsError`` for UTF-16.
    package static func decode(_ bytes: [UInt8], variable: String, path: String)
        throws(SettingsError) -> String
    {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            throw SettingsError(variable, "\(path) is UTF-16; save it as UTF-8")
        }
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        return String(
            decoding: bytes.dropFirst(bytes.starts(with: mark) ? mark.count : 0),
            as: UTF8.self
        )
    }

    /// The lines, ended as any system ends them.
    static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }
}
