/// What two patterns have to do with each other, for checks of a whole file.
extension PathPattern {
    /// Whether every path of `other` is one of its own. It may say no where that is so only by the
    /// interplay of several wildcards; it never says yes wrongly.
    func covers(_ other: PathPattern) -> Bool {
        let end = other.isLiteral ? other.prefix : other.suffix
        guard other.prefix.starts(with: prefix), end.suffix(suffix.count).elementsEqual(suffix)
        else { return false }
        let own = elements
        var reached = Self.withGaps([0], own)
        for element in other.elements {
            var next: Set<Int> = []
            for index in reached where index < own.count {
                switch (own[index], element) {
                case (.byte(let mine), .byte(let theirs)):
                    if mine == theirs { next.insert(index + 1) }
                case (_, .byte(let theirs)):
                    if own[index].takes(theirs) { next.insert(index) }
                case (.anything, _), (.withinSegment, .withinSegment):
                    next.insert(index)
                case _:
                    continue
                }
            }
            reached = Self.withGaps(next, own)
            if reached.isEmpty { return false }
        }
        return reached.contains(own.count)
    }

    /// A path that both match, and that looks like no other: where both leave the choice it says
    /// `filler`, which has no slash. `nil` when they have none in common.
    func pathInCommon(with other: PathPattern, filler: String) -> [UInt8]? {
        let both = min(prefix.count, other.prefix.count)
        guard prefix.prefix(both) == other.prefix.prefix(both) else { return nil }
        let (mine, theirs) = (elements, other.elements)
        let start = Step(mine: 0, theirs: 0)
        var cameFrom: [Step: (step: Step, byte: UInt8?)] = [:]
        var queue = [start]
        var next = 0
        while next < queue.count {
            let step = queue[next]
            next += 1
            if step.mine == mine.count && step.theirs == theirs.count {
                return path(to: step, cameFrom, mine, theirs, filler: Array(filler.utf8))
            }
            for (following, byte) in step.following(mine, theirs)
            where following != start && cameFrom[following] == nil {
                cameFrom[following] = (step, byte)
                queue.append(following)
            }
        }
        return nil
    }

    private func path(
        to end: Step,
        _ cameFrom: [Step: (step: Step, byte: UInt8?)],
        _ mine: [Element],
        _ theirs: [Element],
        filler: [UInt8]
    ) -> [UInt8] {
        var reversed: [UInt8] = []
        var step = end
        while true {
            let isFree =
                step.mine < mine.count && step.theirs < theirs.count && !mine[step.mine].isByte
                && !theirs[step.theirs].isByte
            if isFree { reversed += filler.reversed() }
            guard let (earlier, byte) = cameFrom[step] else { break }
            if let byte { reversed.append(byte) }
            step = earlier
        }
        return reversed.reversed()
    }

    /// The positions that these reach when wildcards stand for nothing.
    private static func withGaps(_ positions: Set<Int>, _ elements: [Element]) -> Set<Int> {
        var all = positions
        for start in positions {
            var index = start
            while index < elements.count, !elements[index].isByte {
                index += 1
                all.insert(index)
            }
        }
        return all
    }

    /// How far a path has got in both patterns.
    private struct Step: Hashable {
        var mine: Int
        var theirs: Int

        /// Where it can go on, and with which byte; without one where a wildcard ends.
        func following(_ left: [Element], _ right: [Element]) -> [(Step, UInt8?)] {
            let here = mine < left.count ? left[mine] : nil
            let there = theirs < right.count ? right[theirs] : nil
            var steps: [(Step, UInt8?)] = []
            if let here, !here.isByte { steps.append((Step(mine: mine + 1, theirs: theirs), nil)) }
            if let there, !there.isByte {
                steps.append((Step(mine: mine, theirs: theirs + 1), nil))
            }
            guard let here, let there else { return steps }
            if let byte = here.byteValue, there.takes(byte) {
                let past = there.isByte ? theirs + 1 : theirs
                steps.append((Step(mine: mine + 1, theirs: past), byte))
            } else if let byte = there.byteValue, here.takes(byte), !here.isByte {
                steps.append((Step(mine: mine, theirs: theirs + 1), byte))
            }
            return steps
        }
    }
}
