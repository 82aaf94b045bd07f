import TestProxy
import Testing

extension EndToEnd {
    /// What a connection does when a proxy fails and there are others.
    @Suite struct ChainFailoverTests {
        static let calls = ["poll", "select", "epoll_wait"]

        /// Ways in which a first hop fails.
        enum Fault: String, CaseIterable, Sendable {
            case gone, closes, hangs, garbage, credentials

            func change(_ script: inout Script) {
                switch self {
                case .gone: break
                case .closes: script.fault = .init(.close, after: 0)
                case .hangs: script.fault = .init(.hang, after: 0)
                case .garbage: script.fault = .init(.garbage([9, 9, 9, 9, 9, 9, 9, 9]), after: 0)
                case .credentials: script.credentials = Credentials(user: "u", password: "p")
                }
            }
        }

        /// Makes `times` connections in one process; the probe prints a line for each.
        private func connect(
            _ hops: Hops, _ mode: [String], times: Int = 1, by call: String? = nil, lists: [String]? = nil,
            limit: String = AnswerTime.ample
        ) async throws -> CallProbe.Output {
            let port = try await FarSide.echoPort
            if let call {
                return try await hops.run(
                    "pending-plain", [FarSide.ipv4, port, "\(times)", call], mode + [limit],
                    lists: lists)
            }
            return try await hops.run(
                "connecting", ["blocking", FarSide.ipv4, port, "\(times)"], mode + [limit],
                lists: lists)
        }

        private static let echoed = "connected, peer as connected to, echoed"
        private static let refusedTwice =
            Array(repeating: "ECONNREFUSED, then 0, peer ENOTCONN", count: 2) + ["descriptors +0"]
        private static let connectedOnce = ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"]

        // MARK: Modes

        @Test(arguments: Fault.allCases, [nil, "poll", "select", "epoll_wait"] as [String?])
        func `A dynamic chain goes on without the proxy that fails, and later ones leave it out`(
            fault: Fault, call: String?
        ) async throws {
            let times = call == nil ? 1 : 3
            let (hops, output) = try await Hops.during(
                [Hops.Hop { fault.change(&$0) }, Hops.Hop()], silent: fault == .hangs ? 0 : nil
            ) { hops, limit in
                if fault == .gone { await hops.proxies[0].stop() }
                return try await connect(hops, ["dynamic_chain"], times: times, by: call, limit: limit)
            }
            if call == nil {
                #expect(output.lines == ChainFailoverTests.connectedOnce, "\(output.errors)")
            } else {
                let lines = Array(repeating: ChainFailoverTests.echoed, count: 3) + ["descriptors +0"]
                #expect(output.lines == lines, "\(output.errors)")
            }
            let log = try await output.log(of: "\(FarSide.ipv4):\(FarSide.echoPort)")
            #expect(log.first?.hasSuffix("; another is tried") == true, "\(output.errors)")
            #expect(Array(log.dropFirst()) == Array(repeating: " via \(hops[1])", count: times), "\(output.errors)")
            #expect(hops.connections == [fault == .gone ? 0 : 1, times])
        }

