import TestProxy
import Testing

extension EndToEnd {
    /// What a connection does when a proxy fails and the socket's family does not reach the next one.
    @Suite struct FamilyFailoverTests {
        /// The place of the proxy that fails, and the place of the other one.
        static let pairs: [[Hops.Host]] = [
            [.unixSocket, .near], [.near, .unixSocket], [.unixSocket, .unixSocket], [.nearIPv6, .near],
            [.near, .nearIPv6], [.nearIPv6, .unixSocket], [.unixSocket, .nearIPv6],
        ]

        private static let closing = Script.Fault(.close, after: 0)

        /// Runs `body` with proxies at these hosts; only the last one works.
        private func during(
            _ hosts: [Hops.Host], _ fault: Script.Fault = closing, _ change: (inout Script) -> Void = { _ in },
            _ body: (Hops) async throws -> Void
        ) async throws {
            let hops = hosts.indices.map { index in
                Hops.Hop(at: hosts[index]) { script in
                    change(&script)
                    if index < hosts.count - 1 { script.fault = fault }
                }
            }
            try await Hops.during(hops, body)
        }

        /// Chains that try every proxy each time. On a process's first connection they begin with the first proxy of
        /// the list.
        private static let forgetful = ["round_robin_chain", "chain_len = 1", "dead_time 0"]

        @Test(arguments: FamilyTests.cases, pairs)
        func `A program sees the socket that it made`(name: String, hosts: [Hops.Host]) async throws {
            let arguments = try await [name, FarSide.ipv4, FarSide.echoPort]
            let reference = try await Hops.during([Hops.Hop()]) { try await $0.run("family", arguments) }
            #expect(!reference.lines.isEmpty, "\(reference)")
            try await during(hosts) { hops in
                let output = try await hops.run("family", arguments, FamilyFailoverTests.forgetful)
                #expect(output.lines == reference.lines, "\(output)")
                #expect(hops.connections.allSatisfy { $0 > 0 }, "\(hops.connections) \(output.errors)")
            }
        }

        @Test(arguments: pairs, [nil, "poll", "select", "epoll_wait"] as [String?])
        func `Whatever is wrong with a proxy, the connection goes on by the next one`(
            hosts: [Hops.Host], call: String?
        ) async throws {
            for fault in ChainFailoverTests.Fault.allCases {
                var first = Hops.Hop(at: hosts[0])
                fault.change(&first.script)
                let port = try await FarSide.echoPort
                var probe = ("connecting", ["blocking", FarSide.ipv4, port, "1"])
                var lines = ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"]
                if let call {
                    probe = ("pending-plain", [FarSide.ipv4, port, "1", call])
                    lines = ["connected, peer as connected to, echoed", "descriptors +0"]
                }
                let (used, output) = try await Hops.during(
                    [first, Hops.Hop(at: hosts[1])], silent: fault == .hangs ? 0 : nil
                ) { hops, limit in
                    if fault == .gone { await hops.proxies[0].stop() }
                    return try await hops.run(probe.0, probe.1, FamilyFailoverTests.forgetful + [limit])
                }
                #expect(output.lines == lines, "\(fault) \(output)")
                #expect(used.connections == [fault == .gone ? 0 : 1, 1], "\(fault)")
            }
        }

        static let orders: [[Hops.Host]] = [
            [.unixSocket, .near, .nearIPv6, .unixSocket, .unixSocket, .near],
            [.near, .unixSocket, .nearIPv6, .near, .nearIPv6, .unixSocket],
        ]

        @Test(arguments: orders, ["duplicates", "epolls", "epolls-shared", "epoll-in-thread", "polls-in-threads"])
        func `A socket goes through many hands`(hosts: [Hops.Host], name: String) async throws {
            let arguments = try await [name, FarSide.ipv4, FarSide.echoPort]
            let reference = try await Hops.during([Hops.Hop()]) { try await $0.run("family", arguments) }
            try await during(hosts) { hops in
                let output = try await hops.run("family", arguments, FamilyFailoverTests.forgetful)
                #expect(output.lines == reference.lines, "\(output)")
                #expect(hops.connections.allSatisfy { $0 > 0 }, "\(hops.connections) \(output.errors)")
            }
        }

