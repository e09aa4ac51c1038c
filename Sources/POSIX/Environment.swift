import Glibc

/// The process's environment.
package enum Environment {
    /// All variables that are text.
    package static func all() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let pair = next.pointee {
            next += 1
            let text = String(cString: pair)
            guard let equals = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return variables
    }
}
