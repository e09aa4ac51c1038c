import FastCGI
import Glibc
import Paywall
import Settings
import Synchronization

/// The sites of this process: the one of its environment, and one for each different set of
/// variables that web servers send with requests (`fastcgi_param`, `SetEnv`).
final class SiteRegistry: Sendable {
    /// More sets than one process is ever configured with; a server that sends a new one with
    /// every request is misconfigured and gets an error instead of our memory.
    private static let maximumSites = 64

    /// Parameters that are ours but say what to do with one request.
    private static let requestParameters = [
        "L402_MODE", "L402_STATUS", "L402_TAKEN", "L402_PAYMENT", "L402_TARGET",
        "L402_UPSTREAM_STATUS", "L402_BYTES", "L402_COMPLETE", "L402_LOCATION", "L402_URI",
    ]

    private let environment: [[String: String]]
    private let sites = Mutex<[[String: String]: Site]>([:])
    /// The site of requests that bring no variables of their own: nearly always all of them.
    private let plain = AtomicLazyReference<Site>()

    init(environment: [[String: String]]) {
        self.environment = environment
    }

    /// The site of a request's own variables, made when they are first seen.
    ///
    /// - Throws: ``SiteError`` naming what is wrong with them.
    func site(for exchange: any Exchange) throws(SiteError) -> Site {
        let overrides = Self.overrides(in: exchange)
        if overrides.isEmpty, let plain = plain.load() { return plain }
        return try site(overrides: overrides)
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
        let layers = try [overrides] + Self.environmentFile(of: overrides) + environment
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings(layers: layers) { path in
                WholeFile.read(path, limit: 4096).map { String(decoding: $0, as: UTF8.self) }
            }
        } catch {
            throw SiteError(lines: [error.description])
        }
        return try Site(settings)
    }

    /// What the file named by a layer's `L402_ENV_FILE` says; nothing without one.
    ///
    /// - Throws: ``SiteError`` when it cannot be read or is wrong.
    static func environmentFile(of layer: [String: String]) throws(SiteError) -> [[String: String]]
    {
        guard let path = layer["L402_ENV_FILE"], !path.isEmpty else { return [] }
        guard let bytes = WholeFile.read(path, limit: 1 << 20) else {
            throw SiteError(lines: [
                "L402_ENV_FILE: \"\(path)\" cannot be read: \(String(cString: strerror(errno)))"
            ])
        }
        do throws(SettingsError) {
            return [try EnvironmentFile.parse(String(decoding: bytes, as: UTF8.self), path: path)]
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
