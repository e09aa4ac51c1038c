import Crypto

/// What tells the tokens of one site from those of another that shares its state directory.
package enum SiteIdentity {
    /// The identity of a site without `L402_SITE` whose rules a request names: `path-` and 16 hex
    /// digits of the SHA-256 of the rules file's canonical path.
    package static func ofRules(at canonicalPath: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: Array(canonicalPath.utf8)).prefix(8)
        let hex = hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "path-" + String(decoding: hex, as: UTF8.self)
    }
}
