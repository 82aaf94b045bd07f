import TestProxy
import Testing

extension EndToEnd {
    /// Sockets that are bound to a device, or whose packets are marked. These settings are for the way to the
    /// destination: the socket reaches the proxy as any other does, and the program sees the values that it has set.
    @Suite struct WayTests {
        private static let way = ["device 'lo', 3 bytes, number 1", "in two bytes: EINVAL"]
        private static let connected: [String] = {
            let each =
                ["bind 0", "connect 0"] + way + way + ["free it EPERM", "bind it anew ENODEV"] + way
                + ["peer as connected to", "echoed echoed"]
            return each + each
        }()

        private static let pending: [String] = {
            let each =
                ["connect EINPROGRESS", "bind it wrongly ENODEV", "no number EINVAL", "mark EPERM", "bind 0"] + way
                + way + ["free it EPERM", "error 0"] + way + ["peer as connected to", "echoed echoed"]
            return each + each
        }()

        private static let cases: [(String, [String])] = [
            ("blocking", connected), ("nonblocking", connected),
            ("by-another-number", ["bind 0", "connect 0"] + way + ["peer as connected to"]),
            ("inherited", ["connect 0"] + way + ["peer as connected to", "echoed"]),
            ("bound", ["bind 0", "connect 0", "the same port", "SO_REUSEADDR 0", "peer as connected to"]),
            ("watched", ["bind 0", "connect EINPROGRESS", "told 4 7, error 0"] + way + ["peer as connected to"]),
            ("pending", pending),
            ("connected", ["connect 0", "bind 0"] + way + ["free it EPERM", "peer as connected to", "echoed"]),
            ("mark", ["connect 0", "mark 7", "another EPERM", "mark 7", "peer as connected to"]),
        ]

        @Test(arguments: cases) func `The proxy is reached, and the program sees what it has set`(
            name: String, lines: [String]
        ) async throws {
            for (host, port) in try await [(FarSide.ipv4, FarSide.echoPort), (FarSide.ipv6, FarSide.echoPort6)] {
                let output = try await TestProxy.during { try await $0.run("way", [name, host, port]) }
                #expect(output.lines == lines, "\(host): \(output)")
            }
        }

        @Test(arguments: FamilyTests.Place.allCases) func `So it is with a proxy of another family`(
            place: FamilyTests.Place
        ) async throws {
            for (name, lines) in WayTests.cases {
                let output = try await place.run("way", [name, FarSide.ipv4, FarSide.echoPort])
                #expect(output.lines == lines, "\(name): \(output)")
            }
        }

        @Test func `A program without the library sees the same`() async throws {
            for (name, lines) in WayTests.cases {
                let output = try await CallProbe.run("way", [name, "here", "0"], library: .absent)
                #expect(output.lines == lines, "\(name): \(output)")
            }
        }

        @Test func `Nothing that goes to the proxy is marked`() async throws {
            let output = try await TestProxy.during {
                try await $0.run("way", ["unmarked", FarSide.ipv4, FarSide.echoPort])
            }
            #expect(output.lines == ["connect 0", "the kernel's 0"], "\(output)")
        }

        @Test func `A socket that connects directly afterwards is bound as before`() async throws {
            let refuse: @Sendable (Int) -> Script = { _ in .with { $0.replyCode = 5 } }
            let output = try await TestProxy.during(refuse) {
                try await $0.run("way", ["directly", FarSide.ipv4, FarSide.echoPort])
            }
            let lines =
                ["bind 0", "connect ECONNREFUSED"] + WayTests.way + ["directly 0"] + WayTests.way + ["the kernel's 1"]
            #expect(output.lines == lines, "\(output)")
        }

        @Test func `So is one that was bound while it was connecting`() async throws {
            let refuse: @Sendable (Int) -> Script = { _ in .with { $0.replyCode = 5 } }
            let output = try await TestProxy.during(refuse) {
                try await $0.run("way", ["directly-after", FarSide.ipv4, FarSide.echoPort])
            }
            let lines =
                ["connect EINPROGRESS", "bind 0", "error ECONNREFUSED"] + WayTests.way + WayTests.way
                + ["the kernel's 1", "the same port"]
            #expect(output.lines == lines, "\(output)")
        }
    }
}