        @Test(arguments: pairs, ["blocking", "nonblocking"])
        func `When all fail the socket can connect again`(hosts: [Hops.Host], mode: String) async throws {
            try await during(hosts + [.far]) { hops in
                let port = try await FarSide.echoPort
                let lists = ["[ProxyList]"] + hops.lines.prefix(2)
                let output = try await hops.run(
                    "connecting", [mode, FarSide.ipv4, port, "3"], FamilyFailoverTests.forgetful, lists: lists)
                let refused = Array(repeating: ["ECONNREFUSED", "peer ENOTCONN"], count: 3).joined()
                #expect(output.lines == refused + ["descriptors +0"], "\(output)")
                #expect(hops.connections == [3, 3, 0])
            }
        }

        @Test(arguments: [nil, "epoll_wait"] as [String?])
        func `A dynamic chain goes on without the proxy at a path`(call: String?) async throws {
            try await during([.unixSocket, .near]) { hops in
                let port = try await FarSide.echoPort
                let probe =
                    call.map { ("pending-plain", [FarSide.ipv4, port, "3", $0]) }
                    ?? ("connecting", ["blocking", FarSide.ipv4, port, "1"])
                let output = try await hops.run(probe.0, probe.1, ["dynamic_chain"])
                let lines =
                    call == nil
                    ? ["0", "peer as connected to", "echoed", "again EISCONN"]
                    : Array(repeating: "connected, peer as connected to, echoed", count: 3)
                #expect(output.lines == lines + ["descriptors +0"], "\(output)")
                #expect(hops.connections == [1, call == nil ? 1 : 3])
            }
        }

        @Test func `A strict chain begins at a path`() async throws {
            try await Hops.during([Hops.Hop(at: .unixSocket), Hops.Hop(at: .far)]) { hops in
                let port = try await FarSide.echoPort
                let output = try await hops.run(
                    "connecting", ["nonblocking", FarSide.ipv4, port, "1"], ["strict_chain"])
                #expect(
                    output.lines == ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"],
                    "\(output)")
            }
        }

        // MARK: Internal connections

        static let waysOfInternalConnections: [[Hops.Host]] = [
            [.unixSocket], [.unixSocket, .near], [.near, .unixSocket], [.nearIPv6, .near], [.unixSocket, .unixSocket],
        ]

        @Test(arguments: waysOfInternalConnections)
        func `Datagrams go by the relay of a proxy at a path`(hosts: [Hops.Host]) async throws {
            let isAtPath = hosts.last == .unixSocket
            try await during(hosts, FamilyFailoverTests.closing) { script in
                if isAtPath { script.boundAddress = Address(Machine.proxyIPv4) }
            } _: { hops in
                let output = try await hops.run(
                    "datagram-relay", ["answers"] + EchoTargets.far(.ipv4),
                    FamilyFailoverTests.forgetful, ending: Ending(errors: .log, associations: 2))
                #expect(output.lines == DatagramRelayTests.answers, "\(output)")
            }
        }

        @Test(arguments: waysOfInternalConnections + [[.nearIPv6], [.near, .nearIPv6]])
        func `Questions to a name server go by any proxy`(hosts: [Hops.Host]) async throws {
            _ = try await NameServers.honest.value
            try await during(hosts) { hops in
                let text = FamilyFailoverTests.forgetful + ["dns tcp \(NameServers.host)", "[ProxyList]"] + hops.lines
                let run = try await Client.run(
                    ["dig", "+short", "@192.0.2.53", "web.test"], configuration: text.joined(separator: "\n") + "\n",
                    carriesDatagrams: true)
                #expect(run.output == "203.0.113.10\n", "\(run)")
                #expect(hops.connections.allSatisfy { $0 > 0 }, "\(hops.connections) \(run)")
            }
        }
    }
}
