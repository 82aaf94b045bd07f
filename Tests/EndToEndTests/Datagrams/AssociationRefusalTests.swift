import TestProxy
import Testing

extension EndToEnd {
    /// The library asks a proxy that refuses an association again only after a while, by the clock of the probe.
    @Suite struct AssociationRefusalTests {
        @Test(arguments: [(milliseconds: 9999, connections: 1), (10_000, 2)])
        func `A refusal is remembered for ten seconds`(milliseconds: Int, connections: Int) async throws {
            let (output, sessions) = try await DatagramProbe.run(
                "association-refused", "ask", .ipv4, ["\(milliseconds)"], configuration: ["log off"],
                script: .with { $0.commandReplyCodes[.udpAssociate] = 7 })
            #expect(
                output.lines == ["first", "sendto", "MSG_DONTWAIT", "connect"].map { "\($0): ENETUNREACH" },
                "\(output.errors)")
            #expect(sessions.count == connections)
        }
    }
}
