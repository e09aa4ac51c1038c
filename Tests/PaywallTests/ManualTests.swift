import Foundation
import L402
import Store
import Testing
import Wallets

@testable import Paywall

/// The manuals name what the code has, and nothing else.
struct ManualTests {
    @Test func eachTermOfARuleIsInItsManualAndNoOther() throws {
        let named = try Manual("l402-rules.5").tags("TERMS")
        #expect(named == Set(RuleTerm.allCases.map(\.rawValue)))
    }

    @Test func eachCodeIsInTheManualAndNoOther() throws {
        let (codes, words) = try codesAndWords()
        var known = Set(Code.allCases.map(\.rawValue))
        known.formUnion(WalletError.Kind.allCases.map(\.rawValue))
        known.formUnion(CredentialErrors.all.map(\.code))
        known.formUnion(try Sources.codesOfGoods())
        #expect(Set(codes) == known.subtracting(words))
        #expect(codes.count == Set(codes).count, "one is named twice")
    }

    @Test func eachWordOfTheLogAloneIsInTheManualAndNoOther() throws {
        let (codes, words) = try codesAndWords()
        let ofGoods = try Sources.codesOfGoods().subtracting(codes)
        #expect(Set(words) == ofGoods.union(try Sources.codesOfReturns()))
    }

    /// The codes that a client sees, and the words that stand in the log alone.
    private func codesAndWords() throws -> (codes: [String], words: [String]) {
        let rows = try Manual("l402-http.7").rows("CODES")
        return (
            rows.filter { $0.count > 3 }.map { $0[0] }, rows.filter { $0.count == 2 }.map { $0[0] }
        )
    }

    /// What a client is told to do is one of few things, and a 402 that has an invoice says so.
    @Test func eachCodeSaysWhatAClientShouldDo() throws {
        let words: Set = ["pay", "wait", "retry", "mend", "give up"]
        for row in try Manual("l402-http.7").rows("CODES") where row.count > 3 {
            #expect(words.contains(row[2]), "\(row[0])")
            #expect(row[2] != "pay" || row[1] == "402", "\(row[0])")
        }
    }

    @Test func eachOutcomeIsInTheManualAndNoOther() throws {
        let named = try Manual("l402-fcgi.8").tags("LOG")
        #expect(named == Set(Outcome.allCases.map(\.rawValue)))
    }

    @Test func eachKindOfJournalLineIsInTheManualAndNoOther() throws {
        let named = try Manual("l402-state.5").tags("JOURNAL")
        #expect(named == Set(JournalEvent.Kind.allCases.map(\.rawValue)))
    }
}

/// One page of nginx/man, as much as the tests need of it.
private struct Manual {
    private let lines: [Substring]

    init(_ name: String) throws {
        let path = Sources.root.appending(path: "nginx/man/\(name)")
        lines = String(decoding: try Data(contentsOf: path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func section(_ title: String) throws -> ArraySlice<Substring> {
        let start = try #require(lines.firstIndex(of: ".SH \(title)"))
        let rest = lines[(start + 1)...]
        return rest[..<(rest.firstIndex { $0.hasPrefix(".SH ") } ?? rest.endIndex)]
    }

    /// The words in bold on the lines behind `.TP`, without values.
    func tags(_ title: String) throws -> Set<String> {
        let lines = Array(try section(title))
        let heads = zip(lines, lines.dropFirst()).filter { $0.0 == ".TP" }.map(\.1)
        return Set(heads.flatMap(Self.boldWords))
    }

    /// Of `.B`, `.BR` and `.BI`: each second word from the first on.
    private static func boldWords(_ line: Substring) -> [String] {
        var words: [String] = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case " " where !isQuoted: words.append("")
            case _: words[words.count - 1].append(character)
            }
        }
        return words.dropFirst().enumerated().filter { $0.offset % 2 == 0 }.compactMap { _, word in
            let name = word.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces)
            let isName = !name.isEmpty && name.allSatisfy { $0.isLowercase || $0 == "-" }
            return isName ? name : nil
        }
    }

    /// The rows of the tables, by cells; of the last cell only that there is one.
    func rows(_ title: String) throws -> [[String]] {
        try section(title).filter {
            $0.contains("|") && !$0.hasPrefix("tab") && !$0.hasPrefix("code|")
        }
        .filter { !$0.hasPrefix("word|") }
        .map { $0.split(separator: "|").map(String.init) }
    }
}

/// What stands in the sources alone.
private enum Sources {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The literals behind `code:` of what hands the goods over.
    static func codesOfGoods() throws -> Set<String> {
        let directory = root.appending(path: "Sources/Goods")
        let files = try FileManager.default.contentsOfDirectory(
            at: directory,
            includingPropertiesForKeys: nil
        )
        let found = try files.map { try literals(in: $0, of: /code: "([a-z_]+)"/) }
            .reduce(into: Set<String>()) { $0.formUnion($1) }
        return try #require(found.isEmpty ? nil : found)
    }

    /// What a return or a settling call says in the log.
    static func codesOfReturns() throws -> Set<String> {
        let file = root.appending(path: "Sources/Paywall/Gate/Returns.swift")
        let found = try literals(in: file, of: /[?:] "([a-z_]+)"/)
        return try #require(found.isEmpty ? nil : found)
    }

    private static func literals(in file: URL, of pattern: Regex<(Substring, Substring)>) throws
        -> Set<String>
    {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        return Set(text.matches(of: pattern).map { String($0.1) })
    }
}

private enum CredentialErrors {
    static let all: [CredentialError] = [
        .malformed(""), .forged, .wrongService, .wrongPath, .wrongSite, .widened, .unknownCaveat,
        .unenforceable, .expired,
        .preimageMismatch, .unpaid, .foreignPayment, .underpaid, .spent, .revoked, .hashNotAccepted,
    ]

    /// Does not compile when there is another one, which belongs into ``all``.
    private static func isListed(_ error: CredentialError) -> Bool {
        switch error {
        case .malformed, .forged, .wrongService, .wrongPath, .wrongSite, .widened, .unknownCaveat,
            .unenforceable, .expired,
            .preimageMismatch, .unpaid, .foreignPayment, .underpaid, .spent, .revoked,
            .hashNotAccepted:
            true
        }
    }
}
