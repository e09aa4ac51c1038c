import Testing

@testable import Goods

@Suite("The head of a backend's answer") struct BackendHeadTests {
    private func head(_ text: String) -> BackendHead {
        var head = BackendHead()
        var line: [UInt8] = []
        for byte in text.utf8 {
            line.append(byte)
            if byte == 0x0a {
                head.take(line)
                line = []
            }
        }
        return head
    }

    @Test("what can be passed on is read whole")
    func good() {
        let answer = head(
            "HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nA: b \r\nX_Y:\tc\r\nE:\r\n"
                + "Content-Length: 5\r\ncontent-length: 5\r\n\r\nTrailer: x\r\n\r\n"
        )
        #expect(answer.isComplete && answer.problem == nil && answer.status == 200)
        #expect(
            answer.fields.map { "\($0.name)=\($0.value)" } == [
                "A=b", "X_Y=c", "E=", "Content-Length=5",
            ]
        )
        #expect(head("HTTP/1.1 204\r\n\r\n").status == 204)
        #expect(!head("HTTP/1.1 100 Continue\r\n\r\n").isComplete)
    }

    @Test(
        "what one server takes and the next does not is refused",
        arguments: [
            "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nÄ: x\r\n\r\n", "HTTP/1.1 200 OK\r\nA(b): x\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n", "HTTP/1.1 600 X\r\n\r\n",
            "HTTP/1.1 9999999999999999999999 X\r\n\r\n", "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 -200 X\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
    )
    func bad(text: String) {
        #expect(head(text).problem != nil, "\(text)")
    }

    @Test("a head that grows without end is let go of")
    func large() {
        var answer = head("HTTP/1.1 200 OK\r\n")
        for _ in 0..<5 { answer.take(Array("A: \(String(repeating: "x", count: 8000))\r\n".utf8)) }
        #expect(answer.problem != nil && answer.fields.count < 5)
    }

    @Test("which answers have a body")
    func bodies() {
        let plain = head("HTTP/1.1 200 OK\r\n\r\n")
        #expect(plain.wantsBody(method: "GET") && !plain.wantsBody(method: "HEAD"))
        #expect(!head("HTTP/1.1 204 X\r\n\r\n").wantsBody(method: "GET"))
        #expect(!head("HTTP/1.1 200 X\r\nContent-length: 0\r\n\r\n").wantsBody(method: "GET"))
        #expect(head("HTTP/1.1 200 X\r\nContent-Type: Text/Event-Stream;x\r\n\r\n").isEventStream)
    }
}

@Suite("Places for transfers to backends") struct TransferPlacesTests {
    @Test("one client gets a quarter, all together not more than there are")
    func bounds() {
        let places = TransferPlaces(maximum: 16)
        for _ in 0..<4 { #expect(places.enter([1])) }
        #expect(!places.enter([1]))
        for client in 2...4 { for _ in 0..<4 { #expect(places.enter([UInt8(client)])) } }
        #expect(!places.enter([9]))
        places.leave([1])
        #expect(places.enter([9]) && !places.enter([1]))
        for _ in 0..<3 { places.leave([1]) }
        #expect(places.enter([1]))
    }
}
