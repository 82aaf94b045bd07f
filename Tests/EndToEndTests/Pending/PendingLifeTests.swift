import Testing

extension EndToEnd {
    /// What a program does with a pending socket besides waiting: it closes or duplicates it, makes it blocking, or
    /// passes it to another process.
    @Suite struct PendingLifeTests {
        // MARK: The end

        private static let closed =
            [
                "poll 1 OUT", "peer ENOTSOCK, error ENOTSOCK", "write 0", "FIONREAD 0 1", "read what was written",
                "registered nothing", "registered pipe: OUT", "near: poll 1 OUT, peer near, wrote x",
                "new socket: 1 OUT|HUP, read ENOTCONN, write EPIPE, error 0", "established new: OUT",
            ] + Pending.connected

        private static let shut = [
            "pending nothing", "shutdown 0", "registered F: OUT|ERR|HUP", "poll 1 ERR|HUP", "peer ENOTCONN",
            "error ECONNRESET", "error 0", "shutdown ENOTCONN",
        ]

        private static let ends: [(String, [String])] =
            ["close", "SYS_close", "close_range", "fclose", "dup2", "dup3"].map { ($0, closed) }
            + ["shut-reading", "shut-writing", "shut-both"].map { ($0, shut) }
            + [
                ("while-in-epoll", ["pipe: IN", "then pipe: IN"]), ("while-in-poll", ["ended, IN"]),
                ("while-in-select", ["ended"]),
                ("shut-wrongly", ["shutdown EINVAL", "established F: OUT"] + Pending.connected),
                (
                    "dissolved",
                    [
                        "dissolved 0", "registered F: OUT|ERR|HUP", "error ECONNRESET", "peer ENOTCONN",
                        "pending nothing", "established F: OUT",
                    ] + Pending.connected
                ),
                ("many", ["registered nothing", "descriptors +0"]),
            ]

        private static func endCases(at stage: String) -> [Pending.Case] {
            ends.map { Pending.Case(probe: "pending-end", name: $0, arguments: [stage], lines: $1) }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(endCases))
        func `A socket that is given up while pending leaves nothing behind`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: Several descriptors

        private static func numberCases(_ way: String) -> [Pending.Case] {
            [false, true].flatMap { isEdge in
                func told(_ name: String) -> [String] {
                    [
                        "pending nothing", "established \(name): OUT", isEdge ? "then nothing" : "then \(name): OUT",
                        "with a byte \(name): IN|OUT", isEdge ? "read nothing" : "read \(name): OUT",
                    ]
                }
                let both = "2nd: OUT, first: OUT"
                let cases = [
                    ("before", told("second")), ("after", told("second")),
                    ("both", ["pending nothing", "established \(both)", isEdge ? "then nothing" : "then \(both)"]),
                    (
                        "first-closed",
                        [
                            "pending nothing, peer ENOTCONN, connect EALREADY", "pipe 0", "established second: OUT",
                            "pipe 0", isEdge ? "then nothing" : "then second: OUT",
                        ]
                    ),
                    (
                        "called",
                        [
                            "connect EALREADY, peer ENOTCONN, error 0", "read EAGAIN, write EAGAIN", "poll 0",
                            "poll 2 OUT OUT", "peer as connected to",
                        ]
                    ),
                ]
                return cases.map { name, lines in
                    Pending.Case(
                        probe: "pending-dup", name: name, arguments: [isEdge ? "edge" : "level", way],
                        lines: lines + Pending.connected)
                }
            }
        }

        @Test(arguments: ["dup", "dup2", "dup3", "F_DUPFD"].flatMap(numberCases))
        func `A pending socket is the same under each of its numbers`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let passed = numberCases("passed")

        @Test(arguments: passed)
        func `A pending socket is the same under a number that came in a message`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        static let sent = [
            ("succeeds", ["poll 1 OUT", "error 0", "peer as connected to", "heard pong", "said ping"]),
            (
                "fails",
                ["poll 1 OUT|ERR|HUP", "error ECONNREFUSED", "peer ENOTCONN", "write fails", "error 0"]
            ),
            (
                "interrupted",
                [
                    "sendmsg of 0: EINTR", "sendmmsg of 1: EINTR", "sendmmsg of 2: 1", "poll 1 OUT", "error 0",
                    "peer as connected to", "heard pong", "said ping",
                ]
            ),
            ("from-nowhere", ["sendmsg: EFAULT"]),
        ].map { Pending.Case(probe: "pending-sent", name: $0, lines: $1) }

        @Test(arguments: sent)
        func `A pending socket is sent to another process when it has been established`(given: Pending.Case)
            async throws
        {
            try await Pending.check(given)
        }

