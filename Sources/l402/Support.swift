import ArgumentParser
import FlatFiles
import FoundationEssentials
import Glibc
import L402
import Paywall
import Settings

/// Standard error as a stream.
struct StandardError: TextOutputStream {
    mutating func write(_ text: String) {
        // A settings file where rules are expected must not have its key told.
        _ = Array(SecretText.masked(text).utf8).withUnsafeBytes {
            Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }
}

/// Files read whole.
enum TextFile {
    /// The bytes of a file; `nil` when it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: path))).map(Array.init)
    }
}

/// The variables that the commands share with the gate. The wallet is not asked by any command
/// here, so nothing about it is required.
struct Variables {
    private let values: [String: String]

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let path = environment["L402_ENV_FILE"], !path.isEmpty else {
            values = environment
            return
        }
        guard let bytes = TextFile.read(path) else {
            complain("L402_ENV_FILE: \(SecretText.quoted(path)) cannot be read")
            throw ExitCode(1)
        }
        do throws(SettingsError) {
            let file = try EnvironmentFile.parse(bytes, path: path)
            values = file.merging(environment) { _, set in set }
        } catch {
            complain(error.description)
            throw ExitCode(1)
        }
    }

    /// `L402_STATE_DIR`.
    var stateDirectory: String { value("L402_STATE_DIR") ?? Settings.defaultStateDirectory }

    /// `L402_RULES`, else where the gate would look.
    var rulesPath: String {
        value("L402_RULES") ?? Settings.defaultRulesPath(stateDirectory: stateDirectory)
    }

    private func value(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
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
