// swift-tools-version: 6.2

import PackageDescription

// The preloaded library is compiled as Embedded Swift, so that it carries no runtime into the programs that it
// is loaded into; tests and the command line tool compile the same sources as ordinary Swift. A trait tells the
// two apart: `swift build --traits Embedded --product SocksifyPreload` (scripts/build does it).
let embedded = BuildSettingCondition.when(traits: ["Embedded"])

let librarySettings: [SwiftSetting] = [
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("Embedded", embedded),
    // By itself the compiler leaves up to 15 bytes between functions; here they lie as close as AArch64 lets them.
    .unsafeFlags(["-wmo", "-Xfrontend", "-function-sections", "-Xllvm", "-align-all-functions=2"], embedded),
]
// What runs once, at a program's first connection, or for a name is to take little room in it rather than little time.
let smallLibrarySettings = librarySettings + [.unsafeFlags(["-Osize"], embedded)]
// Unwind tables let pthread_cancel() end a thread inside a hook (see CancellableCalls.h). Functions and variables have
// sections of their own, and libc is called without a table of jumps, so that what every program uses lies on few pages
// (see scripts/linking.bash).
let cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags([
        "-fasynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections", "-fno-plt", "-Wall", "-Wextra",
        "-Werror",
    ]),
]
// What little each call of a program runs through lies in headers: the rest takes little room rather than little time.
let smallCSettings = cSettings + [.unsafeFlags(["-Os"])]
let toolSettings: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

