import TestProxy
import Testing

extension EndToEnd {
    /// Memory that a program frees with free(3) must come from the program's own allocator, wherever that is defined.
    @Suite struct AllocatorTests {
        private static let expected = [
            "getaddrinfo 0 without a name", "getaddrinfo 0 web.test", "getaddrinfo 0 127.0.0.1",
            "getaddrinfo_a 0 web.test", "gethostbyname found", "popen",
        ]

        private func run(_ probe: String, preloading libraries: [String]) async throws {
            let output = try await CallProbe.run(
                probe, ["web.test"],
                environment: [
                    "LD_PRELOAD": libraries.joined(separator: ":"), "SOCKSIFY_PROXY": "socks5://10.99.0.1:1080",
                ])
            #expect(output.lines == AllocatorTests.expected, "\(output)")
        }

        @Test(arguments: ["freed", "freed-here"])
        func `An allocator of the C library's or of the program's own`(probe: String) async throws {
            try await run(probe, preloading: [Machine.library])
        }

        @Test func `An allocator that is loaded before the library or behind it`() async throws {
            let allocator = try await CallProbe.path(of: "liballocator.so")
            try await run("freed", preloading: [allocator, Machine.library])
            try await run("freed", preloading: [Machine.library, allocator])
        }
    }
}