        static let executed = [
            ("own", ["poll 1 OUT", "error 0", "peer as connected to", "heard pong"]),
            ("own-refused", ["poll 1 OUT", "error ECONNREFUSED", "peer ENOTCONN", "write EPIPE"]),
            (
                "spawned",
                ["poll 1 OUT", "error ECONNABORTED", "peer ENOTCONN", "write ECONNABORTED"] + Pending.connected
            ),
            (
                "forked",
                ["poll 1 OUT", "error ECONNABORTED", "peer ENOTCONN", "write ECONNABORTED"] + Pending.connected
            ),
            ("closed", ["closed"] + Pending.connected),
        ].map { Pending.Case(probe: "pending-executed", name: $0, lines: $1) }

        @Test(arguments: executed)
        func `A program that is started with a pending socket does not take it for connected`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        static let orphans = ["level", "edge"].map {
            Pending.Case(
                probe: "pending-dup", name: "orphaned", arguments: [$0, "dup"],
                lines: [
                    "pending nothing", "modify: ENOENT", "established first: OUT",
                    $0 == "edge" ? "then nothing" : "then first: OUT",
                ] + Pending.connected)
        }

        @Test(arguments: orphans)
        func `A registration outlives the number that it was made by`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: Blocking

        private static func blockingCases(_ way: String) -> [Pending.Case] {
            let reading = [
                "read", "__read", "__read_chk", "readv", "preadv2", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk",
                "recvmsg", "recvmmsg", "splice-in", "SYS_read", "SYS_recvfrom",
            ]
            let writing = [
                "write", "__write", "writev", "pwritev2", "send", "__send", "sendto", "sendmsg", "sendmmsg", "sendfile",
                "splice-out", "SYS_write", "SYS_sendto",
            ]
            let cases: [(String, [String])] =
                reading.map { ($0, ["\($0): 1 0", "byte x"] + Pending.connected) }
                + writing.map { ($0, ["\($0): 1 0", "byte y"] + Pending.connected) }
                + [
                    ("connect", ["connect: 0"] + Pending.connected),
                    (
                        "send-timeout",
                        ["connect: EALREADY", "write: EAGAIN", "write: 0", "byte y"] + Pending.connected
                    ),
                    ("receive-timeout", ["read: EAGAIN", "read: 0", "byte x"] + Pending.connected),
                    (
                        "dont-wait",
                        ["recv: EAGAIN", "send: EAGAIN", "preadv2: EAGAIN", "poll: 0", "poll: 1"] + Pending.connected
                    ),
                    ("refused", ["read: ECONNREFUSED", "error 0"]),
                    ("refused-connecting", ["connect: ECONNREFUSED", "error 0"]),
                    ("interrupted", ["read: EINTR", "read: 0", "byte x"] + Pending.connected),
                ]
            return cases.map {
                Pending.Case(probe: "pending-blocking", name: $0, arguments: [way], lines: $1)
            }
        }

        @Test(arguments: ["FIONBIO", "F_SETFL"].flatMap(blockingCases))
        func `A socket that is made to block waits through the rest`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: Processes

        private static let forks: [(String, [String])] =
            ["child-closes", "child-exits", "child-executes"].map { ($0, ["poll 1 OUT"] + Pending.connected) }
            + [
                (
                    "child-asks",
                    ["child: poll 0, peer ENOTCONN, error 0", "poll 1 OUT"] + Pending.connected
                ),
                ("with-registration", ["pending nothing", "established F: OUT", "then nothing"] + Pending.connected),
                ("child-goes-on", ["child: poll 1 OUT"] + Pending.connected),
                ("parent-exits", ["child: poll 1 OUT"] + Pending.connected),
                ("each-its-own", ["child: poll 1 OUT"] + Pending.connected + ["poll 1"] + Pending.connected),
            ]

        private static func forkCases(at stage: String) -> [Pending.Case] {
            forks.map { Pending.Case(probe: "pending-fork", name: $0, arguments: [stage], lines: $1) }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(forkCases))
        func `A pending connection goes on in the process that keeps it`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: The kernel

        @Test func `The kernel treats a pending socket the same`() async throws {
            try await Pending.checkNatively(
                PendingLifeTests.endCases(at: "reached") + PendingLifeTests.numberCases("dup")
                    + PendingLifeTests.passed + PendingLifeTests.orphans + PendingLifeTests.blockingCases("FIONBIO")
                    // Without "each-its-own": which of two connections a listener accepts first is chance.
                    + PendingLifeTests.forkCases(at: "reached").filter { $0.name != "each-its-own" })
        }
    }
}
