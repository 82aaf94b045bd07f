import TestProxy
import Testing

extension EndToEnd {
    /// A process's first connection, for which the library reads the configuration, and what happens meanwhile.
    @Suite struct FirstUseTests {
        private func use(_ mode: String, ending: Ending = .clean) async throws -> [String] {
            try await TestProxy.during { proxy in
                try await ConfigurationText("[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)").write { path in
                    try await CallProbe.run(
                        "first-use", [mode, FarSide.ipv4, FarSide.echoPort], environment: ["SOCKSIFY_CONF": path],
                        ending: ending
                    ).lines
                }
            }
        }

        @Test func `Nobody waits for a thread that reads the configuration`() async throws {
            #expect(try await use("company") == ["another thread: echoed", "child: echoed", "first: echoed"])
            #expect(try await use("child") == ["child: echoed", "first: echoed"])
        }

        @Test func `A handler connects while its thread reads the configuration`() async throws {
            #expect(try await use("handler") == ["handler: echoed", "first: echoed"])
        }

        @Test func `A first connection without descriptors spoils no later one`() async throws {
            let lines = try await use("descriptors")
            #expect(lines == ["without descriptors: EMFILE", "with descriptors: 0", "echoed"])
        }

        @Test func `A connection needs no descriptor beside its socket`() async throws {
            let lines = try await use("descriptors-later")
            #expect(lines == ["without descriptors: 0", "with descriptors: EISCONN", "echoed"])
        }
    }
}
