/// Finds the word that was probably meant.
package enum Suggestion {
    /// The nearest of `words` in the order given, when it is near enough to be meant.
    package static func nearest(to text: String, among words: [String]) -> String? {
        let wanted = Array(text.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= 32 else { return nil }
        var best: (word: String, distance: Int)?
        for word in words {
            let found = distance(wanted, Array(word.lowercased().unicodeScalars))
            let tolerated = min(wanted.count, word.unicodeScalars.count) <= 3 ? 1 : 2
            if found <= tolerated, found < best?.distance ?? .max { best = (word, found) }
        }
        return best?.word
    }

    /// `; did you mean "x"?`, or `otherwise`.
    package static func phrase(for text: String, among words: [String], otherwise: String) -> String
    {
        nearest(to: text, among: words).map { "; did you mean \"\($0)\"?" } ?? otherwise
    }

    /// How many characters to insert, drop, replace or swap with their neighbour.
    static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, from) in left.enumerated() {
            var current = [row + 1]
            for (column, to) in right.enumerated() {
                var cost = min(
                    last[column] + (from == to ? 0 : 1),
                    last[column + 1] + 1,
                    current[column] + 1
                )
                if row > 0, column > 0, from == right[column - 1], left[row - 1] == to {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
