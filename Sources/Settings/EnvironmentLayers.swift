import POSIX

/// Variables in layers, the first that has a value wins.
package enum EnvironmentLayers {
    /// The process's own: its environment, and the file that its `L402_ENV_FILE` names.
    ///
    /// - Throws: ``SettingsError`` when that file cannot be read or is wrong.
    package static func ofProcess(files: SettingsFiles = .real) throws(SettingsError)
        -> [[String: String]]
    {
        let environment = Environment.all()
        return [environment] + (try file(of: environment, files: files))
    }

    /// What the file named by a layer's `L402_ENV_FILE` says; nothing without one.
    ///
    /// - Throws: ``SettingsError`` when it cannot be read or is wrong.
    package static func file(of layer: [String: String], files: SettingsFiles = .real)
        throws(SettingsError) -> [[String: String]]
    {
        guard let path = layer["L402_ENV_FILE"], !path.isEmpty else { return [] }
        let bytes: [UInt8]
        do throws(SettingsFiles.FileReason) {
            bytes = try files.read(path)
        } catch {
            throw SettingsError(
                "L402_ENV_FILE",
                "\(SecretText.quoted(path)) cannot be read: \(error.text)"
            )
        }
        return [try EnvironmentFile.parse(bytes, path: path)]
    }
}
