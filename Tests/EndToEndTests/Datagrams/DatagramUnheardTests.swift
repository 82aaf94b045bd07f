import Testing

extension EndToEnd {
    /// What comes to a carried socket that waits, and is none of the program's: the probe is the proxy, and sends it.
    @Suite struct DatagramUnheardTests {
        private func check(_ name: String, prints lines: [String]) async throws {
            try await Flight.check(
                Flight.Case(probe: "datagram-unheard", name: name, lines: lines, ending: .associated(1)),
                configuration: ["loopback proxy"])
        }

        @Test(arguments: ["unconnected", "connected"])
        func `Nothing is told that a call which receives would wait behind`(name: String) async throws {
            try await check(
                name,
                prints: [
                    "garbage: poll 0 nothing, select 0", "a stranger's: poll 0 nothing, select 0",
                    "a fragment: poll 0 nothing, select 0", "the last fragment: poll 1 IN, select 1",
                    "recv first second", "an answer behind garbage: poll 1 IN, select 1", "recv answer",
                    "nothing: poll 0 nothing, select 0",
                ])
        }

        @Test func `What is dropped does not prolong a call`() async throws {
            try await check("deadline", prints: ["recv EAGAIN", "recvmmsg EAGAIN"])
        }
    }
}
