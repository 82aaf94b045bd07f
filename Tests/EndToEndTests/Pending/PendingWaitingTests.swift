import Testing

extension EndToEnd {
    /// One socket in flight: what calls say of it, and the calls that wait for it.
    @Suite struct FlightWaitingTests {
        // MARK: Every call that says something of a socket

        private static let reading = [
            "read", "__read", "__read_chk", "readv", "preadv2", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk",
            "recvmsg", "recvmmsg", "splice-in", "SYS_read", "SYS_readv", "SYS_preadv2", "SYS_recvfrom", "SYS_recvmsg",
        ]
        private static let writing = [
            "write", "__write", "writev", "pwritev2", "send", "__send", "sendto", "sendmsg", "sendmmsg", "sendfile",
            "sendfile64", "splice-out", "SYS_write", "SYS_writev", "SYS_pwritev2", "SYS_sendto", "SYS_sendmsg",
        ]

        private static let inFlight =
            ["FIONREAD: 0", "connect: EALREADY", "peer: ENOTCONN", "error: 0"]
            + (reading + writing).map { "\($0): EAGAIN" }
            + [
                "read of nothing: done", "readv of nothing: done", "writev of nothing: done", "readv of no parts: done",
                "recv of nothing: EAGAIN", "send of nothing: EAGAIN", "write of nothing: EAGAIN", "MSG_OOB: EINVAL",
                "MSG_OOB of recvmsg: EINVAL", "sending MSG_OOB: EAGAIN", "TCP_INFO: 2",
            ]
            + ["MSG_PEEK: EAGAIN", "MSG_DONTWAIT: EAGAIN", "poll: 0", "select: 0", "epoll: 0"]
            + ["landed: 1 OUT"] + Flight.connected

        static let stateCases = ["unreached", "reached", "greeted", "half"].map {
            Flight.Case(probe: "flight-state", name: $0, lines: inFlight)
        }

        @Test(arguments: stateCases)
        func `A socket in flight is a connecting socket to every call, and then a connected one`(
            given: Flight.Case
        ) async throws {
            try await Flight.check(given)
        }

        // MARK: A program that never waits

        static let drivingCases =
            reading.map { ($0, ["\($0): 1, x"]) } + writing.map { ($0, ["\($0): 1, y"]) }
            + [
                ("connect", []), ("error", []), ("available", ["available: 1"]), ("poll", ["poll: 1 OUT"]),
                ("select", ["select: 1"]), ("epoll", ["epoll_wait: 1 OUT"]),
            ]

        @Test(
            arguments: drivingCases.map { way, lines in
                Flight.Case(probe: "flight-driving", name: way, lines: lines + Flight.connected)
            })
        func `A program that calls one function again and again gets there`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        // MARK: The calls that wait

        static let masking = [
            "ppoll", "__ppoll_chk", "SYS_ppoll", "pselect", "SYS_pselect6", "epoll_pwait", "epoll_pwait2",
            "SYS_epoll_pwait", "SYS_epoll_pwait2",
        ]
        static let waiting =
            masking + [
                "poll", "__poll", "__poll_chk", "SYS_poll", "select", "__select", "SYS_select", "epoll_wait",
                "SYS_epoll_wait",
            ]

        private static func waitingCase(_ name: String, _ call: String, _ lines: [String]) -> Flight.Case {
            Flight.Case(probe: "flight-waiting", name: name, arguments: [call], lines: lines)
        }

        private static func stages(_ lines: (String) -> [String]) -> [String] {
            ["reached", "greeted", "half"].flatMap(lines) + ["landed: OUT"] + Flight.connected
        }

        static let unlimitedCases = waiting.flatMap { call in
            [
                waitingCase("without-limit", call, ["OUT"] + Flight.connected),
                waitingCase("with-limit", call, ["OUT"] + Flight.connected),
                waitingCase("in-slices", call, ["OUT"] + Flight.connected),
                waitingCase("without-waiting", call, stages { ["\($0): nothing"] }),
            ]
        }

