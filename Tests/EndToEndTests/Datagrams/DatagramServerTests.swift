import TestProxy
import Testing

extension EndToEnd {
    /// UDP servers under the library: they answer a direct datagram directly, whatever the configuration says about the
    /// client's address.
    @Suite struct DatagramServerTests {
        /// The client has one of this machine's addresses, which the rules send through the proxy.
        private static let client = "10.99.0.2"

        @Test(arguments: ["answering", "asking-too", "connecting"])
        func `A client that asks directly is answered directly`(name: String) async throws {
            let native = try await CallProbe.run(
                "datagram-server", [name] + EchoTargets.near(.ipv4) + [DatagramServerTests.client], library: .absent)
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-server", name, .ipv4, [DatagramServerTests.client])
            #expect(output.lines == native.lines, "\(output.errors)")
            #expect(sessions.count == (name == "asking-too" ? 1 : 0))
        }

        @Test(arguments: [["loopback proxy"], ["loopback proxy", "udp block"], ["[Rules]", "block net 127.0.0.0/8"]])
        func `So it is by every configuration`(lines: [String]) async throws {
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-server", "answering", .ipv4, ["127.0.0.1"], configuration: lines)
            #expect(output.lines == ["recvfrom", "recvmsg", "recvmmsg"].map { "answer \($0)" }, "\(output.errors)")
            #expect(sessions.isEmpty)
        }
    }
}
