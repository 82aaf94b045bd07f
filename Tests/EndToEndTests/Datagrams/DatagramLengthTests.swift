import TestProxy
import Testing

extension EndToEnd {
    /// Datagrams that wait for the association, and their greatest length: the kernel's limit less the header.
    @Suite struct DatagramLengthTests {
        @Test(arguments: ["first", "connected"], [(EchoTargets.Family.ipv4, 10), (.mapped, 10), (.ipv6, 22)])
        func `The first datagram of a socket that does not wait is refused at once where it is too long`(
            name: String, target: (family: EchoTargets.Family, header: Int)
        ) async throws {
            let (output, _) = try await DatagramProbe.run(
                "datagram-long", name, target.family, ["\(65_507 - target.header)"],
                script: .with { $0.gatheredGreetings = 2 }, ending: .associated(2))
            #expect(
                output.lines == ["one byte more: EMSGSIZE", "the most: 0", "received: the same"], "\(output.errors)")
        }
    }
}
