import TestProxy
import Testing

extension EndToEnd {
    /// Programs that may open few more descriptors, or none.
    @Suite struct DescriptorLimitTests {
        /// ppoll(2) fails for any descriptor then, and connect(2) needs no new one.
        @Test func `A socket that is there connects when there may be no descriptors`() async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("no-descriptors", [FarSide.ipv4, FarSide.echoPort])
                #expect(
                    output.lines == ["connect 0", "echoed", "connect 0", "echoed", "connect ECONNREFUSED"], "\(output)")
            }
        }

        /// /etc/hosts cannot be opened then. The library does not know whether it lists the name, so it may not ask a
        /// proxy.
        @Test func `Where there may be no descriptors names fail as without the library`() async throws {
            let preparation = CallProbe.withoutNameServers.replacing("files'", with: "files dns'")
            let native = try await CallProbe.run(
                "names-without-descriptors", library: .absent, preparation: preparation)
            let output = try await TestProxy.during { proxy in
                try await CallProbe.run(
                    "names-without-descriptors", environment: ["SOCKSIFY_PROXY": proxy.url], preparation: preparation)
            }
            #expect(output.lines == native.lines)
            #expect(native.lines.first == "getaddrinfo localhost 2: 0 " && native.lines.last == native.lines.first)
        }
    }
}
