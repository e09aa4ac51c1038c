import Glibc
import TestTools
import Testing

@testable import FlatFiles

/// One process of the state driver.
struct Driver {
    let pid: pid_t
    let output: String

    /// Starts the driver; it works on `state` and says what it did in a file there.
    ///
    /// - Parameter go: A file that it waits for before it begins.
    init(
        _ command: String,
        _ state: TemporaryState,
        now: UInt64 = noon,
        _ arguments: [String] = [],
        output: String,
        go: String? = nil
    ) throws {
        self.output = output
        let program = try Self.program()
        let words = [program, command, state.path, output, String(now)] + arguments
        var environment = ["PATH=/usr/bin:/bin"]
        if let path = getenv("LD_LIBRARY_PATH") {
            environment.append("LD_LIBRARY_PATH=\(String(cString: path))")
        }
        if let go { environment.append("STATE_DRIVER_GO=\(go)") }
        var pid: pid_t = 0
        let result = withCStrings(words) { words in
            withCStrings(environment) { posix_spawn(&pid, program, nil, nil, words, $0) }
        }
        try #require(result == 0, "cannot start \(program)")
        self.pid = pid
    }

    /// The driver is built beside the test.
    private static func program() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(
            decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        for path in [own, bundle ?? own] {
            let directory = path.split(separator: "/").dropLast().joined(separator: "/")
            let program = (path.hasPrefix("/") ? "/" : "") + directory + "/StateDriver"
            if access(program, X_OK) == 0 { return program }
        }
        throw StateDriverMissing()
    }

    /// Waits until it ends; its exit status, or 128 and the signal that ended it.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
    }

    /// Ends it as the power would.
    func killNow() {
        kill(pid, SIGKILL)
        wait()
    }

    /// Waits until it has said something; it has begun then.
    func waitForOutput() throws {
        for _ in 0..<20_000 {
            var status = stat()
            if stat(output, &status) == 0, status.st_size > 0 { return }
            usleep(500)
        }
        throw DriverIsSilent()
    }

    /// What it said, line by line.
    func lines() throws -> [String] {
        let text = String(decoding: try bytes(of: output), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }
}

struct StateDriverMissing: Error {}
struct DriverIsSilent: Error {}

/// Runs as many drivers at once and gives what all of them said.
func race(
    _ processes: Int,
    _ command: String,
    _ state: TemporaryState,
    _ arguments: [String]
) throws -> [String] {
    let room = try TemporaryState()
    let go = "\(room.path)/go"
    let drivers = try (0..<processes).map {
        try Driver(command, state, arguments, output: "\(room.path)/\($0)", go: go)
    }
    try room.write("go", "")
    for driver in drivers { #expect(driver.wait() == 0) }
    return try drivers.flatMap { try $0.lines() }
}

private func withCStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}

/// A number from the environment, for longer runs.
func setting(_ name: String, default value: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? value
}
