import FoundationEssentials

/// The few fields of a JSON body that matter here; the rest is skipped over.
struct BodyFields {
    /// Text of the fields looked for that are present and not empty; a field that is no text has
    /// an empty one here.
    private let found: [String: String]

    /// Looks for `names` at the top level of a JSON object. Anything else has no fields.
    init(_ body: [UInt8], names: [String]) {
        // .NET's and PowerShell's writers begin with a byte order mark.
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let body = body.starts(with: mark) ? Array(body.dropFirst(mark.count)) : body
        let blanks: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
        guard body.first(where: { !blanks.contains($0) }) == UInt8(ascii: "{") else {
            found = [:]
            return
        }
        let decoder = JSONDecoder()
        guard let key = Probe.namesKey else {
            found = [:]
            return
        }
        decoder.userInfo[key] = names
        found = (try? decoder.decode(Probe.self, from: Data(body)))?.found ?? [:]
    }

    /// Whether the field is there with something in it.
    func has(_ name: String) -> Bool { found[name] != nil }

    /// Its text; `nil` when it is absent, empty, or no text.
    func text(_ name: String) -> String? {
        found[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private struct Probe: Decodable {
        static let namesKey = CodingUserInfoKey(rawValue: "names")
        var found: [String: String] = [:]

        init(from decoder: any Decoder) throws {
            let names = Self.namesKey.flatMap { decoder.userInfo[$0] } as? [String] ?? []
            let object = try decoder.container(keyedBy: AnyKey.self)
            for name in names {
                let key = AnyKey(stringValue: name)
                guard object.contains(key), (try? object.decodeNil(forKey: key)) == false else {
                    continue
                }
                if let text = try? object.decode(String.self, forKey: key) {
                    if !text.isEmpty { found[name] = text }
                } else if let list = try? object.nestedUnkeyedContainer(forKey: key) {
                    if !list.isAtEnd { found[name] = "" }
                } else if let nested = try? object.nestedContainer(
                    keyedBy: AnyKey.self,
                    forKey: key
                ) {
                    if !nested.allKeys.isEmpty { found[name] = "" }
                } else {
                    found[name] = ""
                }
            }
        }
    }
}
