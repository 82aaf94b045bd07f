import TestProxy
import Testing

extension EndToEnd {
    /// Children that are made without the handlers of pthread_atfork(3).
    @Suite struct ForkedTests {
        private func run(_ name: String, _ way: String) async throws -> CallProbe.Output {
            let address = "127.0.251.4"
            return try await CallProbe.run(
                "forked", [name, way, address], environment: ["SOCKSIFY_PROXY": "socks5://\(address):1080"])
        }

        #if arch(x86_64)
        private static let ways = ["fork", "_Fork", "SYS_fork", "SYS_clone", "clone"]
        #else
        private static let ways = ["fork", "_Fork", "SYS_clone", "clone"]
        #endif

        @Test func `A child without thread-local variables ends alone`() async throws {
            let output = try await run("without-storage", "clone")
            #expect(
                output.lines == [
                    "the child ended with 300, tables 0", "the parent: EINPROGRESS",
                    "the child ended with 300, tables 1", "the child ended with 300, tables 1",
                ])
        }

        @Test(arguments: ways)
        func `A child has as many connections, one after the other, as it likes`(way: String) async throws {
            let output = try await run("many", way)
            #expect(output.lines == ["as many as it likes", "then the parent's: EINPROGRESS"], "\(output)")
        }

        @Test(arguments: ways)
        func `A child goes on with a connection that its parent has closed`(way: String) async throws {
            let output = try await run("left", way)
            #expect(output.lines == ["poll 1 OUT, error 0", "heard child"], "\(output)")
        }
    }
}
