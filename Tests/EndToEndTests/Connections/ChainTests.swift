import TestProxy
import Testing

extension EndToEnd {
    /// Chains of proxies of all types.
    @Suite struct ChainTests {
        static let modes = ["blocking", "nonblocking"]
        static let connected = ["0", "peer as connected to", "echoed", "again EISCONN"]

        private func connect(
            _ hops: Hops, _ mode: String, _ globals: [String] = [], host: String = FarSide.ipv4, times: Int = 1,
            clockStep: Int? = nil
        ) async throws -> CallProbe.Output {
            let port = try await host.contains(":") ? FarSide.echoPort6 : FarSide.echoPort
            let arguments = [mode, host, port, "\(times)"]
            if let clockStep { return try await hops.run("connecting-paced", ["\(clockStep)"] + arguments, globals) }
            return try await hops.run("connecting", arguments, globals)
        }

        // MARK: Mixed types

        static let orders: [[ProxyProtocol]] = [
            [.socks5, .http, .socks4], [.socks4, .socks5, .http], [.http, .socks4, .socks5], [.http, .http, .http],
            [.socks4, .socks4], [.http], [.socks4],
        ]

        @Test(arguments: orders, modes)
        func `A chain of proxies of any types is gone through`(types: [ProxyProtocol], mode: String) async throws {
            try await Hops.during(types.indices.map { Hops.Hop(types[$0], at: $0 > 0 ? .far : .near) }) { hops in
                let output = try await connect(hops, mode)
                #expect(output.lines == ChainTests.connected + ["descriptors +0"], "\(output.errors)")
                let target = try await "\(FarSide.ipv4):\(FarSide.echoPort)"
                let asked = (1..<hops.proxies.count).map { "CONNECT \(hops[$0])" } + ["CONNECT \(target)"]
                #expect(hops.proxies.map(\.requests) == asked.map { [$0] })
                let all = hops.proxies.indices.map { hops[$0] }.joined(separator: ", ")
                #expect(output.log(of: target) == [" via \(all)"], "\(output.errors)")
            }
        }

        @Test(arguments: [ProxyProtocol.http, .socks4], ["poll", "select", "epoll_wait"])
        func `A name goes to a proxy of any type, by every call`(type: ProxyProtocol, call: String) async throws {
            try await Hops.during([Hops.Hop(type)]) { hops in
                let output = try await hops.run("pending-plain", ["web.test", FarSide.echoPort, "1", call])
                #expect(output.lines == ["connected, peer as connected to, echoed", "descriptors +0"])
                #expect(hops.proxies[0].sessions.map(\.request?.address) == [.name(Array("web.test".utf8))])
            }
        }

        @Test(arguments: [ProxyProtocol.socks5, .socks4, .http], modes)
        func `Bytes that come one by one are an answer`(type: ProxyProtocol, mode: String) async throws {
            let hop = Hops.Hop(type) {
                $0.byteInterval = .milliseconds(1)
                $0.http.interimStatuses = [100]
                $0.http.lines = ["Via: 1.1 proxy", "X: " + String(repeating: "x", count: 700)]
            }
            try await Hops.during([hop, Hops.Hop(at: .far)]) { hops in
                let output = try await connect(hops, mode)
                #expect(output.lines == ChainTests.connected + ["descriptors +0"], "\(output.errors)")
            }
        }

        @Test(arguments: [ProxyProtocol.socks5, .socks4, .http])
        func `Credentials go to the proxy that they are for`(type: ProxyProtocol) async throws {
            let secret = Credentials(user: "alice", password: type == .socks4 ? "" : "s3cret")
            let hop = Hops.Hop(type, at: .far, credentials: type == .socks4 ? "alice" : "alice s3cret") {
                $0.credentials = secret
            }
            try await Hops.during([Hops.Hop(), hop]) { hops in
                let output = try await connect(hops, "blocking")
                #expect(output.lines == ChainTests.connected + ["descriptors +0"], "\(output.errors)")
                #expect(hops.proxies[1].sessions.map(\.credentials) == [secret])
            }
        }