        @Test(arguments: unlimitedCases)
        func `A call that waits, however long, ends when the connection is there`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let earlyCases = waiting.flatMap { call in
            [
                waitingCase("early", call, ["OUT", "IN|OUT"] + Flight.connected),
                waitingCase("reading-only", call, ["IN"] + Flight.connected),
            ]
        }

        @Test(arguments: earlyCases)
        func `Bytes that came with the reply are there to be read`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let answeringCases = waiting.flatMap { call in
            [
                waitingCase("by-bytes", call, ["OUT"] + Flight.connected),
                waitingCase("answered-early", call, ["OUT"] + Flight.connected),
            ]
        }

        @Test(arguments: answeringCases)
        func `A proxy may answer byte by byte, or before it is asked`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let expiringCases = waiting.flatMap { call in
            [
                waitingCase("expiring", call, stages { ["\($0): nothing"] }),
                waitingCase("dripping", call, ["nothing", "OUT"] + Flight.connected),
            ]
        }

        @Test(arguments: expiringCases)
        func `The time of a call goes by in full, and no longer, and the connection goes on`(given: Flight.Case)
            async throws
        {
            try await Flight.check(given)
        }

        static let interruptedCases = waiting.map { call in
            waitingCase(
                "interrupted", call,
                ["reached: EINTR, handled 1", "greeted: EINTR, handled 2", "half: EINTR, handled 3", "landed: OUT"]
                    + Flight.connected)
        }

        @Test(arguments: interruptedCases)
        func `A signal that is handled ends a call, and the connection goes on`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let reentrantCases = waiting.map { call in
            waitingCase("handler-enters", call, ["landed all, handled some"])
        }

        @Test(arguments: reentrantCases)
        func `A handler may make the calls that it interrupts`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        /// syscall(2) is no cancellation point.
        static let cancelledCases = waiting.filter { !$0.hasPrefix("SYS_") }.map { call in
            waitingCase("cancelled", call, stages { ["\($0): cancelled"] })
        }

        @Test(arguments: cancelledCases)
        func `A thread that waits can be cancelled, and the connection goes on`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let maskedCases = masking.flatMap { call in
            [
                waitingCase("masked", call, ["OUT, handled 1"] + Flight.connected),
                waitingCase(
                    "unmasked", call,
                    zip(["reached", "greeted", "half"], 1...).flatMap { stage, count in
                        [
                            "\(stage): EINTR, handled \(count)", "\(stage), without: nothing, handled \(count)",
                            "pending 1, blocked 1",
                        ]
                    } + ["landed: OUT"] + Flight.connected),
            ]
        }

        @Test(arguments: maskedCases)
        func `The signal mask of a call is in force while it waits, and only then`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        static let refusedCases = waiting.map { call in
            waitingCase(
                "refused", call,
                [
                    call.contains("select") ? "IN|OUT" : "IN|OUT|ERR|HUP", "error ECONNREFUSED", "error 0",
                    "peer ENOTCONN",
                ])
        }

        @Test(arguments: refusedCases)
        func `A refusal ends a call, and is told once`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        // MARK: The kernel

        @Test func `The kernel shows a connection in flight the same`() async throws {
            let families = ["ppoll", "SYS_poll", "pselect", "select", "epoll_pwait2", "epoll_wait"]
            let cases =
                [
                    FlightWaitingTests.unlimitedCases, FlightWaitingTests.earlyCases,
                    FlightWaitingTests.answeringCases, FlightWaitingTests.expiringCases,
                    FlightWaitingTests.interruptedCases, FlightWaitingTests.maskedCases,
                    FlightWaitingTests.refusedCases, FlightWaitingTests.reentrantCases,
                    FlightWaitingTests.cancelledCases,
                ].joined().filter { families.contains($0.arguments[0]) }
                + [FlightWaitingTests.stateCases[0]]
                + FlightWaitingTests.drivingCases.map { way, lines in
                    Flight.Case(probe: "flight-driving", name: way, lines: lines + Flight.connected)
                }
            try await Flight.checkNatively(cases)
        }
    }
}
