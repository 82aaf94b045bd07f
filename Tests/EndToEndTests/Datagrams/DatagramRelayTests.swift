import TestProxy
import Testing

extension EndToEnd {
    /// What honest relays, odd relays and other senders do.
    @Suite struct DatagramRelayTests {
        /// The lines of a probe that receives only answers.
        static let answers =
            Array(
                repeating: [
                    "recvmsg: 11 \"unconnected\" from server", "recvmsg: 9 \"connected\" from server",
                ], count: 3
            ).flatMap { $0 } + [
                "FIONREAD 7", "MSG_PEEK: 7 \"counted\" from server", "recvmsg: 7 \"counted\" from server",
                "recvmmsg: 1 by recvmmsg",
            ]

        @Test(arguments: ["relay", "stranger"])
        func `What is no datagram of the relay's is not shown`(source: String) async throws {
            let script = Script.with {
                if source == "relay" {
                    // Without the last one, in which only RSV is set: later versions may give it a meaning.
                    $0.datagrams.garbage = { _ in Script.Datagrams.malformed.dropLast() }
                } else {
                    let seeming: [UInt8] = [0, 0, 0, 1, 203, 0, 113, 10, 0, 7] + Array("stranger".utf8)
                    $0.datagrams.strangers = { _ in [seeming, Array("plain".utf8)] }
                }
            }
            let (output, _) = try await DatagramProbe.run(
                "datagram-relay", "answers", script: script, ending: .associated(2))
            #expect(output.lines == DatagramRelayTests.answers)
        }

        @Test(arguments: [
            "0.0.0.0", "::", "10.99.0.1", "proxy.test", "unknown.test",
            // Addresses that cannot be the proxy's.
            "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255",
        ])
        func `The relay is where the reply says, or where the proxy is`(address: String) async throws {
            let (output, _) = try await DatagramProbe.run(
                "datagram-relay", "answers", script: Script.with { $0.boundAddress = Address(address) },
                ending: .associated(2))
            #expect(output.lines == DatagramRelayTests.answers)
        }

        @Test func `A public proxy whose relay says a private address is its own relay`() async throws {
            let proxy = "203.0.113.12"
            let (output, _) = try await Client.withRoute(to: proxy) {
                try await DatagramProbe.run(
                    "datagram-relay", "answers", proxy: proxy,
                    script: Script.with { $0.boundAddress = Address("192.168.7.7") }, ending: .associated(2))
            }
            #expect(output.lines == DatagramRelayTests.answers, "\(output.errors)")
        }

        @Test func `Sources are shown as addresses or names, as the program knows them`() async throws {
            for reportsNames in [false, true] {
                let port = try await EchoTargets.farSecond[1]
                let (output, sessions) = try await DatagramProbe.run(
                    "datagram-names", "talk", .ipv4, ["web.test", port, "other.test", port],
                    script: Script.with { $0.datagrams.reportsNames = reportsNames })
                let round = ["web.test from web.test", "on", "other.test from other.test", "on"]
                #expect(output.lines == round + round)
                let destinations = sessions.first?.association?.destinations.map(\.address)
                #expect(destinations == [Address("web.test"), Address("other.test")])
            }
        }

        @Test(arguments: [EchoTargets.Family.ipv4, .ipv6])
        func `A name is a peer, whatever address answers`(family: EchoTargets.Family) async throws {
            let port = try await EchoTargets.far(family)[1]
            let name = family == .ipv4 ? "web.test" : "six.test"
            for reportsNames in [false, true] {
                let (output, sessions) = try await DatagramProbe.run(
                    "datagram-names", "connect", family, [name, port],
                    script: Script.with { $0.datagrams.reportsNames = reportsNames })
                #expect(output.lines == ["peer as connected to", "hello from \(name)", "5"])
                #expect(sessions.first?.association?.destinations.map(\.address) == [Address(name)])
            }
        }

