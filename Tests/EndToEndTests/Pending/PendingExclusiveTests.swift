import Testing

extension EndToEnd {
    /// Registrations with EPOLLEXCLUSIVE that a socket has before it connects. The kernel modifies none such, so the
    /// library deletes and adds them.
    @Suite struct FlightExclusiveTests {
        private static func cases(at stage: String) -> [Flight.Case] {
            ["level", "edge"].flatMap { mode in
                let silent = ["in flight nothing", "in flight nothing"]
                let registered = "registered for IN|OUT" + (mode == "edge" ? ", edge-triggered" : "")
                let verdicts = ["add again: EEXIST", "modify: EINVAL", "modify to it: EINVAL"]
                let exclusive = ["\(registered), exclusive"] + verdicts + ["\(registered), exclusive"]
                let landed = ["landed F: OUT"] + exclusive
                let later =
                    mode == "edge"
                    ? ["then nothing", "with a byte F: IN|OUT", "read nothing"]
                    : ["then F: OUT", "with a byte F: IN|OUT", "read F: OUT"]
                let lines: [(String, [String])] = [
                    ("landed", silent + landed + later + Flight.connected),
                    ("changed", silent + verdicts + ["in flight nothing"] + landed + Flight.connected),
                    (
                        "replaced",
                        silent + ["in flight nothing", "landed another: OUT", registered, "modified third: OUT"]
                            + Flight.connected
                    ),
                    ("duplicated", ["in flight nothing"] + landed + Flight.connected),
                    (
                        "refused",
                        silent + ["refused F: IN|OUT|ERR|HUP"] + exclusive + [
                            "error ECONNREFUSED", "in flight nothing",
                        ]
                            + landed + later + Flight.connected
                    ),
                    ("dissolved", silent + ["dissolved 0", "registered F: OUT|ERR|HUP"] + exclusive),
                ]
                return lines.map {
                    Flight.Case(
                        probe: "flight-exclusive", name: $0, arguments: [mode, stage], lines: $1,
                        // A proxy that closes the connection is told of, one that refuses is not.
                        ending: $0 == "refused" && stage == "half" ? .logging : .clean)
                }
            }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `An exclusive registration is silent in flight, and then exclusive as before`(
            given: Flight.Case
        ) async throws {
            try await Flight.check(given)
        }

        @Test func `The kernel treats an exclusive registration the same`() async throws {
            try await Flight.checkNatively(FlightExclusiveTests.cases(at: "reached"))
        }
    }
}
