import Glibc
import POSIX
import Synchronization

/// Where log lines go: standard error, which nobody can stop a request with by not reading it.
///
/// What cannot be written at once is dropped and counted. The descriptor is never made non-blocking:
/// that would be a property of the terminal or pipe, and change it for whoever shares it. A socket
/// (systemd's journal) is sent to without waiting, a pipe or terminal is opened once more, and where
/// that is not allowed a thread stands between.
final class LogSink: Sendable {
    /// A line and its end; a pipe takes so much in one piece or not at all, so that lines of
    /// processes never mix.
    static let maximumLineBytes = Int(PIPE_BUF)

    /// Standard error of this process.
    static let standardError = LogSink(STDERR_FILENO)

    private struct State {
        /// Lines dropped that have not been told.
        var lost: UInt64 = 0
        /// Why the last one was.
        var cause: Int32 = 0
        /// Whether the end of the last line is missing.
        var isCut = false
    }

    private let state = Mutex(State())
    private let lostInAll = Atomic<UInt64>(0)
    private let descriptor: Int32
    private let isSocket: Bool
    private let relay: Relay?

    init(_ standard: Int32) {
        let kind = FileStatus(descriptor: standard)?.kind ?? .file
        isSocket = kind == .socket
        var own = kind == .socket || kind == .file ? standard : -1
        if own < 0 {
            let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_APPEND
            own = unsafe open("/proc/self/fd/\(standard)", flags)
        }
        relay = own < 0 ? Relay(to: standard) : nil
        descriptor = relay?.input ?? (own < 0 ? standard : own)
    }

    /// Lines dropped since the start of the process.
    var linesLost: UInt64 { lostInAll.load(ordering: .relaxed) &+ (relay?.linesLost ?? 0) }

    /// Writes a line, or drops it. When lines were dropped before, `told` makes the line that says
    /// so of their number and the reason.
    func write(_ line: [UInt8], told: (_ lost: UInt64, _ reason: String) -> [UInt8]) {
        state.withLock { state in
            if let relay { state.lost &+= relay.takeLost() }
            if state.lost > 0, put(told(state.lost, Self.reason(state.cause)), &state) {
                state.lost = 0
            }
            if state.lost == 0, put(line, &state) { return }
            state.lost &+= 1
            lostInAll.add(1, ordering: .relaxed)
        }
    }

    private static func reason(_ cause: Int32) -> String {
        cause == EAGAIN || cause == 0
            ? "nobody read standard error"
            : unsafe "standard error cannot be written: \(String(cString: strerror(cause)))"
    }

    /// Whether all of a line has been written.
    private func put(_ text: [UInt8], _ state: inout State) -> Bool {
        var line = state.isCut ? [UInt8(ascii: "\n")] + text : text
        if line.count >= Self.maximumLineBytes {
            line = Array(line.prefix(Self.maximumLineBytes - 1))
        }
        line.append(UInt8(ascii: "\n"))
        let written = unsafe line.withUnsafeBytes { bytes in
            while true {
                let count =
                    unsafe isSocket
                    ? send(
                        descriptor,
                        bytes.baseAddress,
                        bytes.count,
                        Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                    )
                    : Glibc.write(descriptor, bytes.baseAddress, bytes.count)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        if written == line.count {
            state.isCut = false
            return true
        }
        state.cause = written < 0 ? errno : EAGAIN
        if written > 0 { state.isCut = true }
        return false
    }

    /// At the end of the process: gives the thread between, where there is one, a moment.
    func drain() { relay?.drain() }

    /// A pipe of our own and a thread that empties it into a descriptor, which may wait.
    private final class Relay: Sendable {
        private static let drainMilliseconds = 200

        let input: Int32
        private let lost = Atomic<UInt64>(0)
        private let lostInAll = Atomic<UInt64>(0)
        private let isWriting = Atomic<Bool>(false)
        private let output: Int32

        /// `nil` when there is no pipe or no thread to be had.
        init?(to target: Int32) {
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { return nil }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK)
            (output, input) = (ends[0], ends[1])
            let isStarted = Signals.detachUndisturbed { [self] in run(target) }
            guard isStarted else {
                for end in ends { close(end) }
                return nil
            }
        }

        var linesLost: UInt64 { lostInAll.load(ordering: .relaxed) }

        func takeLost() -> UInt64 { lost.exchange(0, ordering: .relaxed) }

        private func run(_ target: Int32) {
            var chunk = [UInt8](repeating: 0, count: 65536)
            while true {
                isWriting.store(false, ordering: .relaxed)
                let count = unsafe read(output, &chunk, chunk.count)
                guard count > 0 else { continue }
                isWriting.store(true, ordering: .relaxed)
                var rest = chunk[..<count]
                while !rest.isEmpty {
                    let written = unsafe rest.withUnsafeBytes {
                        unsafe Glibc.write(target, $0.baseAddress, $0.count)
                    }
                    if written < 0 && (errno == EINTR || errno == EAGAIN) {
                        if errno == EAGAIN { Pause.milliseconds(20) }
                        continue
                    }
                    guard written > 0 else {
                        let lines = UInt64(rest.count { $0 == UInt8(ascii: "\n") })
                        lost.add(lines, ordering: .relaxed)
                        lostInAll.add(lines, ordering: .relaxed)
                        break
                    }
                    rest = rest.dropFirst(written)
                }
            }
        }

        func drain() {
            for _ in 0..<(Self.drainMilliseconds / 5) {
                var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
                if unsafe poll(&waiting, 1, 0) == 0, !isWriting.load(ordering: .relaxed) { return }
                Pause.milliseconds(5)
            }
        }
    }
}