        /// A TFTP server answers so.
        @Test func `A server that goes on from another port keeps its name`() async throws {
            let port = try await EchoTargets.farSecond[1]
            let server = try await DatagramServer.start(host: "203.0.113.11")
            let source = Endpoint(Address("203.0.113.11"), port: UInt16(server.port))
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-names", "talk", .ipv4, ["other.test", port],
                script: Script.with { $0.datagrams.source = source })
            await server.stop()
            let round = ["other.test from other.test at another port", "on"]
            #expect(output.lines == round + round)
            let name = Address("other.test")
            #expect(
                sessions.first?.association?.destinations
                    == [Endpoint(name, port: try #require(UInt16(port))), Endpoint(name, port: source.port)])
        }

        /// The library tells them apart by address and port together.
        @Test func `A name and the number of its host are seen each where it was sent to`() async throws {
            let port = try await EchoTargets.far(.ipv4)[1]
            let server = try await DatagramServer.start(host: FarSide.ipv4)
            let (output, _) = try await DatagramProbe.run(
                "datagram-names", "talk", .ipv4,
                ["web.test", port, FarSide.ipv4, "\(server.port)"])
            await server.stop()
            let round = ["web.test from web.test", "on", "203.0.113.10 from 203.0.113.10", "on"]
            #expect(output.lines == round + round, "\(output.errors)")
        }

        /// Some servers (Dante) refuse the zero address of the other IP version.
        @Test(arguments: [(Machine.proxyIPv4, "0.0.0.0"), (Machine.proxyIPv6, "::")])
        func `The request has the zeros of the version by which the proxy is reached`(
            proxy: String, zeros: String
        ) async throws {
            let (_, sessions) = try await DatagramProbe.run(
                "datagram-relay", "answers", .ipv6, proxy: proxy, ending: .associated(2))
            #expect(!sessions.isEmpty && sessions.allSatisfy { $0.request?.address == Address(zeros) })
        }

        // MARK: Networks that lose datagrams

        enum Direction: String, CaseIterable {
            case fromClient, toClient
        }

        /// The fates of datagrams 0 to 7; an 8 follows and ends them.
        private static let fates: [Script.Datagrams.Fate] = [
            .pass, .drop, .duplicate, .holdBack, .pass, .holdBack, .duplicate, .pass,
        ]
        private static let arriving = [0, 2, 2, 4, 3, 6, 6, 5, 7, 8]

        @Test(arguments: ["recvfrom", "recvmmsg", "poll", "level", "edge"], Direction.allCases)
        func `What is lost, doubled and delayed on the way is so for the program`(
            way: String, direction: Direction
        ) async throws {
            let script = Script.with {
                let fate: @Sendable (Int) -> Script.Datagrams.Fate = { number in
                    DatagramRelayTests.fates.indices.contains(number) ? DatagramRelayTests.fates[number] : .pass
                }
                switch direction {
                case .fromClient: $0.datagrams.fromClient = fate
                case .toClient: $0.datagrams.toClient = fate
                }
            }
            for kind in [[], ["connected"]] {
                let (output, sessions) = try await DatagramProbe.run(
                    "datagram-lossy", way, .ipv4, kind, script: script)
                let isEpoll = way == "level" || way == "edge"
                #expect(
                    output.lines
                        == DatagramRelayTests.arriving.map { "\($0) right from server" }
                        + (isEpoll ? ["epoll_wait: 0"] : []), "\(kind)")
                #expect(sessions.count == 1)
                #expect(sessions.first?.association?.fromClient == DatagramRelayTests.fates.count + 1)
            }
        }

        @Test func `An answer that is lost never comes, and the next one does`() async throws {
            let script = Script.with { $0.datagrams.toClient = { $0 == 0 ? .drop : .pass } }
            for kind in [[], ["connected"]] {
                let (output, _) = try await DatagramProbe.run("datagram-lossy", "again", .ipv4, kind, script: script)
                #expect(
                    output.lines == [
                        "poll: 0", "epoll_wait: 0", "SO_RCVTIMEO: EAGAIN", "recvmmsg: EAGAIN",
                        "answer: 18 \"the question again\" from server",
                    ])
            }
        }

        // MARK: Fragments

        static let three = "recvmsg: 3000 \"\(String(repeating: "g", count: 40))\" from server"

        @Test func `Fragments are joined, also those that are only looked at`() async throws {
            let (output, _) = try await DatagramProbe.run(
                "datagram-relay", "fragments", script: Script.with { $0.datagrams.fragmentation = { _ in .init(4) } })
            let two = "2000 \"\(String(repeating: "g", count: 40))\" from server"
            #expect(
                output.lines
                    == Array(repeating: DatagramRelayTests.three, count: 3) + [
                        "MSG_PEEK: \(two)", "MSG_PEEK: \(two)", "recvmsg: \(two)", "then: 7 \"the end\" from server",
                    ])
        }

        @Test(arguments: [[0, 2, 1], [1, 2], [0, 2], [2], [0, 1], [2, 1, 0]])
        func `A datagram whose fragments are not all there, in order, is dropped`(order: [Int]) async throws {
            let script = Script.with {
                $0.datagrams.fragmentation = { $0 == 0 ? .init(3, order: order) : .init(2) }
            }
            let (output, _) = try await DatagramProbe.run("datagram-relay", "broken", script: script)
            #expect(output.lines == ["recvmsg: 2000 \"\(String(repeating: "g", count: 40))\" from server"])
        }

        @Test func `Longer datagrams go out in fragments where the configuration says so`() async throws {
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-relay", "sending", configuration: ["udp associate fragment 1000"])
            #expect(output.lines == [1, 1000, 1001, 2000, 3001, 30000].map { "\($0) \($0) right" })
            #expect(sessions.first?.association?.fragments == 2 + 2 + 4 + 30)
            #expect(sessions.first?.association?.reassembled == 4)
        }

        @Test func `Strangers are heard only where the program reaches them directly`() async throws {
            let end = "recvmsg: 4 \"last\" from server"
            for (configuration, strange) in [
                ([], ["MSG_DONTWAIT: EAGAIN", "MSG_DONTWAIT: EAGAIN"]),
                (["localnet 10.99.0.0/255.255.255.0"], ["stranger", "seems"]),
            ] {
                let (output, _) = try await DatagramProbe.run(
                    "datagram-relay", "strangers", .ipv4, ["10.99.0.2"], configuration: configuration,
                    ending: .associated(2))
                #expect(output.lines.first == "recvmsg: 5 \"first\" from server")
                #expect(output.lines.last == end)
                if configuration.isEmpty {
                    #expect(Array(output.lines.dropFirst().dropLast()) == strange)
                } else {
                    #expect(output.lines.count == 4)
                    #expect(output.lines.dropFirst().first?.hasPrefix("MSG_DONTWAIT: 8 \"stranger\"") == true)
                }
            }
        }
    }
}
