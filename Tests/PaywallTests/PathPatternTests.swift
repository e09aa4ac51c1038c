import TestTools
import Testing

@testable import Paywall

struct PathPatternTests {
    @Test(arguments: [
        ("/a", "/a", true), ("/a", "/a/", false), ("/a", "/ab", false), ("/a", "/A", false),
        ("/a/*", "/a/b", true), ("/a/*", "/a/", true), ("/a/*", "/a", false),
        ("/a/*", "/a/b/c", false), ("/a/*/c", "/a/b/c", true), ("/a/*/c", "/a/b/b/c", false),
        ("/a/**", "/a/b/c", true), ("/a/**", "/a/", true), ("/a/**", "/a", false),
        ("/**", "/", true), ("/**", "/a/b", true), ("/*", "/", true), ("/*", "/a/b", false),
        ("/**/x", "/x", false), ("/**/x", "/a/x", true), ("/**/x", "/a/b/x", true),
        ("/**x", "/x", true), ("/*.html", "/a.html", true), ("/*.html", "/a.html.html", true),
        ("/*.html", "/d/a.html", false), ("/**.html", "/d/a.html", true),
        ("/a*a", "/a", false), ("/a*a", "/aa", true), ("/a*a", "/aba", true),
        ("/*/x/**/y", "/a/x/b/y", true), ("/*/x/**/y", "/a/b/x/b/y", false),
        ("/*/x/**/y", "/a/x/y", false), ("/**/a*b/**", "/q/r/a1b/s", true),
        ("/**/a*b/**", "/q/r/a1/b/s", false), ("/a*b*c", "/abbbc", true),
        ("/a*b*c", "/ab/c", false), ("/é*", "/é1", true), ("/*", "/\u{7f}?#%", true),
    ])
    func `a pattern matches what it says`(pattern: String, path: String, matches: Bool) {
        #expect(PathPattern(pattern).matches(Array(path.utf8)) == matches)
    }

    @Test func `bytes that are no text are matched by wildcards`() {
        #expect(PathPattern("/a/*").matches(Array("/a/".utf8) + [0xff, 0xfe]))
        #expect(!PathPattern("/a/*").matches(Array("/a/".utf8) + [0xff, 0x2f]))
    }

    @Test func `patterns agree with a plain definition of them`() {
        var random = SplitMix(seed: 1)
        var hits = 0
        for _ in 0..<20_000 {
            let pattern = "/" + random.text(of: ["a", "b", "/", "*", "**", "ab"], most: 7)
            let path = "/" + random.text(of: ["a", "b", "/", "ab"], most: 8)
            let matches = PathPattern(pattern).matches(Array(path.utf8))
            #expect(matches == plainMatch(Array(pattern.utf8)[...], Array(path.utf8)[...]))
            if matches { hits += 1 }
        }
        #expect(hits > 500)
    }

    @Test func `a pattern that covers another matches all its paths, and common paths are common`()
    {
        var random = SplitMix(seed: 3)
        let pieces = ["a", "b", "/", "*", "**", "ab"]
        var (covered, common, apart) = (0, 0, 0)
        for _ in 0..<5000 {
            let one = PathPattern("/" + random.text(of: pieces, most: 5))
            let two = PathPattern("/" + random.text(of: pieces, most: 5))
            let covers = one.covers(two)
            if covers { covered += 1 }
            let path = one.pathInCommon(with: two, filler: "x-y")
            if let path {
                common += 1
                #expect(one.matches(path) && two.matches(path), "\(one.text) \(two.text)")
            } else {
                apart += 1
                #expect(!covers)
            }
            for _ in 0..<20 {
                let path = Array(("/" + random.text(of: ["a", "b", "/", "ab"], most: 6)).utf8)
                guard two.matches(path) else { continue }
                #expect(!covers || one.matches(path), "\(one.text) \(two.text)")
                if one.matches(path) {
                    #expect(
                        one.pathInCommon(with: two, filler: "x") != nil,
                        "\(one.text) \(two.text)"
                    )
                }
            }
        }
        #expect(covered > 100 && common > 500 && apart > 500)
    }

    @Test func `hostile patterns and paths take no time to speak of`() {
        // Trying every split would take longer than the universe has existed.
        let path = Array(("/" + String(repeating: "a", count: 8000)).utf8)
        #expect(!PathPattern("/" + String(repeating: "*a", count: 60) + "*b").matches(path))
        #expect(!PathPattern("/" + String(repeating: "**a*", count: 60) + "b").matches(path))
        #expect(!PathPattern("/" + String(repeating: "**a", count: 300) + "*/*x*").matches(path))
        #expect(PathPattern("/" + String(repeating: "*a", count: 300) + "*").matches(path))
        let deep = Array(String(repeating: "/a", count: 4000).utf8)
        #expect(!PathPattern(String(repeating: "/**/*a", count: 50) + "/b*c").matches(deep))
        #expect(PathPattern(String(repeating: "/**/*a", count: 50) + "/*").matches(deep))
    }

    @Test(arguments: [63, 64, 65, 127, 128, 129])
    func `long patterns are whole`(count: Int) {
        let literal = String(repeating: "ab", count: count).prefix(count)
        let pattern = PathPattern("/*\(literal)*z")
        #expect(pattern.matches(Array("/x\(literal)yz".utf8)))
        #expect(!pattern.matches(Array("/x\(literal.dropLast())-yz".utf8)))
    }
}

/// The meaning of a pattern in the shortest words; exponential.
private func plainMatch(_ pattern: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    let slash = UInt8(ascii: "/")
    guard first == UInt8(ascii: "*") else {
        return path.first == first && plainMatch(pattern.dropFirst(), path.dropFirst())
    }
    let rest = pattern.drop { $0 == first }
    let crossesSlash = pattern.count - rest.count > 1
    if plainMatch(rest, path) { return true }
    guard let next = path.first, crossesSlash || next != slash else { return false }
    return plainMatch(pattern, path.dropFirst())
}
