import HTTP
import Text

/// The head of a backend's answer, line by line, and whether it is one that can be passed on.
///
/// What one server on the way takes and the next does not would be lost goods for whoever paid, so
/// that everything odd is refused here, where what was taken can be given back.
struct BackendHead {
    /// More than the gate would ever pass on.
    private static let limitBytes = 32 * 1024

    private(set) var status = 0
    private(set) var fields: Fields = []
    /// Whether its last line has come.
    private(set) var isComplete = false
    /// Why it cannot be passed on, for the log.
    private(set) var problem: String?
    private var bytes = 0

    /// One line, with its line end. What follows the head, trailers of the body, is left out.
    mutating func take(_ line: [UInt8]) {
        guard !isComplete, problem == nil else { return }
        bytes += line.count
        if bytes > Self.limitBytes {
            problem = "the head of its answer is too large"
        } else if line.starts(with: "HTTP/".utf8) {
            // Another one follows an interim answer such as 100 or 103.
            let words = String(foreign: line).split(separator: " ")
            status = words.dropFirst().first.flatMap { Int($0.prefix { !$0.isNewline }) } ?? 0
            fields = []
        } else if line == [0x0d, 0x0a] || line == [0x0a] {
            guard !(100...199).contains(status) || status == 101 else { return }
            isComplete = true
            check()
        } else {
            takeField(line)
        }
    }

    private mutating func takeField(_ line: [UInt8]) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(\.isToken)
        else {
            problem = "a line of its head is no header field"
            return
        }
        let value = line[(colon + 1)...].trimming { $0.isBlank || $0 == 0x0d || $0 == 0x0a }
        fields.append((String(foreign: line[..<colon]), String(foreign: value)))
    }

    private mutating func check() {
        let names = fields.map { $0.name.lowercased() }
        let lengths = Set(zip(names, fields).filter { $0.0 == "content-length" }.map(\.1.value))
        if !(200...599).contains(status) {
            problem = "its status is \(status)"
        } else if lengths.count > 1 || lengths.contains(where: { !Self.isNumber($0) }) {
            problem = "its Content-Length is no number, or several"
        } else if !lengths.isEmpty, names.contains("transfer-encoding") {
            problem = "it has both Content-Length and Transfer-Encoding"
        } else if names.count(where: { $0 == "content-length" }) > 1 {
            let length = fields.first { $0.name.lowercased() == "content-length" }
            fields.removeAll { $0.name.lowercased() == "content-length" }
            if let length { fields.append(length) }
        }
    }

    /// Whether events come, which a client waits for one by one.
    var isEventStream: Bool {
        fields.contains {
            $0.name.lowercased() == "content-type"
                && $0.value.lowercased().hasPrefix("text/event-stream")
        }
    }

    /// Whether a body belongs to an answer to this method.
    func wantsBody(method: String) -> Bool {
        let isEmpty = fields.contains {
            $0.name.lowercased() == "content-length" && $0.value == "0"
        }
        return method != "HEAD" && status != 204 && status != 304 && !isEmpty
    }

    private static func isNumber(_ text: String) -> Bool {
        (1...18).contains(text.utf8.count) && Digits.isNumber(text)
    }
}