        @Test(arguments: modes, [["\r\n"], ["\n", "Early: yes"]])
        func `What the target says at once behind a head is the program's`(
            mode: String, head: [String]
        ) async throws {
            let hop = Hops.Hop(.http) {
                $0.http.lineEnd = head[0]
                $0.http.lines = Array(head.dropFirst())
                $0.earlyData = Array("220 early\r\n".utf8)
            }
            try await Hops.during([hop]) { hops in
                let output = try await connect(hops, mode)
                // The probe expects its own bytes back, and the early data come before them.
                #expect(output.lines.prefix(3) == ["0", "peer as connected to", "another answer"], "\(output.lines)")
            }
        }

        @Test(arguments: modes) func `A raw proxy is told nothing`(mode: String) async throws {
            let port = try await FarSide.echo.value.port
            let target = Endpoint(Address(FarSide.ipv4), port: UInt16(port))
            try await Hops.during([Hops.Hop(.raw(to: target))]) { hops in
                let output = try await connect(hops, mode)
                #expect(output.lines == ChainTests.connected + ["descriptors +0"], "\(output.errors)")
            }
        }

        @Test(arguments: modes) func `The next handshake goes over a raw proxy`(mode: String) async throws {
            try await Hops.during([Hops.Hop(.http, at: .far)]) { last in
                let place = Endpoint(Address("203.0.113.11"), port: UInt16(last.proxies[0].port))
                try await Hops.during([Hops.Hop(.raw(to: place))]) { first in
                    let port = try await FarSide.echoPort
                    let output = try await first.run(
                        "connecting", [mode, FarSide.ipv4, port, "1"], lists: ["[ProxyList]"] + first.lines + last.lines
                    )
                    #expect(output.lines == ChainTests.connected + ["descriptors +0"], "\(output.errors)")
                    #expect(last.connections == [1])
                }
            }
        }

        // MARK: Failures

        /// A way for a hop to fail, with the error that the program sees and the words in the log.
        struct Failure: Sendable, CustomTestStringConvertible {
            var name: String
            var type: ProxyProtocol
            var errno: String
            var words: String
            /// Whether the proxy reports that it cannot reach the next hop.
            var isRefusal = false
            /// The milliseconds that the clock advances with each reading; nil: the machine's clock.
            var clockStep: Int?
            var change: @Sendable (inout Script) -> Void
            var testDescription: String { "\(type) \(name)" }
        }

        static let failures: [Failure] =
            [ProxyProtocol.socks5, .socks4, .http].flatMap { type in
                [
                    Failure(
                        name: "close", type: type, errno: "ECONNREFUSED",
                        words: "closed the connection during the handshake"
                    ) { $0.fault = .init(.close, after: 0) },
                    Failure(name: "hang", type: type, errno: "ETIMEDOUT", words: "did not answer in time") {
                        $0.fault = .init(.hang, after: 0)
                    },
                    Failure(name: "garbage", type: type, errno: "ECONNREFUSED", words: "does not speak") {
                        $0.fault = .init(.garbage(Array(repeating: 0x21, count: 64)), after: 0)
                    },
                ]
            } + [
                Failure(
                    name: "refusal", type: .socks5, errno: "EHOSTUNREACH", words: "refused: host unreachable",
                    isRefusal: true
                ) { $0.replyCode = 4 },
                Failure(
                    name: "refusal", type: .socks4, errno: "ECONNREFUSED",
                    words: "refused: request rejected or failed", isRefusal: true
                ) { $0.replyCode = 91 },
                Failure(
                    name: "identity", type: .socks4, errno: "EACCES", words: "refused: the proxy cannot",
                    clockStep: 1000
                ) { $0.replyCode = 92 },
                // Some proxies send this code for every refusal. The proxy would need time to find its real cause, so
                // an immediate reply shows such a proxy.
                Failure(
                    name: "identity at once", type: .socks4, errno: "ECONNREFUSED", words: "refused: the proxy cannot",
                    isRefusal: true, clockStep: 0
                ) { $0.replyCode = 92 },
                Failure(
                    name: "refusal", type: .http, errno: "ECONNREFUSED", words: "refused: status 502",
                    isRefusal: true
                ) { $0.http.status = 502 },
                Failure(
                    name: "timeout", type: .http, errno: "ETIMEDOUT", words: "refused: status 504", isRefusal: true,
                    clockStep: 1000
                ) { $0.http.status = 504 },
                Failure(
                    name: "timeout at once", type: .http, errno: "ECONNREFUSED", words: "refused: status 504",
                    isRefusal: true, clockStep: 0
                ) { $0.http.status = 504 },
                Failure(
                    name: "close in place of a reply", type: .socks5, errno: "ECONNREFUSED",
                    words: "closed the connection in place of a reply", isRefusal: true
                ) { $0.fault = .init(.close, after: 2) },
                Failure(
                    name: "credentials", type: .http, errno: "EACCES",
                    words: "requires an authentication method that is not configured"
                ) { $0.credentials = Credentials(user: "u", password: "p") },
                Failure(
                    name: "credentials", type: .socks5, errno: "EACCES",
                    words: "requires an authentication method that is not configured"
                ) { $0.credentials = Credentials(user: "u", password: "p") },
            ]

