import Glibc

/// The process's environment.
package enum Environment {
    /// All variables that are text.
    package static func all() -> [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe environ
        while let pair = unsafe next.pointee {
            unsafe next += 1
            let text = unsafe String(cString: pair)
            guard let equals = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return variables
    }
}
