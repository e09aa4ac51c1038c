import FastCGI
import Glibc
import POSIX
import Settings
import Synchronization
import Text

/// The sites of this process: the one of its environment, and one for each different set of
/// variables that web servers send with requests (`fastcgi_param`, `SetEnv`).
final class SiteRegistry: Sendable {
    /// More sets than one process is ever configured with; a server that sends a new one with
    /// every request is misconfigured and gets an error instead of our memory.
    private static let maximumSites = 64

    /// Parameters that are ours but say what to do with one request.
    private static let requestParameters: Set<String> = [
        "L402_MODE", "L402_STATUS", "L402_TAKEN", "L402_UPSTREAM_STATUS", "L402_BYTES",
        "L402_COMPLETE", "L402_LOCATION", "L402_PAYMENT", "L402_TARGET", "L402_URI",
    ]

    /// A set that was wrong is not looked at again for so long: reading its files once more for each
    /// request would hold up the other sites.
    private static let failureMicroseconds: UInt64 = 1_000_000

    private struct Failure {
        let error: SiteError
        let since: UInt64
    }

    private let environment: [[String: String]]
    private let isOneShot: Bool
    private let trust: RequestTrust
    private let complaints = Complaints()
    private let failures = Mutex<[[String: String]: Failure]>([:])
    private let sites = Mutex<[[String: String]: Site]>([:])
    /// The site of requests that bring no variables of their own: nearly always all of them.
    private let plain = AtomicLazyReference<Site>()

    /// - Parameters:
    ///   - environment: The process's variables, layer by layer; none as CGI.
    ///   - trust: What requests may set.
    ///   - isOneShot: Whether this process answers one request only, as plain CGI.
    init(environment: [[String: String]], trust: RequestTrust, isOneShot: Bool = false) {
        self.environment = environment
        self.trust = trust
        self.isOneShot = isOneShot
    }

    /// The site of a request's own variables, made when they are first seen.
    ///
    /// - Throws: ``SiteError`` naming what is wrong with them; without what has been told within the
    ///   last minute.
    func site(for exchange: any Exchange) throws(SiteError) -> Site {
        let overrides = Self.overrides(in: exchange)
        if overrides.isEmpty, let plain = plain.load() { return plain }
        do throws(SiteError) {
            return try remembered(overrides)
        } catch {
            throw SiteError(
                lines: error.lines.compactMap(complaints.due),
                isTemporary: error.isTemporary
            )
        }
    }

    private func remembered(_ overrides: [String: String]) throws(SiteError) -> Site {
        let now = Clock.monotonicMicroseconds()
        let known = failures.withLock { failures in
            failures[overrides].flatMap {
                now &- $0.since < Self.failureMicroseconds ? $0.error : nil
            }
        }
        if let known { throw known }
        do throws(SiteError) {
            return try site(overrides: overrides)
        } catch {
            failures.withLock { failures in
                if failures.count >= Self.maximumSites { failures.removeAll() }
                failures[overrides] = Failure(error: error, since: now)
            }
            throw error
        }
    }

    /// The site of the process's environment with some variables set otherwise.
    func site(overrides: [String: String]) throws(SiteError) -> Site {
        // Making a site under the lock keeps two threads from opening the same state twice; it
        // happens once for each configuration.
        let result: Result<Site, SiteError> = sites.withLock { sites in
            if let known = sites[overrides] { return .success(known) }
            guard sites.count < Self.maximumSites else {
                return .failure(
                    SiteError(lines: [
                        "more than \(Self.maximumSites) different sets of L402_ and LNBITS_ request parameters"
                    ])
                )
            }
            do throws(SiteError) {
                let made = try make(overrides)
                sites[overrides] = made
                return .success(made)
            } catch {
                return .failure(error)
            }
        }
        let site = try result.get()
        if overrides.isEmpty { _ = plain.storeIfNil(site) }
        return site
    }

    /// All sites made so far.
    var all: [Site] { sites.withLock { Array($0.values) } }

    private func make(_ overrides: [String: String]) throws(SiteError) -> Site {
        if trust == .loopback, let file = overrides["L402_ENV_FILE"], !SettingsFiles.isSafe(file) {
            throw SiteError(lines: [
                "L402_ENV_FILE: what it names can be changed by others than root and the gate's "
                    + "user, or is not there; a request through a TCP port may not name such a file"
            ])
        }
        let ofRequest = SettingsLayer(overrides, from: .request)
        // Nothing that it names is opened where requests set nothing.
        let ofFile =
            trust == .none
            ? []
            : try Self.reading { () throws(SettingsError) in
                try EnvironmentLayers.file(of: overrides)
            }
        return try Site(
            try Self.settings(
                [ofRequest] + ofFile.map { SettingsLayer($0, from: .requestFile) }
                    + environment.map { SettingsLayer($0, from: .process) },
                trust
            ),
            patience: isOneShot ? .cgi : overrides.isEmpty ? .start : .request,
            isOneShot: isOneShot
        )
    }

    /// The settings of the process's own variables.
    static func settings(of layers: [[String: String]]) throws(SiteError) -> GateSettings {
        try settings(layers.map { SettingsLayer($0, from: .process) }, .full)
    }

    private static func settings(_ layers: [SettingsLayer], _ trust: RequestTrust)
        throws(SiteError) -> GateSettings
    {
        try reading { () throws(SettingsError) in
            try GateSettings(layers: layers, trust: trust, files: .real)
        }
    }

    /// - Throws: What is wrong with settings, as what stops a start.
    static func reading<Value>(_ read: () throws(SettingsError) -> Value) throws(SiteError)
        -> Value
    {
        do throws(SettingsError) {
            return try read()
        } catch {
            throw SiteError(lines: [error.description])
        }
    }

    private static func overrides(in exchange: any Exchange) -> [String: String] {
        var overrides: [String: String] = [:]
        exchange.forEachParameter(withPrefixes: ["L402_", "LNBITS_"]) { name, value in
            // Empty is not set: nginx sends "fastcgi_param L402_ENV_FILE $l402_env_file" so.
            if value.isEmpty { return }
            let text = String(decoding: name, as: UTF8.self)
            if requestParameters.contains(text) { return }
            overrides[text] = String(foreign: value)
        }
        return overrides
    }
}
