import HTTP
import Text

/// Says where the goods of a request that passes come from.
struct Handover {
    let visit: Visit

    private var request: Request { visit.request }

    func deliver(_ target: ServeTarget, body: BodyReader?, in decision: inout Decision) {
        switch target {
        case .named(let name):
            decision.answer.headers.append(("X-Accel-Redirect", name))
        case .internal(let location):
            decision.answer.headers.append(("X-Accel-Redirect", internalURI(location)))
        case .file(let directory):
            let sendfile =
                visit.policy.sendsFiles ? request.sendfilePath.map { directory + $0 } : nil
            decision.goods = .file(
                path: request.path.bytes,
                directory: directory,
                sendfile: sendfile
            )
        case .proxy(let base):
            decision.goods = .backend(base: base, path: request.path.forBackend)
        case .pass:
            decision.answer.status = 204
        case .demo:
            let demo = demo(body)
            decision.answer.headers += demo.headers
            decision.answer.body = request.method == "HEAD" ? [] : demo.body
        }
    }

    /// The goods of the tutorial.
    private func demo(_ body: BodyReader?) -> Response {
        let words = "This is your paid API response for: "
        let path = request.path.bytes
        let isPlain = path.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "-")...UInt8(ascii: "9")).contains(byte)
        }
        guard body?.prompt == nil, isPlain else {
            let what = body?.prompt ?? String(foreign: path)
            return .json(200, ["result": words + what])
        }
        // What an encoder would write, for a path of letters and digits: they are most.
        var text = Array("{\"result\":\"\(words)".utf8)
        text += path
        text += "\"}\n".utf8
        return Response(status: 200, headers: Response.jsonHeaders, body: text)
    }

    /// The path below an internal location, or its one file, and the query.
    private func internalURI(_ location: String) -> String {
        var uri = Array(location.utf8)
        if location.hasSuffix("/") {
            uri += request.path.encodedForHeader.drop { $0 == UInt8(ascii: "/") }
        }
        if let query = request.path.query { uri += [UInt8(ascii: "?")] + query }
        return String(foreign: uri)
    }
}