// What only tests, demo and benchmark need. Who builds to install fetches nothing of it (scripts/build sets the variable).
let hasTests = Context.environment["SOCKSIFY_WITHOUT_TESTS"] == nil
let testProducts: [Product] = [
    .executable(name: "socksify-test-proxy", targets: ["socksify-test-proxy"])
]
let testDependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
]
let testTargets: [Target] = [
    // The proxy of the tests, the demo and the benchmark.
    .target(
        name: "TestProxy",
        dependencies: [
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: toolSettings),
    .executableTarget(
        name: "socksify-test-proxy",
        dependencies: [
            "TestProxy", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        swiftSettings: toolSettings),

    // What test targets share.
    .target(name: "SeededGenerator", path: "Tests/SeededGenerator", swiftSettings: toolSettings),
    .testTarget(name: "AddressingTests", dependencies: ["Addressing"], swiftSettings: toolSettings),
    .testTarget(name: "SOCKS4Tests", dependencies: ["SOCKS4", "SeededGenerator"], swiftSettings: toolSettings),
    .testTarget(name: "SOCKS5Tests", dependencies: ["SOCKS5"], swiftSettings: toolSettings),
    .testTarget(
        name: "HTTPConnectTests", dependencies: ["HTTPConnect", "SeededGenerator"], swiftSettings: toolSettings),
    .testTarget(
        name: "TunnelTests",
        dependencies: ["Addressing", "HTTPConnect", "ProxyConfig", "SOCKS4", "SOCKS5", "Tunnel"],
        swiftSettings: toolSettings),
    .testTarget(
        name: "ProxyConfigTests", dependencies: ["ProxyConfig", "SeededGenerator"], swiftSettings: toolSettings),
    .testTarget(
        name: "FakeDNSTests", dependencies: ["FakeDNS", "SeededGenerator", "TableMemory"],
        swiftSettings: toolSettings),
    .testTarget(
        name: "SocksifyToolTests", dependencies: ["CPrograms", "ProxyConfig", "SocksifyTool", "socksify"],
        swiftSettings: toolSettings),
    .testTarget(
        name: "SharedTablesTests", dependencies: ["SeededGenerator", "SharedTables", "TableMemory"],
        swiftSettings: toolSettings),
    .testTarget(
        name: "SocksifyCoreTests",
        dependencies: [
            "Addressing", "FakeDNS", "HTTPConnect", "ProxyConfig", "SOCKS4", "SOCKS5", "SharedTables", "SocksifyCore",
            "Tunnel",
        ],
        swiftSettings: toolSettings),
    .testTarget(
        name: "TestProxyTests",
        dependencies: ["TestProxy", .product(name: "NIOPosix", package: "swift-nio")],
        swiftSettings: toolSettings),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["SeededGenerator", "TestProxy", .product(name: "Subprocess", package: "swift-subprocess")],
        // Programs under test, compiled by the tests themselves, and files that other programs read.
        exclude: ["CallProbes", "PeerFiles", "Probes", "Programs"],
        swiftSettings: toolSettings),
]

let package = Package(
    name: "socksify",
    products: [
        .library(name: "SocksifyPreload", type: .static, targets: ["SocksifyPreload"]),
        .executable(name: "socksify", targets: ["socksify"]),
    ] + (hasTests ? testProducts : []),
    traits: [
        .trait(name: "Embedded", description: "Compile the preloaded library without the Swift runtime.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ] + (hasTests ? testDependencies : []),
    targets: [
        // For the library and the tool: the kernel's calls, and programs as the kernel starts them.
        .target(name: "CKernel", cSettings: cSettings),
        .target(name: "CPrograms", dependencies: ["CKernel"], cSettings: smallCSettings),

        // Pure: values in, values out.
        .target(name: "Addressing", swiftSettings: librarySettings),
        .target(name: "SOCKS4", dependencies: ["Addressing"], swiftSettings: librarySettings),
        .target(name: "SOCKS5", dependencies: ["Addressing"], swiftSettings: librarySettings),
        .target(name: "HTTPConnect", dependencies: ["Addressing"], swiftSettings: smallLibrarySettings),
        .target(name: "ProxyConfig", dependencies: ["Addressing"], swiftSettings: smallLibrarySettings),
        .target(name: "TableMemory", swiftSettings: librarySettings),
        .target(name: "FakeDNS", dependencies: ["Addressing", "TableMemory"], swiftSettings: smallLibrarySettings),
        .target(name: "SharedTables", dependencies: ["Addressing", "TableMemory"], swiftSettings: librarySettings),
        .target(
            name: "Tunnel", dependencies: ["Addressing", "HTTPConnect", "ProxyConfig", "SOCKS4", "SOCKS5"],
            swiftSettings: librarySettings),

        // Security contexts with proxies, and the streams that are encapsulated by them; for the library and the tool.
        .target(name: "CGSSAPI", cSettings: smallCSettings),
        .target(
            name: "StreamSecurity",
            dependencies: ["Addressing", "CGSSAPI", "CKernel", "ProxyConfig", "SOCKS5", "Tunnel"],
            swiftSettings: librarySettings),

        // The preloaded library.
        .target(name: "CLibC", cSettings: cSettings),
        .target(name: "CPreload", dependencies: ["CKernel", "CLibC", "CPrograms"], cSettings: cSettings),
        .target(
            name: "CInterpose", dependencies: ["CKernel", "CLibC", "CPreload", "CPrograms"],
            cSettings: smallCSettings + [.headerSearchPath(".")]),
        .target(
            name: "SocksifyCore",
            dependencies: [
                "Addressing", "CKernel", "CPreload", "CPrograms", "FakeDNS", "HTTPConnect", "ProxyConfig", "SOCKS4",
                "SOCKS5", "SharedTables", "StreamSecurity", "TableMemory", "Tunnel",
            ],
            swiftSettings: librarySettings),
        .target(
            name: "SocksifyPreload", dependencies: ["CInterpose", "CPrograms", "SocksifyCore"],
            swiftSettings: librarySettings),

        // The command line tool.
        .target(
            name: "SocksifyTool",
            dependencies: [
                "Addressing", "CPrograms", "FakeDNS", "HTTPConnect", "ProxyConfig", "SOCKS4", "SOCKS5",
                "StreamSecurity",
                "Tunnel",
            ],
            swiftSettings: toolSettings),
        .executableTarget(
            name: "socksify",
            dependencies: [
                "ProxyConfig", "SocksifyTool", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: toolSettings),
    ] + (hasTests ? testTargets : [])
)
