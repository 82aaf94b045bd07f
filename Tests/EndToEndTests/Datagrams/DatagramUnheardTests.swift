import Testing

extension EndToEnd {
    /// Datagrams that arrive at a relayed socket while the program waits, and that are not for the program. The probe
    /// is the proxy, and sends them.
    @Suite struct DatagramUnheardTests {
        private func check(
            _ name: String, of probe: String = "datagram-unheard", prints lines: [String]
        ) async throws {
            try await Pending.check(
                Pending.Case(probe: probe, name: name, lines: lines, ending: .associated(1)),
                configuration: ["loopback proxy"])
        }

        @Test(arguments: ["unconnected", "connected"])
        func `Nothing is told that a call which receives would wait behind`(name: String) async throws {
            try await check(
                name,
                prints: [
                    "garbage: poll 0 nothing, select 0", "garbage: select 0",
                    "a stranger's: poll 0 nothing, select 0",
                    "a fragment: poll 0 nothing, select 0", "the last fragment: poll 1 IN, select 1",
                    "recv first second", "an answer behind garbage: poll 1 IN, select 1", "recv answer",
                    "nothing: poll 0 nothing, select 0",
                ])
        }

        @Test func `What is dropped does not prolong a call`() async throws {
            try await check("deadline", prints: ["recv EAGAIN", "recvmmsg EAGAIN"])
        }

        private static let looked = [
            "garbage: nothing", "a stranger's: nothing", "a fragment: nothing", "the last fragment: socket: IN",
            "recv first second", "an answer behind garbage: socket: IN",
        ]

        /// The lines of an epoll, which reports a socket only for datagrams that a receiving call would return.
        static let ofEpolls: [(name: String, lines: [String])] = [
            ("level", looked + ["again: socket: IN", "recv answer", "nothing: nothing"]),
            (
                "edge",
                looked + ["again: nothing", "recv answer", "garbage: nothing", "an answer: socket: IN"]
            ),
            (
                "oneshot",
                [
                    "garbage: nothing", "garbage: nothing", "an answer behind garbage: socket: IN", "recv answer",
                    "used up: nothing", "an answer: again: IN", "recv answer", "garbage: nothing",
                    "an answer: armed: IN",
                ]
            ),
            ("exclusive", looked),
            (
                "writable",
                [
                    "garbage: socket: OUT", "an answer: socket: IN|OUT", "recv answer", "garbage: socket: OUT",
                    "used up: nothing",
                ]
            ),
            ("deadline", ["epoll_wait 0", "epoll_pwait 0", "epoll_pwait2 0"]),
            ("waits", ["socket: IN", "recv answer"]),
            ("waits-by-edge", ["socket: IN", "recv answer"]),
            ("waits-for-one", ["socket: IN", "recv answer"]),
            ("threads", ["both"]),
            ("threads-by-edge", ["both"]),
            ("threads-for-one", ["both"]),
            ("same-data", ["a pipe: socket: IN, socket: IN", "nothing: nothing"]),
            ("same-number", ["a pipe: socket: IN"]),
            ("beside", ["nothing, and nothing else"]),
            ("duplicate", ["garbage: nothing", "an answer: socket: IN"]),
            ("shut", ["shut down: socket: IN", "poll 1"]),
            (
                "nested",
                [
                    "garbage: poll 0, select 0, outer nothing", "garbage: outer nothing", "garbage: select 0",
                    "an answer: poll 1, select 1, outer epoll: IN", "inner: socket: IN",
                ]
            ),
            ("forked", ["garbage: nothing", "an answer: socket: IN"]),
            (
                "execute",
                ["garbage: nothing", "garbage: nothing", "an answer: socket: IN", "recv answer"]
            ),
        ]

        @Test(arguments: ofEpolls)
        func `An epoll tells of nothing that a call which receives would wait behind`(
            name: String, lines: [String]
        ) async throws {
            try await check(name, of: "datagram-unheard-epoll", prints: lines)
        }
    }
}
