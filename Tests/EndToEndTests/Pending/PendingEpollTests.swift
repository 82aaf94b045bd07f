import Testing

extension EndToEnd {
    /// Registrations of a socket in flight with epoll(7).
    @Suite struct FlightEpollTests {
        /// Lines of a registration, level-triggered and edge-triggered.
        private typealias Lines = @Sendable (_ isEdge: Bool) -> [String]

        /// What a registration for input and output says once the connection is there.
        private static func later(_ name: String, _ isEdge: Bool) -> [String] {
            [
                "landed \(name): OUT", isEdge ? "then nothing" : "then \(name): OUT", "with a byte \(name): IN|OUT",
                isEdge ? "read nothing" : "read \(name): OUT",
            ]
        }

        /// The same of one that is used up by its first event.
        private static func once(_ name: String) -> [String] {
            ["landed \(name): OUT", "then nothing", "with a byte nothing", "read nothing"]
        }

        private static let names: [(String, Lines)] = [
            ("before", { ["in flight nothing", "in flight nothing"] + later("F", $0) + Flight.connected }),
            ("before-taken", { ["unconnected F: OUT|HUP", "in flight nothing"] + later("F", $0) + Flight.connected }),
            ("after", { ["in flight nothing"] + later("F", $0) + Flight.connected }),
            ("after-landing", { ["landed F: OUT", $0 ? "then nothing" : "then F: OUT"] + Flight.connected }),
            (
                "modified",
                {
                    ["in flight nothing", "in flight nothing"] + later("third", $0) + ["afterwards fourth: OUT"]
                        + Flight.connected
                }
            ),
            ("modified-to-nothing", { _ in ["landed nothing", "modified third: OUT"] + Flight.connected }),
            ("deleted", { _ in ["in flight nothing", "poll 1", "landed nothing"] + Flight.connected }),
            (
                "deleted-and-added",
                { ["in flight nothing", "in flight nothing"] + later("second", $0) + Flight.connected }
            ),
            (
                "wrong",
                {
                    [
                        "modify: ENOENT", "delete: ENOENT", "add: 0", "add again: EEXIST", "no operation: EINVAL",
                        "no event: EFAULT", "no epoll: EINVAL", "bad epoll: EBADF", "bad socket: EBADF",
                        "room for none: EINVAL", "room for less: EINVAL", "no room: EBADF", "in flight nothing",
                    ] + later("F", $0) + Flight.connected
                }
            ),
            (
                "one-shot",
                { _ in ["in flight nothing"] + once("F") + ["armed F: OUT", "then nothing"] + Flight.connected }
            ),
            ("one-shot-before", { _ in ["in flight nothing"] + once("F") + Flight.connected }),
            (
                "one-shot-armed-in-flight",
                { _ in
                    ["unconnected F: OUT|HUP", "in flight nothing", "armed nothing"] + once("again") + Flight.connected
                }
            ),
            (
                "one-shot-armed-late",
                { _ in
                    [
                        "unconnected F: OUT|HUP", "in flight nothing", "landed nothing", "armed again: OUT",
                        "then nothing", "with a byte nothing", "read nothing",
                    ] + Flight.connected
                }
            ),
            (
                "exclusive",
                {
                    [
                        "add: 0", "add again: EEXIST", "modify: EINVAL", "modify to it: EINVAL", "in flight nothing",
                    ] + later("F", $0) + ["modify: EINVAL", "deleted nothing"] + Flight.connected
                }
            ),
            (
                "exclusive-once",
                { _ in ["add: EINVAL", "modify to it: EINVAL", "landed F: OUT"] + Flight.connected }
            ),
            (
                "reading-only",
                { _ in ["in flight nothing", "landed nothing", "with a byte F: IN"] + Flight.connected }
            ),
            ("hanging-up", { _ in ["in flight nothing", "landed F: RDHUP", "read 1 x", "read 0"] }),
            (
                "several-sets",
                {
                    [
                        "in flight nothing, nothing, nothing", "landed third: OUT", "landed second: OUT",
                        "landed first: OUT",
                        $0 ? "then nothing, nothing, nothing" : "then first: OUT, second: OUT, nothing",
                    ] + Flight.connected
                }
            ),
            ("set-closed", { ["in flight nothing"] + later("first", $0) + Flight.connected }),
            ("only-set-closed", { _ in ["poll 1 OUT", "another F: OUT"] + Flight.connected }),
            (
                "set-reused",
                {
                    ["in flight nothing", "in flight nothing", "in flight nothing", "modify: ENOENT"]
                        + ["in flight nothing"] + later("F", $0) + Flight.connected
                }
            ),
            (
                "duplicated-set",
                {
                    ["add again: EEXIST", "in flight nothing", "landed G: OUT", $0 ? "then nothing" : "then G: OUT"]
                        + Flight.connected
                }
            ),
            (
                "refused",
                { _ in ["in flight nothing", "refused F: IN|OUT|ERR|HUP|RDHUP", "error ECONNREFUSED", "error 0"] }
            ),
            (
                "refused-reading",
                { _ in ["refused reading: IN|ERR|HUP", "refused nothing asked: ERR|HUP", "error ECONNREFUSED"] }
            ),
            (
                "refused-and-again",
                {
                    ["refused F: IN|OUT|ERR|HUP|RDHUP", "error ECONNREFUSED", "in flight nothing"] + later("F", $0)
                        + Flight.connected
                }
            ),
        ]

        private static func cases(at stage: String) -> [Flight.Case] {
            names.flatMap { name, lines in
                [false, true].map { isEdge in
                    Flight.Case(
                        probe: "flight-epoll", name: name, arguments: [isEdge ? "edge" : "level", stage],
                        lines: lines(isEdge),
                        // From there on a proxy can only break off, which is a mistake of its own.
                        ending: name.hasPrefix("refused") && stage == "half" ? .logging : .clean)
                }
            }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `A registration is silent in flight, and then tells the end as any other`(
            given: Flight.Case
        ) async throws {
            try await Flight.check(given)
        }

        @Test(
            arguments: cases(at: "unreached").filter { ["before", "after", "modified", "refused"].contains($0.name) })
        func `A registration is silent while the proxy is being connected to`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test func `The kernel tells the end of a connection the same`() async throws {
            try await Flight.checkNatively(FlightEpollTests.cases(at: "reached"))
        }
    }
}
