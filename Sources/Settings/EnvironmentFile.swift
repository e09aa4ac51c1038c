import Text

/// The file that `L402_ENV_FILE` names, for hosts where the environment cannot be set.
///
///     # comment
///     LNBITS_URL=https://lnbits.example.org
///     LNBITS_KEY="0123…"
///
/// One `NAME=value` per line, the name of `[A-Za-z0-9_]`, the value as it stands up to the end of
/// the line, quotes around the whole value removed; `export` before the name is allowed. A line that is none of this is an error: a
/// setting skipped in silence could open the paywall.
package enum EnvironmentFile {
    /// Reads the bytes of a file: UTF-8, with or without a byte order mark.
    ///
    /// - Throws: ``SettingsError`` naming the file and the line, without its text.
    package static func parse(_ bytes: [UInt8], path: String) throws(SettingsError) -> [String:
        String]
    {
        let text = try SettingsText.decode(bytes, variable: "L402_ENV_FILE", path: path)
        return try parse(text, path: path)
    }

    /// Reads the text of a file.
    ///
    /// - Throws: ``SettingsError`` naming the file and the line, without its text.
    static func parse(_ text: String, path: String) throws(SettingsError) -> [String: String] {
        var values: [String: String] = [:]
        for (index, raw) in SettingsText.lines(text).enumerated() {
            var line = raw.trimmingBlanks
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("export ") || line.hasPrefix("export\t") {
                line = line.dropFirst(7).trimmingBlanks
            }
            guard let equals = line.firstIndex(of: "="), isName(line[..<equals]) else {
                throw SettingsError(
                    "L402_ENV_FILE",
                    "\(path):\(index + 1): this line is not NAME=value"
                )
            }
            let name = String(line[..<equals])
            guard
                values.updateValue(unquoted(line[line.index(after: equals)...]), forKey: name)
                    == nil
            else {
                throw SettingsError(
                    "L402_ENV_FILE",
                    "\(path):\(index + 1): \(SecretText.quoted(name)) is set twice"
                )
            }
        }
        return values
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(SecretText.isNameByte)
    }

    private static func unquoted(_ text: Substring) -> String {
        let value = text.trimmingBlanks
        for quote in ["\"", "'"]
        where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
            return String(value.dropFirst().dropLast())
        }
        return value
    }
}
