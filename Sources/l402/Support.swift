import ArgumentParser
import FlatFiles
import FoundationEssentials
import Glibc
import Paywall
import Settings
import Store

/// Standard error as a stream.
struct StandardError: TextOutputStream {
    mutating func write(_ text: String) {
        // A settings file where rules are expected must not have its key told.
        _ = unsafe Array(SecretText.masked(text).utf8).withUnsafeBytes {
            unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }
}

/// The variables that the commands share with the gate. The wallet is not asked by any command
/// here, so nothing about it is required.
struct Variables {
    private let layers: [[String: String]]

    init() throws {
        do throws(SettingsError) {
            layers = try EnvironmentLayers.ofProcess()
        } catch {
            complain(error.description)
            throw ExitCode(1)
        }
    }

    /// `L402_STATE_DIR`.
    var stateDirectory: String { value("L402_STATE_DIR") ?? GateSettings.defaultStateDirectory }

    /// `L402_RULES`, else where the gate looks.
    var rulesPath: String {
        RulesPath.find(configured: value("L402_RULES"), stateDirectory: stateDirectory)
    }

    /// `L402_SERVE`.
    ///
    /// - Throws: `ExitCode(1)` when it names no target.
    var defaultServe: ServeTarget? {
        get throws {
            guard let text = value("L402_SERVE") else { return nil }
            guard let target = ServeTarget(text) else {
                complain("L402_SERVE: it is none of the targets that serve= takes")
                throw ExitCode(1)
            }
            return target
        }
    }

    /// The names of the wallets that have a key; `nil` when nothing is said about wallets at all,
    /// because the gate's settings are elsewhere.
    var walletNames: Set<String>? {
        let isKnown = ["LNBITS_URL", "LNBITS_KEY", "LNBITS_KEY_FILE"].contains { value($0) != nil }
        guard isKnown else { return nil }
        let prefixes = ["LNBITS_KEY_FILE_", "LNBITS_KEY_"]
        let names = layers.flatMap(\.keys).compactMap { variable in
            prefixes.first(where: variable.hasPrefix).map { String(variable.dropFirst($0.count)) }
        }
        return Set(names)
    }

    /// Whether `L402_ENV_FILE` says what is set, but not under which name the site sells.
    var isSiteUnnamed: Bool { value("L402_ENV_FILE") != nil && value("L402_SITE") == nil }

    private func value(_ name: String) -> String? {
        layers.lazy.compactMap { $0[name] }.first { !$0.isEmpty }
    }
}

/// Runs a command's work on the state and turns its errors into one line and exit status 1.
func withState<Result>(_ work: (StateDirectory) throws(StateError) -> Result) throws -> Result {
    let path = try Variables().stateDirectory
    do throws(StateError) {
        return try work(try StateDirectory(opening: path))
    } catch {
        complain(error.reason)
        throw ExitCode(1)
    }
}
