import ArgumentParser
import FlatFiles
import FoundationEssentials
import L402
import Lightning
import Macaroons
import Text

/// `l402 token …`: what a token says.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look into tokens.",
        subcommands: [Inspect.self]
    )

    /// `l402 token inspect TOKEN`.
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect",
            abstract: "Print what a token says, without its signature or preimage.",
            discussion: """
                TOKEN is base64 (either alphabet), a whole Authorization value, or "-" to read it \
                from standard input, where it stays out of the shell's history. The signature is \
                checked when L402_STATE_DIR holds the keys.
                """
        )

        @Argument(help: "The token, or - for standard input.")
        var token: String

        @Flag(help: "As JSON.")
        var json = false

        func run() throws {
            let text = token == "-" ? readLine() ?? "" : token
            let read: Token
            do throws(CredentialError) {
                read = try Self.read(text)
            } catch {
                complain(error.description)
                throw ExitCode(1)
            }
            let report = TokenReport(read, keys: Self.keys())
            print(json ? report.json : report.text)
            if report.isForged { throw ExitCode(1) }
        }

        private static func read(_ text: String) throws(CredentialError) -> Token {
            var words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }
            if let scheme = words.first?.lowercased(), scheme == "l402" || scheme == "lsat" {
                words = Array(words.dropFirst())
            }
            let value = words.first?.prefix { $0 != ":" } ?? ""
            guard let bytes = Base64.decode(Array(value.utf8)) else {
                throw .malformed("it is not base64")
            }
            return try Token(decoding: bytes)
        }

        /// The keys of this machine's gate; `nil` when there are none to be read.
        private static func keys() -> [MasterKey]? {
            guard let path = try? Variables().stateDirectory else { return nil }
            return try? KeyFile.read(at: path + "/keys")
        }
    }
}

/// What is printed of a token.
struct TokenReport {
    private let token: Token
    private let keys: [MasterKey]?
    private let terms: PurchaseTerms?

    init(_ token: Token, keys: [MasterKey]?) {
        self.token = token
        self.keys = keys
        terms = keys.flatMap { try? token.mintedTerms(by: $0) }
    }

    /// Whether there are keys and none of them signed it.
    var isForged: Bool { keys != nil && terms == nil }

    private var signature: String {
        guard keys != nil else { return "not checked: no keys in L402_STATE_DIR" }
        return terms == nil ? "not made by this gate" : "holds"
    }

    private var caveats: [String] {
        token.macaroon.caveats.map { bytes in
            // A preimage that a client appended is as good as money.
            if bytes.starts(with: "preimage=".utf8) { return "preimage=<not shown>" }
            return String(
                decoding: bytes.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 },
                as: UTF8.self
            )
        }
    }

    var text: String {
        var lines = [
            "payment hash  \(token.identifier.paymentHash.hex)",
            "token id      \(Hex.encode(token.identifier.tokenID))",
            "signature     \(signature)",
        ]
        lines += caveats.map { "caveat        \($0)" }
        if let terms {
            let when = Date(timeIntervalSince1970: TimeInterval(terms.validUntil)).formatted(
                .iso8601
            )
            lines.append("valid until   \(when)")
        }
        return lines.joined(separator: "\n")
    }

    var json: String {
        JSONText.encode(
            Body(
                payment_hash: token.identifier.paymentHash.hex,
                token_id: Hex.encode(token.identifier.tokenID),
                signature: signature,
                caveats: caveats,
                valid_until: terms?.validUntil
            )
        )
    }

    private struct Body: Encodable {
        let payment_hash: String
        let token_id: String
        let signature: String
        let caveats: [String]
        let valid_until: UInt64?
    }
}

/// JSON for people: sorted and indented.
enum JSONText {
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
