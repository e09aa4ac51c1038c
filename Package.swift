// swift-tools-version: 6.2
import PackageDescription

/// What tests are built with.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// What is sold is built with: whatever the compiler cannot prove safe says `unsafe`. The pure parts
/// have no such word.
let strict: [SwiftSetting] = common + [.strictMemorySafety()]

/// What makes the programs small: Swift's own libraries are linked into them.
let slim: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld"]
            + ["-s", "--icf=all", "--exclude-libs=ALL", "-z", "pack-relative-relocs"]
            .flatMap { ["-Xlinker", $0] },
        .when(platforms: [.linux], configuration: .release)
    )
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

func tests(
    _ module: String,
    also more: [Target.Dependency] = [],
    resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: module + "Tests",
        dependencies: [.byName(name: module)] + more,
        resources: resources,
        swiftSettings: common
    )
}

let package = Package(
    name: "l402-fcgi",
    products: [
        .executable(name: "l402-fcgi", targets: ["l402-fcgi"]),
        .executable(name: "l402", targets: ["l402"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    ],
    targets: [
        // C libraries, from Debian's -dev packages.
        .target(name: "CFastCGI", linkerSettings: [.linkedLibrary("fcgi")]),
        // libcurl is looked up at run time, so that a process that asks no wallet starts faster.
        .target(name: "CCurl"),
        // So is libqrencode: most requests want no picture.
        .target(name: "CQREncode"),
        // Linux calls that Swift's Glibc leaves out.
        .target(name: "CPOSIX"),
        // Arguments and version.
        .target(name: "CProgram"),

        // Pure parts: no files, no sockets, no clock.
        .target(name: "Text", swiftSettings: strict),
        .target(name: "Lightning", dependencies: ["Text", crypto], swiftSettings: strict),
        .target(name: "Macaroons", dependencies: [crypto], swiftSettings: strict),
        .target(
            name: "L402",
            dependencies: ["Lightning", "Macaroons", "Text", crypto],
            swiftSettings: strict
        ),
        .target(name: "HTTP", dependencies: ["Text"], swiftSettings: strict),
        .target(name: "Metrics", swiftSettings: strict),

        // Contracts between the decision and what it needs from outside.
        .target(name: "Store", dependencies: ["L402", "Lightning", "Text"], swiftSettings: strict),
        .target(name: "Wallets", dependencies: ["Lightning", "Text"], swiftSettings: strict),

        // The decision.
        .target(
            name: "Paywall",
            dependencies: [
                "HTTP", "L402", "Lightning", "Store", "Text", "Wallets", crypto,
            ],
            // The operator's example and the default are the same files.
            resources: [
                .embedInCode("Pages/page.html"), .embedInCode("Pages/page.css"),
                .embedInCode("Pages/page.js"),
            ],
            swiftSettings: strict
        ),

        // One owner for each kind of handle; not a word of the paywall.
        .target(name: "POSIX", dependencies: ["CPOSIX"], swiftSettings: strict),
        .target(name: "Curl", dependencies: ["CCurl", "POSIX"], swiftSettings: strict),

        // Edges: none knows the decision.
        .target(name: "FastCGI", dependencies: ["CFastCGI", "POSIX"], swiftSettings: strict),
        .target(
            name: "LNbits",
            dependencies: ["Curl", "Lightning", "POSIX", "Text", "Wallets"],
            swiftSettings: strict
        ),
        .target(
            name: "Goods",
            dependencies: ["CCurl", "Curl", "FastCGI", "HTTP", "L402", "POSIX", "Store", "Text"],
            swiftSettings: strict
        ),
        .target(name: "QR", dependencies: ["CQREncode"], swiftSettings: strict),
        .target(
            name: "FlatFiles",
            dependencies: ["L402", "Lightning", "POSIX", "Store", "Text", crypto],
            swiftSettings: strict
        ),

        // What the two programs share: the environment variables, and what they know of themselves.
        .target(
            name: "Settings",
            dependencies: [
                "CProgram", "HTTP", "POSIX", "Paywall", "Store", "Text", crypto,
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "l402-fcgi",
            dependencies: [
                "FastCGI", "FlatFiles", "Goods", "HTTP", "LNbits", "Lightning", "Metrics", "POSIX",
                "Paywall", "QR", "Settings", "Store", "Text", "Wallets",
            ],
            swiftSettings: strict,
            linkerSettings: slim
        ),
        .executableTarget(
            name: "l402",
            dependencies: [
                "FlatFiles", "HTTP", "L402", "Lightning", "Macaroons", "POSIX", "Paywall",
                "Settings", "Store", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict,
            linkerSettings: slim
        ),

        // What several of the tests need.
        .target(
            name: "TestTools",
            dependencies: ["L402", "Lightning", "POSIX", "Store", "Text"],
            path: "Tests/Support/TestTools",
            swiftSettings: common
        ),
        tests("Text"),
        tests("Lightning", also: ["TestTools", "Text"], resources: [.copy("Vectors")]),
        tests("Macaroons", resources: [.copy("Vectors")]),
        tests("L402", also: ["Lightning", "Macaroons", "Text"]),
        tests("HTTP", also: ["TestTools", "Text"]),
        tests(
            "Paywall",
            also: [
                "HTTP", "L402", "Lightning", "Macaroons", "Store", "TestTools", "Text", "Wallets",
            ]
        ),
        // The contract of the books, run on each store that keeps them.
        tests("Store", also: ["FlatFiles", "L402", "Lightning", "TestTools", "Text"]),
        tests(
            "FlatFiles",
            also: ["L402", "Lightning", "POSIX", "Store", "StateDriver", "TestTools", "Text"]
        ),
        // A process for tests that need several of them and for tests that kill them.
        .executableTarget(
            name: "StateDriver",
            dependencies: ["FlatFiles", "L402", "Lightning", "Store", "Text"],
            path: "Tests/Support/StateDriver",
            swiftSettings: common
        ),
        .executableTarget(
            name: "CoreBench",
            dependencies: ["FlatFiles", "L402", "Lightning", "Paywall", "Store", "Text"],
            path: "Tests/bench/CoreBench",
            swiftSettings: common
        ),
        tests("POSIX"),
        tests("QR"),
        tests("LNbits", also: ["Curl", "Lightning", "POSIX", "Text", "Wallets"]),
        tests("FastCGI"),
        tests("Goods", also: ["FastCGI", "HTTP", "Store"]),
        tests("Settings", also: ["HTTP", "Paywall", "Store"]),
        tests("Metrics"),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "FlatFiles", "Goods", "HTTP", "L402", "LNbits", "Lightning", "Macaroons", "Paywall",
                "Settings", "TestTools", "Text",
            ],
            path: "Tests/fuzz",
            exclude: ["corpus", "run"],
            swiftSettings: common
        ),
    ],
    swiftLanguageModes: [.v6]
)
