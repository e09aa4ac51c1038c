import FastCGI

/// One request made of a dictionary, its answer kept. (A double: the real ones are in Tests/e2e.)
final class FakeExchange: Exchange {
    let parameters: [String: [UInt8]]
    private(set) var output: [UInt8] = []
    private(set) var isAborted = false
    /// The web server hangs up once it has so many bytes.
    var takesBytes = Int.max

    init(_ parameters: [String: String]) {
        self.parameters = parameters.mapValues { Array($0.utf8) }
    }

    init(bytes parameters: [String: [UInt8]]) { self.parameters = parameters }

    var hasBody: Bool { true }
    func parameter(_ name: String) -> [UInt8]? { parameters[name] }
    func forEachParameter(
        withPrefixes prefixes: [StaticString],
        _ body: (_ name: [UInt8], _ value: [UInt8]) -> Void
    ) {
        for (name, value) in parameters.sorted(by: { $0.key < $1.key })
        where prefixes.contains(where: { name.hasPrefix("\($0)") }) {
            body(Array(name.utf8), value)
        }
    }
    func read(upTo count: Int) throws(ExchangeError) -> [UInt8] { [] }
    var isPeerGone: Bool { output.count >= takesBytes }
    func write(_ bytes: [UInt8]) throws(ExchangeError) {
        if output.count + bytes.count > takesBytes { throw ExchangeError("hung up") }
        output += bytes
    }
    func flush() throws(ExchangeError) {}
    func abort() { isAborted = true }

    /// The answer's head, line by line, and its body.
    var answer: (head: [String], body: String) {
        let text = String(decoding: output, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return ([text], "") }
        let head = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        return (head, String(text[end.upperBound...]))
    }
}
