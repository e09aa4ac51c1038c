// swift-tools-version: 6.2
import PackageDescription

/// What every target is built with.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The pure parts also contain no unsafe construct: the compiler checks it.
let pure: [SwiftSetting] = common + [.strictMemorySafety()]

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
        .target(name: "CProgram"),

        // Pure parts: no files, no sockets, no clock.
        .target(name: "Text", swiftSettings: pure),
        .target(name: "Lightning", dependencies: ["Text", crypto], swiftSettings: pure),
        .target(name: "Macaroons", dependencies: [crypto], swiftSettings: pure),
        .target(
            name: "L402",
            dependencies: ["Lightning", "Macaroons", "Text", crypto],
            swiftSettings: pure
        ),
        .target(name: "HTTP", dependencies: ["Text"], swiftSettings: pure),
        .target(name: "Metrics", swiftSettings: pure),

        // Contracts between the decision and what it needs from outside.
        .target(name: "Store", dependencies: ["L402", "Lightning", "Text"], swiftSettings: pure),
        .target(name: "Wallets", dependencies: ["Lightning"], swiftSettings: pure),

        // The decision.
        .target(
            name: "Paywall",
            dependencies: [
                "HTTP", "L402", "Lightning", "Macaroons", "Store", "Text", "Wallets", crypto,
            ],
            swiftSettings: pure
        ),

        // Edges: each owns one kind of handle, and none knows the decision.
        .target(name: "FastCGI", dependencies: ["CFastCGI"], swiftSettings: common),
        .target(
            name: "LNbits",
            dependencies: ["CCurl", "Lightning", "Text", "Wallets"],
            swiftSettings: common
        ),
        .target(
            name: "Goods",
            dependencies: ["CCurl", "FastCGI", "HTTP", "L402", "Store", "Text"],
            swiftSettings: common
        ),
        .target(
            name: "FlatFiles",
            dependencies: ["L402", "Lightning", "Store", "Text", crypto],
            swiftSettings: common
        ),

        // What the two programs share: the environment variables, and what they know of themselves.
        .target(
            name: "Settings",
            dependencies: [
                "CProgram", "HTTP", "Paywall", "Store", "Text", crypto,
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: common
        ),
        .executableTarget(
            name: "l402-fcgi",
            dependencies: [
                "FastCGI", "FlatFiles", "Goods", "HTTP", "L402", "LNbits", "Lightning", "Metrics",
                "Paywall", "Settings",
                "Store", "Text", "Wallets",
            ],
            swiftSettings: common,
            linkerSettings: slim
        ),
        .executableTarget(
            name: "l402",
            dependencies: [
                "FlatFiles", "HTTP", "L402", "Lightning", "Macaroons", "Paywall", "Settings",
                "Store", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: common,
            linkerSettings: slim
        ),

        // What several of the tests need.
        .target(name: "TestTools", path: "Tests/TestTools", swiftSettings: common),
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
        tests("FlatFiles", also: ["L402", "Lightning", "Store", "StateDriver", "Text"]),
        // A process for tests that need several of them and for tests that kill them.
        .executableTarget(
            name: "StateDriver",
            dependencies: ["FlatFiles", "L402", "Lightning", "Store", "Text"],
            path: "Tests/StateDriver",
            swiftSettings: common
        ),
        .executableTarget(
            name: "CoreBench",
            dependencies: ["FlatFiles", "L402", "Lightning", "Paywall", "Store", "Text"],
            path: "Tests/bench/CoreBench",
            swiftSettings: common
        ),
        tests("LNbits", also: ["Lightning", "Text", "Wallets"]),
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
