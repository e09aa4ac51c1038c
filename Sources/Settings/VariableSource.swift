import Configuration
import Paywall
import Text

/// Looks variables up in layers and checks their form; an empty value counts as not set.
struct VariableSource {
    /// A value and where it came from.
    struct Found {
        let value: String
        let origin: SettingsLayer.Origin
    }

    let layers: [SettingsLayer]
    private let readers: [ConfigReader]
    private let trust: RequestTrust
    private let files: SettingsFiles

    /// - Throws: ``SettingsError`` for a value that holds a second setting, and for anything that a
    ///   request sets where it may set nothing.
    init(_ layers: [SettingsLayer], trust: RequestTrust, files: SettingsFiles)
        throws(SettingsError)
    {
        self.layers = layers.map { layer in
            SettingsLayer(layer.variables.filter { !$0.value.isEmpty }, from: layer.origin)
        }
        self.trust = trust
        self.files = files
        let secrets = SecretsSpecifier<String, String>.dynamic { name, _ in
            name.hasPrefix("LNBITS_KEY")
        }
        readers = self.layers.map {
            ConfigReader(
                provider: EnvironmentVariablesProvider(
                    environmentVariables: $0.variables,
                    secretsSpecifier: secrets
                )
            )
        }
        for layer in self.layers {
            for (name, value) in layer.variables.sorted(by: { $0.key < $1.key })
            where name.hasPrefix("LNBITS_") || name.hasPrefix("L402_") {
                guard trust != .none || layer.origin == .process else {
                    throw SettingsError(
                        name,
                        "came with a request through a port that other machines reach; such "
                            + "requests set nothing: set it in the gate's own environment"
                    )
                }
                guard !Self.holdsSetting(value) else {
                    throw SettingsError(
                        name,
                        "its value holds another setting; write each on a line of its own"
                    )
                }
            }
        }
    }

    /// Whether `LNBITS_NAME=` or `L402_NAME=` stands in a value: two lines run together.
    private static func holdsSetting(_ value: String) -> Bool {
        ["LNBITS_", "L402_"].contains { prefix in
            value.ranges(of: prefix).contains { range in
                value[range.upperBound...].drop { $0.utf8.allSatisfy(SecretText.isNameByte) }
                    .first == "="
            }
        }
    }

    func found(_ name: String) -> Found? {
        for (reader, layer) in zip(readers, layers) {
            if let value = reader.string(forKey: ConfigKey([name])) {
                return Found(value: value, origin: layer.origin)
            }
        }
        return nil
    }

    func string(_ name: String) -> String? { found(name)?.value }

    /// A variable whose name the operator chose, letter by letter; the reader knows upper case only.
    /// - Parameter origin: Layers that are trusted less are passed over.
    func exactly(_ name: String, from origin: SettingsLayer.Origin = .request) -> Found? {
        for layer in layers where layer.origin >= origin {
            if let value = layer.variables[name] {
                return Found(value: value, origin: layer.origin)
            }
        }
        return nil
    }

    /// All names that begin so.
    func names(beginning prefix: String) -> [String] {
        Set(layers.flatMap(\.variables.keys)).filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Whether a value came with a request that any program of this machine can send.
    func isFromNeighbour(_ found: Found) -> Bool { trust == .loopback && found.origin == .request }

    func absolutePath(_ name: String) throws(SettingsError) -> String? {
        guard let found = found(name) else { return nil }
        return try absolutePath(name, found)
    }

    func absolutePath(_ name: String, _ found: Found) throws(SettingsError) -> String {
        guard found.value.hasPrefix("/"), !found.value.utf8.contains(0) else {
            throw SettingsError(
                name,
                "\(told(found.value, of: name)) is not an absolute path such as /var/lib/l402"
            )
        }
        if isFromNeighbour(found), !files.isSafe(found.value) {
            throw SettingsError(
                name,
                "what it names can be changed by others than root and the gate's user, or is not "
                    + "there; a request through a TCP port may not name such a file"
            )
        }
        var path = found.value[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }

    /// A value for an error; that of a variable about the wallet never.
    private func told(_ value: String, of name: String) -> String {
        name.hasPrefix("LNBITS_") ? "its value" : SecretText.quoted(value)
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard let value = string(name) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func seconds(_ name: String, in range: ClosedRange<UInt64>) throws(SettingsError) -> UInt64? {
        guard let value = string(name) else { return nil }
        guard let seconds = DurationText.seconds(value), range.contains(seconds) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not a duration such as 30s, 10m or 1h, from \(range.lowerBound)s to "
                    + "\(range.upperBound)s"
            )
        }
        return seconds
    }

    func onOff(_ name: String) throws(SettingsError) -> Bool? {
        switch string(name) {
        case nil: nil
        case "on": true
        case "off": false
        case let value?:
            throw SettingsError(name, "\(SecretText.quoted(value)) is neither on nor off")
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(SettingsError)
        -> Choice?
    where Choice.RawValue == String {
        guard let value = string(name) else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let accepted = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(name, "\(SecretText.quoted(value)) is none of \(accepted)")
        }
        return choice
    }

    func origins(_ name: String) throws(SettingsError) -> String? {
        guard let value = string(name) else { return nil }
        let isList = value.split(separator: ",").allSatisfy { entry in
            let origin = entry.drop { $0 == " " }
            return origin.hasPrefix("http://") || origin.hasPrefix("https://")
        }
        let isPrintable = value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
        guard value == "*" || value == "off" || (isList && isPrintable) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not *, off, or origins such as https://example.org,https://b.example"
            )
        }
        return value
    }

    /// `unix:/path` or `host:port`.
    func listenAddress(_ name: String) throws(SettingsError) -> String? {
        guard let value = string(name) else { return nil }
        let isUnix = value.hasPrefix("unix:/") && value.utf8.count <= 5 + 107
        let port = value.lastIndex(of: ":").flatMap { UInt16(value[value.index(after: $0)...]) }
        let isTCP = !value.hasPrefix("unix:") && !value.hasPrefix(":") && port != nil && port != 0
        guard isUnix || isTCP else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not unix:/path (at most 107 bytes) or host:port such as 127.0.0.1:9402"
            )
        }
        return value
    }

    func serveTarget(_ name: String) throws(SettingsError) -> ServeTarget? {
        guard let found = found(name) else { return nil }
        let value = found.value
        if isFromNeighbour(found), value.hasPrefix("file:") || value.hasPrefix("http") {
            throw SettingsError(
                name,
                "files and backends of the gate's own are not named by a request through a TCP port"
            )
        }
        guard let target = ServeTarget(value) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not @name, /prefix/, file:/dir, http://host:port, pass or demo"
            )
        }
        return target
    }

    /// A currency by its three letters (ISO 4217).
    func currency(_ name: String) throws(SettingsError) -> String? {
        guard let value = string(name) else { return nil }
        guard value.utf8.count == 3, value.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not a currency such as EUR or USD"
            )
        }
        return value
    }

    /// A name of a site: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    func siteName(_ name: String) throws(SettingsError) -> String? {
        guard let value = string(name) else { return nil }
        let isName = value.utf8.allSatisfy {
            SecretText.isNameByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
        guard isName, (1...64).contains(value.utf8.count) else {
            throw SettingsError(
                name,
                "\(SecretText.quoted(value)) is not a name of 1 to 64 letters, digits, '.', '_', '-'"
            )
        }
        return value
    }
}
