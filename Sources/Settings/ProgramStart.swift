import CProgram

/// What both programs know of themselves.
package enum ProgramStart {
    /// The arguments, the program's name first, also where there is no `/proc`. Bytes that are no UTF-8
    /// are replaced.
    package static var arguments: [String] {
        var arguments: [String] = []
        var next = unsafe cprogram_arguments()
        while let argument = unsafe next.pointee {
            unsafe arguments.append(String(cString: argument))
            unsafe next += 1
        }
        return arguments
    }

    /// The version of both programs: what `nginx/release` made of the commit, else that of the next
    /// release (the file `nginx/version`) with `~dev` behind it, which sorts before the release.
    package static let version: String = {
        if let released = unsafe cprogram_released_version() {
            return unsafe String(cString: released)
        }
        let next = unsafe String(cString: cprogram_next_version())
        return next.prefix { !$0.isNewline } + "~dev"
    }()
}
