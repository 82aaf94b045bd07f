import TestProxy
import Testing

extension EndToEnd {
    /// What calls report about sockets in lasting states: the same with the library as without it, apart from the lines
    /// below.
    @Suite struct CallsByStateTests {
        /// The lines that differ, each with the reason.
        private static let inherent: [String: String] = {
            let slow = "the way through the proxy takes longer than the kernel's to this machine"
            let unframed = "there is no place for the header before what the kernel sends by itself"
            return [
                "stream: second_connect": slow, "stream, bound: second_connect": slow,
                "stream, dissolved: second_connect": slow, "datagrams, connected: sendfile": unframed,
                "datagrams, dissolved: sendfile": unframed, "datagrams, shut: sendfile": unframed,
            ]
        }()

        @Test(arguments: [(FarSide.ipv4, "native-4"), (FarSide.ipv6, "native-6")])
        func `Calls say of a socket what they say without the library`(host: String, native: String) async throws {
            let expected = try await CallProbe.run("calls-by-state", [native, "0", "0"], library: .absent)
            // A silent target keeps its connection open after the probe has shut it for writing, so the state lasts.
            let target = try await TargetServer.start(.silent, host: host)
            let output = try await TestProxy.during {
                try await $0.run(
                    "calls-by-state", [host, "\(target.port)", "\(Targets.closedPort)"], ending: .associated(64))
            }
            await target.stop()
            #expect(output.lines.count == expected.lines.count)
            for (line, other) in zip(output.lines, expected.lines) {
                let call = String(line.prefix { $0 != "=" }.dropLast())
                if Self.inherent[call] == nil { #expect(line == other) }
            }
        }
    }
}