        @Test(arguments: failures, 0..<3)
        func `The failure of any hop is told, and names it`(failure: Failure, hop: Int) async throws {
            for mode in ChainTests.modes {
                let list = (0..<3).map { index in
                    index == hop
                        ? Hops.Hop(failure.type, at: index > 0 ? .far : .near, failure.change)
                        : Hops.Hop(at: index > 0 ? .far : .near)
                }
                let (hops, output) = try await Hops.during(
                    list, silent: failure.name == "hang" ? hop : nil
                ) { hops, limit in try await connect(hops, mode, [limit], clockStep: failure.clockStep) }
                #expect(output.lines == [failure.errno, "peer ENOTCONN", "descriptors +0"], "\(output.errors)")
                let log = try await output.log(of: "\(FarSide.ipv4):\(FarSide.echoPort)")
                let asked = failure.isRefusal && hop < 2 ? ", asked for \(hops[hop + 1])," : ""
                let start = ": proxy \(hops[hop]) (hop \(hop + 1) of 3)\(asked) \(failure.words)"
                #expect(log.count == 1 && log[0].hasPrefix(start), "\(output.errors), expected \(start)")
                // A hop that sends a wrong answer may have connected to the next one before.
                #expect(hops.connections.prefix(hop + 1).allSatisfy { $0 == 1 })
                #expect(hops.connections.dropFirst(hop + 2).allSatisfy { $0 == 0 })
            }
        }

        @Test(arguments: modes)
        func `A hop that nobody listens for is refused by the one before`(mode: String) async throws {
            try await Hops.during([Hops.Hop(.http)]) { hops in
                let port = try await FarSide.echoPort
                let output = try await hops.run(
                    "connecting", [mode, FarSide.ipv4, port, "1"],
                    lists: ["[ProxyList]"] + hops.lines + ["socks5 203.0.113.11 9"])
                #expect(output.lines == ["ECONNREFUSED", "peer ENOTCONN", "descriptors +0"])
                #expect(
                    output.log(of: "\(FarSide.ipv4):\(port)").first?.hasPrefix(
                        ": proxy \(hops[0]) (hop 1 of 2), asked for 203.0.113.11:9, refused: status") == true,
                    "\(output.errors)")
            }
        }

        @Test(arguments: modes) func `SOCKS4 has no IPv6`(mode: String) async throws {
            try await Hops.during([Hops.Hop(.socks4)]) { hops in
                let output = try await connect(hops, mode, host: FarSide.ipv6)
                #expect(output.lines == ["ENETUNREACH", "peer ENOTCONN", "descriptors +0"])
                #expect(output.errors.contains("cannot be asked for an IPv6 address"))
            }
        }

        @Test func `Datagrams do not go through a proxy of another type, nor through two`() async throws {
            for types in [[ProxyProtocol.http], [.socks5, .socks5]] {
                try await Hops.during(types.map { Hops.Hop($0) }) { hops in
                    let (host, port) = try await (EchoTargets.far(.ipv4)[0], EchoTargets.far(.ipv4)[1])
                    let output = try await hops.run("datagram-failure", ["refused", host, port], ending: .clean)
                    let refused = DatagramFailureTests.refused
                    #expect(output.lines == refused, "\(output.text)\(output.errors)")
                    #expect(hops.connections == types.map { _ in 0 })
                }
            }
        }
    }
}
