import Testing

extension EndToEnd {
    /// One pending socket: what calls report about it, and the calls that wait for it.
    @Suite struct PendingWaitingTests {
        // MARK: Every call that reports the state of a socket

        private static let reading = [
            "read", "__read", "__read_chk", "readv", "preadv2", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk",
            "recvmsg", "recvmmsg", "splice-in", "SYS_read", "SYS_readv", "SYS_preadv2", "SYS_recvfrom", "SYS_recvmsg",
        ]
        private static let writing = [
            "write", "__write", "writev", "pwritev2", "send", "__send", "sendto", "sendmsg", "sendmmsg", "sendfile",
            "sendfile64", "splice-out", "SYS_write", "SYS_writev", "SYS_pwritev2", "SYS_sendto", "SYS_sendmsg",
        ]

        private static let pending =
            ["FIONREAD: 0", "connect: EALREADY", "peer: ENOTCONN", "error: 0"]
            + (reading + writing).map { "\($0): EAGAIN" }
            + [
                "read of nothing: done", "readv of nothing: done", "writev of nothing: done", "readv of no parts: done",
                "recv of nothing: EAGAIN", "send of nothing: EAGAIN", "write of nothing: EAGAIN", "MSG_OOB: EINVAL",
                "MSG_OOB of recvmsg: EINVAL", "sending MSG_OOB: EAGAIN", "TCP_INFO: 2",
            ]
            + ["MSG_PEEK: EAGAIN", "MSG_DONTWAIT: EAGAIN", "poll: 0", "select: 0", "epoll: 0"]
            + ["established: 1 OUT"] + Pending.connected

        static let stateCases = ["unreached", "reached", "greeted", "half"].map {
            Pending.Case(probe: "pending-state", name: $0, lines: pending)
        }

        @Test(arguments: stateCases)
        func `A pending socket is a connecting socket to every call, and then a connected one`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
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
                Pending.Case(probe: "pending-driving", name: way, lines: lines + Pending.connected)
            })
        func `A program that calls one function again and again gets there`(given: Pending.Case) async throws {
            try await Pending.check(given)
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

        private static func waitingCase(_ name: String, _ call: String, _ lines: [String]) -> Pending.Case {
            Pending.Case(probe: "pending-waiting", name: name, arguments: [call], lines: lines)
        }

        private static func stages(_ lines: (String) -> [String]) -> [String] {
            ["reached", "greeted", "half"].flatMap(lines) + ["established: OUT"] + Pending.connected
        }

        static let unlimitedCases = waiting.flatMap { call in
            [
                waitingCase("without-limit", call, ["OUT"] + Pending.connected),
                waitingCase("with-limit", call, ["OUT"] + Pending.connected),
                waitingCase("in-slices", call, ["OUT"] + Pending.connected),
                waitingCase("without-waiting", call, stages { ["\($0): nothing"] }),
            ]
        }

        @Test(arguments: unlimitedCases)
        func `A call that waits, however long, ends when the connection is there`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let earlyCases = waiting.flatMap { call in
            [
                waitingCase("early", call, ["OUT", "IN|OUT"] + Pending.connected),
                waitingCase("reading-only", call, ["IN"] + Pending.connected),
            ]
        }

        @Test(arguments: earlyCases)
        func `Bytes that came with the reply are there to be read`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let answeringCases = waiting.flatMap { call in
            [
                waitingCase("by-bytes", call, ["OUT"] + Pending.connected),
                waitingCase("answered-early", call, ["OUT"] + Pending.connected),
            ]
        }

        @Test(arguments: answeringCases)
        func `A proxy may answer byte by byte, or before it is asked`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let expiringCases = waiting.flatMap { call in
            [
                waitingCase("expiring", call, stages { ["\($0): nothing"] }),
                waitingCase("dripping", call, ["nothing", "OUT"] + Pending.connected),
            ]
        }

        @Test(arguments: expiringCases)
        func `The time of a call goes by in full, and no longer, and the connection goes on`(given: Pending.Case)
            async throws
        {
            try await Pending.check(given)
        }

        static let interruptedCases = waiting.map { call in
            waitingCase(
                "interrupted", call,
                [
                    "reached: EINTR, handled 1", "greeted: EINTR, handled 2", "half: EINTR, handled 3",
                    "established: OUT",
                ]
                    + Pending.connected)
        }

        @Test(arguments: interruptedCases)
        func `A signal that is handled ends a call, and the connection goes on`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let reentrantCases = waiting.map { call in
            waitingCase("handler-enters", call, ["established all, handled some"])
        }

        @Test(arguments: reentrantCases)
        func `A handler may make the calls that it interrupts`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        /// Without the calls through syscall(2), which is no cancellation point.
        static let cancelledCases = waiting.filter { !$0.hasPrefix("SYS_") }.map { call in
            waitingCase("cancelled", call, stages { ["\($0): cancelled"] })
        }

        @Test(arguments: cancelledCases)
        func `A thread that waits can be cancelled, and the connection goes on`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let maskedCases = masking.flatMap { call in
            [
                waitingCase("masked", call, ["OUT, handled 1"] + Pending.connected),
                waitingCase(
                    "unmasked", call,
                    zip(["reached", "greeted", "half"], 1...).flatMap { stage, count in
                        [
                            "\(stage): EINTR, handled \(count)", "\(stage), without: nothing, handled \(count)",
                            "pending 1, blocked 1",
                        ]
                    } + ["established: OUT"] + Pending.connected),
            ]
        }

        @Test(arguments: maskedCases)
        func `The signal mask of a call is in force while it waits, and only then`(given: Pending.Case) async throws {
            try await Pending.check(given)
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
        func `A refusal ends a call, and is told once`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: The kernel

        @Test func `The kernel shows a pending connection the same`() async throws {
            let families = ["ppoll", "SYS_poll", "pselect", "select", "epoll_pwait2", "epoll_wait"]
            let cases =
                [
                    PendingWaitingTests.unlimitedCases, PendingWaitingTests.earlyCases,
                    PendingWaitingTests.answeringCases, PendingWaitingTests.expiringCases,
                    PendingWaitingTests.interruptedCases, PendingWaitingTests.maskedCases,
                    PendingWaitingTests.refusedCases, PendingWaitingTests.reentrantCases,
                    PendingWaitingTests.cancelledCases,
                ].joined().filter { families.contains($0.arguments[0]) }
                + [PendingWaitingTests.stateCases[0]]
                + PendingWaitingTests.drivingCases.map { way, lines in
                    Pending.Case(probe: "pending-driving", name: way, lines: lines + Pending.connected)
                }
            try await Pending.checkNatively(cases)
        }
    }
}