        @Test func `A strict chain has no other way, and tries again each time`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 0) }, Hops.Hop()]) { hops in
                let output = try await connect(hops, ["strict_chain"], times: 2, by: "poll")
                #expect(output.lines == ChainFailoverTests.refusedTwice, "\(output.lines)")
                #expect(hops.connections == [2, 0])
            }
        }

        @Test(arguments: ["failover_chain", "random_chain", "round_robin_chain"], [nil, "epoll_wait"] as [String?])
        func `The other modes choose another proxy`(mode: String, call: String?) async throws {
            let bad = Hops.Hop { $0.fault = .init(.close, after: 0) }
            try await Hops.during([bad, bad, bad, Hops.Hop()]) { hops in
                let times = call == nil ? 1 : 4
                let output = try await connect(hops, [mode, "chain_len = 1"], times: times, by: call)
                #expect(
                    output.lines
                        == (call == nil
                            ? ChainFailoverTests.connectedOnce
                            : Array(repeating: ChainFailoverTests.echoed, count: times) + ["descriptors +0"]),
                    "\(output.errors)")
                #expect(output.errorLines.last?.contains(" via \(hops[3]) in ") == true, "\(output.errors)")
                // Each proxy fails once at most, however often the chain draws it.
                #expect(hops.connections.prefix(3).allSatisfy { $0 <= 1 })
                #expect(hops.connections[3] == times)
            }
        }

        @Test func `A proxy that stands by is not asked while the one before it is well`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 0) }, Hops.Hop(), Hops.Hop()]) { hops in
                let output = try await connect(hops, ["failover_chain", "chain_len = 1"], times: 3, by: "poll")
                let lines = Array(repeating: ChainFailoverTests.echoed, count: 3) + ["descriptors +0"]
                #expect(output.lines == lines, "\(output.errors)")
                #expect(hops.connections == [1, 3, 0], "\(output.errors)")
            }
        }

        @Test func `When all fail the program learns of the last error, once`() async throws {
            let bad = Hops.Hop { $0.fault = .init(.close, after: 0) }
            try await Hops.during([bad, bad, bad]) { hops in
                let output = try await connect(hops, ["random_chain", "chain_len = 1"], by: "epoll_wait")
                #expect(output.lines == ["ECONNREFUSED, then 0, peer ENOTCONN", "descriptors +0"], "\(output.errors)")
                #expect(hops.connections == [1, 1, 1])
                let again = try await connect(hops, ["dynamic_chain"])
                #expect(again.lines.first == "ECONNREFUSED", "\(again.errors)")
            }
        }

        @Test func `What the target refuses is not tried elsewhere`() async throws {
            let refusing = Hops.Hop { $0.replyCode = 5 }
            try await Hops.during([refusing, refusing]) { hops in
                let output = try await connect(hops, ["random_chain", "chain_len = 1"], times: 2, by: "poll")
                #expect(output.lines == ChainFailoverTests.refusedTwice, "\(output.lines)")
                #expect(hops.connections.reduce(0, +) == 2)
            }
        }

        @Test func `A proxy that closes in place of a reply refuses the target, and is a good one`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 2) }, Hops.Hop()]) { hops in
                let output = try await connect(hops, ["failover_chain"], times: 2, by: "poll")
                #expect(output.lines == ChainFailoverTests.refusedTwice, "\(output.lines)")
                #expect(hops.connections == [2, 0], "\(output.errors)")
            }
        }

        @Test func `What a proxy says at once of something slow is a refusal, and it is a good one`() async throws {
            for type in [ProxyProtocol.http, .socks4] {
                let quick = Hops.Hop(type) { if type == .http { $0.http.status = 504 } else { $0.replyCode = 92 } }
                try await Hops.during([quick, Hops.Hop()]) { hops in
                    let arguments = try await ["0", "blocking", FarSide.ipv4, FarSide.echoPort, "2"]
                    let output = try await hops.run("connecting-paced", arguments, ["failover_chain"])
                    let refused = ["ECONNREFUSED", "peer ENOTCONN"]
                    #expect(output.lines == refused + refused + ["descriptors +0"], "\(output.errors)")
                    #expect(hops.connections == [2, 0], "\(output.errors)")
                }
            }
        }

        @Test func `A hop that another one cannot reach is the dead one`() async throws {
            let far = Hops.Hop(at: .far)
            try await Hops.during([Hops.Hop(), far, far]) { hops in
                await hops.proxies[1].stop()
                let output = try await connect(hops, ["dynamic_chain"], times: 2, by: "epoll_wait")
                let lines = Array(repeating: ChainFailoverTests.echoed, count: 2) + ["descriptors +0"]
                #expect(output.lines == lines, "\(output.errors)")
                #expect(hops.connections == [3, 0, 2])
            }
        }

        @Test func `A list within a strict one chooses anew, behind the fixed first hop`() async throws {
            let bad = Hops.Hop(at: .far) { $0.fault = .init(.close, after: 0) }
            try await Hops.during([Hops.Hop(), bad, Hops.Hop(at: .far)]) { hops in
                let lists =
                    ["[ProxyList]", hops.lines[0], "list exits", "[Proxies exits]", "round_robin_chain"]
                    + hops.lines.dropFirst()
                let output = try await connect(hops, ["strict_chain"], times: 2, by: "poll", lists: lists)
                let lines = Array(repeating: ChainFailoverTests.echoed, count: 2) + ["descriptors +0"]
                #expect(output.lines == lines, "\(output.errors)")
                #expect(hops.connections == [3, 1, 2])
            }
        }

        @Test func `Without a time for it no proxy is remembered as dead`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 0) }, Hops.Hop()]) { hops in
                let output = try await connect(hops, ["dynamic_chain", "dead_time 0"], times: 3, by: "poll")
                let lines = Array(repeating: ChainFailoverTests.echoed, count: 3) + ["descriptors +0"]
                #expect(output.lines == lines, "\(output.errors)")
                #expect(hops.connections == [3, 3])
            }
        }

        @Test func `The next address of a proxy's name is tried before the proxy counts as dead`() async throws {
            try await Hops.during([Hops.Hop()]) { hops in
                let output = try await ConfigurationText(
                    "log info\n[ProxyList]\nsocks5 both.test \(hops.proxies[0].port)"
                ).write { path in
                    try await CallProbe.run(
                        "connecting", ["blocking", FarSide.ipv4, FarSide.echoPort, "1"],
                        environment: ["SOCKSIFY_CONF": path],
                        preparation: CallProbe.withoutNameServers
                            + "; (cat /etc/hosts; echo 127.0.0.9 both.test; echo \(Machine.proxyIPv4) both.test)"
                            + " >/mnt/hosts; mount --bind /mnt/hosts /etc/hosts; echo 'multi on' >/mnt/host.conf;"
                            + " touch /etc/host.conf; mount --bind /mnt/host.conf /etc/host.conf",
                        ending: .logging)
                }
                #expect(output.lines == ChainFailoverTests.connectedOnce, "\(output.errors)")
                #expect(hops.connections == [1])
            }
        }

        // MARK: Process trees

        private func runTree(
            _ hops: Hops, _ mode: [String], processes: Int, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> Run {
            let text = mode + ["loopback proxy", "log info", "[ProxyList]"] + hops.lines
            let script = "for ((i = 0; i < $3; i++)); do \"$1\" blocking \(FarSide.ipv4) \"$2\" 1; done"
            let run = try await Client.run(
                ["bash", "-c", script, "bash", CallProbe.path(of: "connecting"), FarSide.echoPort, "\(processes)"],
                configuration: text.joined(separator: "\n") + "\n",
                environment: ["XDG_RUNTIME_DIR": Machine.temporaryDirectory("table").path], ending: .logging,
                sourceLocation: sourceLocation)
            let lines = ChainFailoverTests.connectedOnce.map { $0 + "\n" }.joined()
            #expect(run.output == String(repeating: lines, count: processes), "\(run)", sourceLocation: sourceLocation)
            return run
        }

        @Test func `A process leaves out what another one has found dead`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 0) }, Hops.Hop()]) { hops in
                let run = try await runTree(hops, ["dynamic_chain"], processes: 3)
                #expect(hops.connections == [1, 3], "\(run)")
            }
        }

        @Test func `Processes take their turns with the proxies`() async throws {
            try await Hops.during([Hops.Hop(), Hops.Hop(), Hops.Hop()]) { hops in
                let run = try await runTree(hops, ["round_robin_chain", "chain_len = 1"], processes: 6)
                #expect(hops.connections == [2, 2, 2], "\(run)")
            }
        }

        // MARK: During a handshake

        private func probe(_ name: String, _ address: String) async throws -> CallProbe.Output {
            let list = [
                "random_chain", "chain_len = 1", "[ProxyList]", "list both", "[Proxies both]", "round_robin_chain",
            ]
            let proxies = ["socks5 \(address) 1080", "socks5 \(address) 1081"]
            return try await ConfigurationText((list + proxies).joined(separator: "\n")).write { path in
                try await CallProbe.run("chain-failover", [name, address], environment: ["SOCKSIFY_CONF": path])
            }
        }

        private static let served = ["peer 203.0.113.10 80", "byte received"]

        @Test(arguments: ["level", "edge", "oneshot"])
        func `An epoll tells of one connection`(flags: String) async throws {
            let lines = try await probe(flags, "127.0.41.\(flags.count)").lines
            #expect(lines == ["connect EINPROGRESS", "1 event, data 7, OUT", "error 0"] + ChainFailoverTests.served)
        }

        @Test func `A signal ends the call, and the connection goes on`() async throws {
            let lines = try await probe("interrupted", "127.0.41.1").lines
            #expect(lines == ["connect EINTR", "again 0"] + ChainFailoverTests.served)
        }

        @Test func `A child of fork goes on for both`() async throws {
            let lines = try await probe("forked", "127.0.41.2").lines
            #expect(lines == ["connect EINPROGRESS", "child OUT", "parent OUT"] + ChainFailoverTests.served)
        }

        @Test func `A child that is killed leaves the connection to its parent`() async throws {
            let lines = try await probe("killed", "127.0.41.3").lines
            #expect(lines == ["connect EINPROGRESS", "parent OUT"] + ChainFailoverTests.served)
        }

        // MARK: Isolation

        @Test(arguments: ["process", "tree", "none"])
        func `Connections are kept apart by user names of their own`(isolation: String) async throws {
            try await Hops.during([Hops.Hop { $0.chosenMethod = isolation == "none" ? 0 : 2 }]) { hops in
                let run = try await runTree(hops, ["isolate \(isolation)"], processes: 3)
                let users = hops.proxies[0].sessions.compactMap(\.credentials?.user)
                #expect(users.count == (isolation == "none" ? 0 : 3), "\(run)")
                #expect(Set(users).count == (isolation == "process" ? 3 : isolation == "tree" ? 1 : 0))
                #expect(users.allSatisfy { $0.count == 32 })
            }
        }

        // MARK: Internal connections

        @Test func `An association is opened with another proxy`() async throws {
            try await Hops.during([Hops.Hop { $0.fault = .init(.close, after: 0) }, Hops.Hop()]) { hops in
                let (host, port) = try await (EchoTargets.far(.ipv4)[0], EchoTargets.far(.ipv4)[1])
                let output = try await hops.run(
                    "datagram-calls", ["sendto", host, port], ["round_robin_chain", "chain_len = 1"],
                    ending: Ending(errors: .log, associations: 1))
                #expect(hops.connections[0] == 1, "\(output.text)\(output.errors)")
                #expect(hops.connections[1] >= 1)
            }
        }
    }
}
