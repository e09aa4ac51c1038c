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
        .target(name: "Lightning", dependencies: [crypto], swiftSettings: pure),
        .target(name: "Macaroons", dependencies: [crypto], swiftSettings: pure),
        .target(
            name: "L402",
            dependencies: ["Lightning", "Macaroons", crypto],
            swiftSettings: pure
        ),
        .target(name: "Metrics", swiftSettings: pure),
        .target(
            name: "Paywall",
            dependencies: ["L402", "Lightning", "Macaroons", crypto],
            swiftSettings: pure
        ),

        // Edges: each owns one kind of handle.
        .target(name: "FastCGI", dependencies: ["CFastCGI"], swiftSettings: common),
        .target(
            name: "LNbits",
            dependencies: ["CCurl", "Paywall", "L402", "Lightning"],
            swiftSettings: common
        ),
        .target(
            name: "Goods",
            dependencies: ["CCurl", "FastCGI", "L402", "Paywall"],
            swiftSettings: common
        ),
        .target(
            name: "FlatFiles",
            dependencies: ["Paywall", "L402", "Lightning", crypto],
            swiftSettings: common
        ),

        // What the two programs share: the environment variables, and what they know of themselves.
        .target(
            name: "Settings",
            dependencies: [
                "CProgram", "Paywall", crypto, .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: common
        ),
        .executableTarget(
            name: "l402-fcgi",
            dependencies: [
                "FastCGI", "FlatFiles", "Goods", "LNbits", "Metrics", "Paywall", "Settings",
            ],
            swiftSettings: common,
            linkerSettings: slim
        ),
        .executableTarget(
            name: "l402",
            dependencies: [
                "FlatFiles", "L402", "Lightning", "Macaroons", "Paywall", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: common,
            linkerSettings: slim
        ),

        // What several of the tests need.
        .target(name: "TestTools", path: "Tests/TestTools", swiftSettings: common),
        tests("Lightning", also: ["TestTools"], resources: [.copy("Vectors")]),
        tests("Macaroons", resources: [.copy("Vectors")]),
        tests("L402", also: ["Lightning", "Macaroons"]),
        tests("Paywall", also: ["L402", "Lightning", "Macaroons", "TestTools"]),
        tests("FlatFiles", also: ["Paywall", "L402", "Lightning", "StateDriver"]),
        // A process for tests that need several of them and for tests that kill them.
        .executableTarget(
            name: "StateDriver",
            dependencies: ["FlatFiles", "L402", "Lightning", "Paywall"],
            path: "Tests/StateDriver",
            swiftSettings: common
        ),
        .executableTarget(
            name: "CoreBench",
            dependencies: ["FlatFiles", "L402", "Lightning", "Paywall"],
            path: "Tests/bench/CoreBench",
            swiftSettings: common
        ),
        tests("LNbits", also: ["Paywall", "Lightning"]),
        tests("FastCGI"),
        tests("Goods", also: ["FastCGI", "Paywall"]),
        tests("Settings"),
        tests("Metrics"),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "FlatFiles", "Goods", "L402", "LNbits", "Lightning", "Macaroons", "Paywall",
                "Settings", "TestTools",
            ],
            path: "Tests/fuzz",
            exclude: ["corpus", "run"],
            swiftSettings: common
        ),
    ],
    swiftLanguageModes: [.v6]
)
