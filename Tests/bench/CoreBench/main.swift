import Glibc

// What parts of the gate cost, as ratios in one run: sizes small and large are measured in turns, so
// that whatever else the machine does falls on both.
//
//     CoreBench rules
//     CoreBench state DIRECTORY [PAYMENTS [CLIENTS]]
//
// A size of 0 leaves that part out. DIRECTORY is filled and left. On a tmpfs it shows the gate's own
// time; on a disk, what the disk takes to be sure.

let words = CommandLine.arguments
do {
    switch words.dropFirst().first {
    case "rules":
        try RulesBench().run()
    case "state" where words.count > 2:
        try StateBench(
            directory: words[2],
            manyPayments: words.count > 3 ? UInt64(words[3]) ?? 0 : 1_000_000,
            manyClients: words.count > 4 ? UInt64(words[4]) ?? 0 : 10_000_000
        ).run()
    default:
        print("usage: CoreBench rules | state DIRECTORY [PAYMENTS [CLIENTS]]")
        exit(2)
    }
} catch {
    print("\(error)")
    exit(1)
}
