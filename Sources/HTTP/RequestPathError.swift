/// Why a request target is no path that the web server would serve: status 400.
package enum RequestPathError: Error, Equatable, CustomStringConvertible {
    /// It does not begin with `/`.
    case notAbsolute
    /// A `%` without two hex digits behind it.
    case badEscape
    /// An encoded or raw NUL.
    case nul
    /// `..` above the root.
    case aboveRoot
    /// A blank or control byte, which no server passes on.
    case controlByte

    /// Lower-case words, no period.
    package var description: String {
        switch self {
        case .notAbsolute: "the path does not begin with a slash"
        case .badEscape: "the path has a percent sign without two hex digits"
        case .nul: "the path has a NUL byte"
        case .aboveRoot: "the path leads above the root"
        case .controlByte: "the path has a blank or control byte"
        }
    }
}
