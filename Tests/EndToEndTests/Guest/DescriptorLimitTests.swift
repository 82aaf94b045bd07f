import TestProxy
import Testing

extension EndToEnd {
    /// Programs that may have few descriptors, or none.
    @Suite struct DescriptorLimitTests {
        /// ppoll(2) takes no descriptor then, and connect(2) needs none that is not there.
        @Test func `A socket that is there connects when there may be no descriptors`() async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("no-descriptors", [FarSide.ipv4, FarSide.echoPort])
                #expect(
                    output.lines == ["connect 0", "echoed", "connect 0", "echoed", "connect ECONNREFUSED"], "\(output)")
            }
        }
    }
}
