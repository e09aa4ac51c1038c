/// Which wallets there are: a key, and an address that may get it.
///
/// A key is sent only to an address that comes from where the key comes from, or from where it is
/// trusted more. Else whoever may set variables of a request could have our key sent to himself.
struct WalletVariables {
    let source: VariableSource
    let files: SettingsFiles

    private static let keyPrefix = "LNBITS_KEY_"
    private static let filePrefix = "LNBITS_KEY_FILE_"
    private static let urlPrefix = "LNBITS_URL_"

    /// A key and where it came from.
    private struct FoundKey {
        let key: Secret
        let origin: SettingsLayer.Origin
        /// Whether a request named the file that it was read from, and any program can send such.
        let isOfNeighboursFile: Bool
    }

    /// The wallet of `LNBITS_URL` and `LNBITS_KEY`.
    func standard() throws(SettingsError) -> GateSettings.Wallet {
        guard let url = source.exactly("LNBITS_URL") else {
            throw SettingsError("LNBITS_URL", "is not set; give the base URL of LNbits")
        }
        let checked = try checkedURL(url.value, "LNBITS_URL")
        guard let key = try key(named: nil) else {
            throw SettingsError(
                "LNBITS_KEY",
                "is not set; give the invoice/read key of the receiving wallet, or LNBITS_KEY_FILE"
            )
        }
        try check(url, "LNBITS_URL", against: key)
        return GateSettings.Wallet(url: checked, key: key.key)
    }

    /// The wallets with a name.
    func named() throws(SettingsError) -> [String: GateSettings.Wallet] {
        var names: Set<String> = []
        for variable in source.names(beginning: Self.keyPrefix) where variable != "LNBITS_KEY_FILE"
        {
            let isFile = variable.hasPrefix(Self.filePrefix)
            names.insert(
                String(variable.dropFirst((isFile ? Self.filePrefix : Self.keyPrefix).count))
            )
        }
        for variable in source.names(beginning: Self.urlPrefix) {
            let name = String(variable.dropFirst(Self.urlPrefix.count))
            guard names.contains(name) else {
                throw SettingsError(
                    variable,
                    "there is no \(Self.keyPrefix)\(name) or \(Self.filePrefix)\(name) beside it"
                )
            }
        }
        var wallets: [String: GateSettings.Wallet] = [:]
        for name in names.sorted() where !name.isEmpty {
            guard let key = try key(named: name) else { continue }
            var variable = Self.urlPrefix + name
            var url = source.exactly(variable)
            if url == nil {
                // The default address, as it stands where this key comes from.
                variable = "LNBITS_URL"
                url = source.exactly(variable, from: key.origin)
            }
            guard let url else {
                throw SettingsError(
                    Self.urlPrefix + name,
                    "is not set; give the base URL of LNbits"
                )
            }
            let checked = try checkedURL(url.value, variable)
            try check(url, variable, against: key)
            wallets[name] = GateSettings.Wallet(url: checked, key: key.key)
        }
        return wallets
    }

    /// Certificates from a request make its own LNbits trusted, and nobody else's.
    func checkCA() throws(SettingsError) {
        guard let ca = source.found("L402_LNBITS_CA") else { return }
        for variable in source.names(beginning: "LNBITS_KEY") {
            guard let key = source.exactly(variable), ca.origin < key.origin else { continue }
            throw Self.refusal("L402_LNBITS_CA", key: variable)
        }
    }

    private func check(_ url: VariableSource.Found, _ variable: String, against key: FoundKey)
        throws(SettingsError)
    {
        let isNeighbours = key.isOfNeighboursFile && source.isFromNeighbour(url)
        guard url.origin >= key.origin, !isNeighbours else {
            throw Self.refusal(variable, key: "its key")
        }
    }

    private static func refusal(_ variable: String, key: String) -> SettingsError {
        SettingsError(
            variable,
            "comes with a request and \(key) does not: a key is never sent where a request says; set "
                + "both in the same place"
        )
    }

    /// The first layer that has a key, itself or by the name of a file.
    private func key(named name: String?) throws(SettingsError) -> FoundKey? {
        let variable = name.map { Self.keyPrefix + $0 } ?? "LNBITS_KEY"
        let fileVariable = name.map { Self.filePrefix + $0 } ?? "LNBITS_KEY_FILE"
        for layer in source.layers {
            if let value = layer.variables[variable] {
                let key = try checkedKey(value, variable)
                return FoundKey(key: key, origin: layer.origin, isOfNeighboursFile: false)
            }
            if let value = layer.variables[fileVariable] {
                let found = VariableSource.Found(value: value, origin: layer.origin)
                return FoundKey(
                    key: try key(inFile: found, fileVariable),
                    origin: layer.origin,
                    isOfNeighboursFile: source.isFromNeighbour(found)
                )
            }
        }
        return nil
    }

    private func key(inFile found: VariableSource.Found, _ variable: String)
        throws(SettingsError) -> Secret
    {
        let path = try source.absolutePath(variable, found)
        let bytes: [UInt8]
        do throws(SettingsFiles.FileReason) {
            bytes = try files.read(path)
        } catch {
            throw SettingsError(
                variable,
                "the file cannot be read: \(error.text); give one that holds the key alone"
            )
        }
        let text = try SettingsText.decode(bytes, variable: variable, path: "the file")
        let line = SettingsText.lines(text).first { !$0.isEmpty } ?? ""
        return try checkedKey(String(line), variable)
    }

    /// A key of printable ASCII without blanks; its value is never told.
    private func checkedKey(_ value: String, _ variable: String) throws(SettingsError) -> Secret {
        let bytes = value.utf8
        guard (8...256).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw SettingsError(
                variable,
                "its value (\(bytes.count) bytes) is no LNbits key; give the invoice/read key, 32 hex digits"
            )
        }
        return Secret(value)
    }

    /// An `http` or `https` URL with a host and nothing that LNbits' paths could not follow.
    private func checkedURL(_ value: String, _ variable: String) throws(SettingsError) -> String {
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { value.lowercased().hasPrefix($0) }),
            value.utf8.count > scheme.utf8.count,
            !value.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }),
            !value.contains("?"), !value.contains("#"),
            !value.dropFirst(scheme.count).hasPrefix("/")
        else {
            throw SettingsError(
                variable,
                "its value (not shown: it can hold a key) is not a base URL such as https://lnbits.example.org or http://127.0.0.1:5000"
            )
        }
        var url = value[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        return String(url)
    }
}

extension VariableSource {
    /// Files named anywhere that hold secrets.
    func secretFiles() -> [String] {
        let names =
            names(beginning: "LNBITS_KEY_FILE") + ["L402_ENV_FILE", "L402_REPORT_KEY_FILE"]
        return names.flatMap { name in layers.compactMap { $0.variables[name] } }
    }
}

extension SettingsLayer.Origin {
    /// Whether a request brought it or named it.
    var isRequest: Bool { self != .process }
}
