import Configuration
import Paywall

/// Looks variables up in layers and checks their form; an empty value counts as not set.
struct VariableSource {
    private let reader: ConfigReader
    private let layers: [[String: String]]

    init(_ variables: [[String: String]]) {
        let layers = variables.map { $0.filter { !$0.value.isEmpty } }
        self.layers = layers
        let secrets = SecretsSpecifier<String, String>.dynamic { name, _ in
            name.hasPrefix("LNBITS_KEY")
        }
        reader = ConfigReader(
            providers: layers.map {
                EnvironmentVariablesProvider(environmentVariables: $0, secretsSpecifier: secrets)
            }
        )
    }

    func string(_ name: String) -> String? {
        reader.string(forKey: ConfigKey([name]))
    }

    func secret(_ name: String) -> Secret? {
        reader.string(forKey: ConfigKey([name]), isSecret: true).map { Secret($0) }
    }

    /// A variable whose name the operator chose, letter by letter; the reader knows upper case only.
    func exactly(_ name: String) -> String? {
        layers.lazy.compactMap { $0[name] }.first
    }

    /// All names that begin so.
    func names(beginning prefix: String) -> [String] {
        Set(layers.flatMap(\.keys)).filter { $0.hasPrefix(prefix) }.sorted()
    }

    func required(_ name: String, _ what: String) throws(SettingsError) -> String {
        guard let value = string(name) else {
            throw SettingsError(name, "is not set; give \(what)")
        }
        return value
    }

    func absolutePath(_ name: String) throws(SettingsError) -> String? {
        guard let value = string(name) else { return nil }
        guard value.hasPrefix("/"), !value.utf8.contains(0) else {
            throw SettingsError(name, "\"\(value)\" is not an absolute path such as /var/lib/l402")
        }
        var path = value[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard let value = string(name) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            throw SettingsError(
                name,
                "\"\(value)\" is not a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func seconds(_ name: String, in range: ClosedRange<UInt64>) throws(SettingsError) -> UInt64? {
        guard let value = string(name) else { return nil }
        guard let seconds = DurationText.seconds(value), range.contains(seconds) else {
            throw SettingsError(
                name,
                "\"\(value)\" is not a duration such as 30s, 10m or 1h, from \(range.lowerBound)s to "
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
        case let value?: throw SettingsError(name, "\"\(value)\" is neither on nor off")
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(SettingsError)
        -> Choice?
    where Choice.RawValue == String {
        guard let value = string(name) else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let accepted = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(name, "\"\(value)\" is none of \(accepted)")
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
                "\"\(value)\" is not *, off, or origins such as https://example.org,https://b.example"
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
                "\"\(value)\" is not unix:/path (at most 107 bytes) or host:port such as 127.0.0.1:9402"
            )
        }
        return value
    }

    func serveTarget(_ name: String) throws(SettingsError) -> ServeTarget? {
        guard let value = string(name) else { return nil }
        guard let target = ServeTarget(value) else {
            throw SettingsError(
                name,
                "\"\(value)\" is not @name, /prefix/, file:/dir, http://host:port, pass or demo"
            )
        }
        return target
    }
}
