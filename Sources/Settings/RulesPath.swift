import Glibc

/// Where the rules file is, for both programs.
package enum RulesPath {
    /// `L402_RULES`, else the file `rules` beside the state directory, else the one in it.
    ///
    /// - Parameters:
    ///   - configured: The value of `L402_RULES`; `nil` when it is not set.
    ///   - stateDirectory: Absolute; slashes at its end do not count.
    package static func find(configured: String?, stateDirectory: String) -> String {
        if let configured { return configured }
        var directory = stateDirectory[...]
        while directory.hasSuffix("/") { directory = directory.dropLast() }
        let parent = directory.lastIndex(of: "/").map { directory[..<$0] } ?? ""
        let beside = "\(parent)/rules"
        let inside = "\(directory)/rules"
        return unsafe access(beside, F_OK) != 0 && access(inside, F_OK) == 0 ? inside : beside
    }
}
