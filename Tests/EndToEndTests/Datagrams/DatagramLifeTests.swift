import TestProxy
import Testing

extension EndToEnd {
    /// Processes, descriptors, threads and signals around sockets whose datagrams are relayed.
    @Suite struct DatagramLifeTests {
        @Test(arguments: ["forking", "heirs", "duplicates", "passing", "beside-pending"])
        func `Every descriptor that stands for a socket sends and receives, in every process`(
            name: String
        ) async throws {
            try await DatagramProbe.compare("datagram-life", name, ending: .associated(2))
        }

        /// A case has two sockets, or one. A program that replaces another has lost its control connection; a child
        /// continues with its parent's.
        @Test(arguments: [
            ("itself", 4), ("child", 2), ("spawned", 2), ("stdin", 1), ("duplicate", 2), ("left-to-child", 1),
            ("orphan", 2), ("many-times", 52),
        ])
        func `A socket goes on in the program that is executed`(name: String, associations: Int) async throws {
            let sessions = try await DatagramProbe.compare("datagram-exec", name, ending: .associated(2))
            #expect(sessions.compactMap(\.association).count == associations)
        }

        @Test(arguments: [EchoTargets.Family.ipv6, .mapped])
        func `A socket of either family goes on in the program that is executed`(
            family: EchoTargets.Family
        ) async throws {
            try await DatagramProbe.compare("datagram-exec", "itself", family, ending: .associated(2))
            try await DatagramProbe.compare("datagram-exec", "child", family, ending: .associated(2))
        }

        @Test func `The connection to the proxy has a descriptor that is no program's`() async throws {
            let (output, sessions) = try await DatagramProbe.run("datagram-life", "own")
            #expect(
                output.lines == [
                    "answer: 5 \"first\" from server", "descriptors +1", "high: 1, FD_CLOEXEC: 1", "close: EBADF",
                    "answer: 11 \"still there\" from server", "answer: 17 \"after close_range\" from server",
                    "answer: 15 \"after closefrom\" from server", "descriptors -2",
                ])
            #expect(sessions.count == 1)
        }

        @Test(arguments: ["close_range", "closefrom", "close", "beside", "dup2"])
        func `What a program closes or replaces besides its socket is not the association's`(
            name: String
        ) async throws {
            let sessions = try await DatagramProbe.compare("datagram-sparing", name)
            #expect(sessions.compactMap(\.association).count == 1)
        }

        /// The library sees some closes and misses others. A new socket with the same descriptor is relayed as the
        /// first was.
        @Test func `No descriptor is left of sockets that were closed`() async throws {
            try await DatagramProbe.compare("datagram-life", "closing")
        }

        @Test(arguments: ["threads", "signals", "receiving-first"])
        func `Threads and signal handlers send and receive by one socket at once`(name: String) async throws {
            try await DatagramProbe.compare("datagram-life", name)
        }

        /// Without the library the datagram has left when the call returns. With it, the datagram would be lost if the
        /// association came late, or if the server ended the control connection before it had read the datagram.
        @Test(arguments: ["close", "exit"], ["blocking", "nonblocking"])
        func `A datagram that is sent last is not lost`(end: String, mode: String) async throws {
            let target = try await EchoTargets.far(.ipv4)
            try await withProxy(.with { $0.delay = .milliseconds(10) }) { proxy, url in
                for count in 1...5 {
                    let output = try await CallProbe.run(
                        "datagram-last", [end, mode] + target, environment: ["SOCKSIFY_PROXY": url],
                        // The library keeps a socket that was closed early, until it has sent the datagrams.
                        ending: .associated(end == "close" && mode == "nonblocking" ? 2 : 1))
                    #expect(output.lines == ["sent 3"])
                    let sessions = try await proxy.sessions(ended: count)
                    #expect(sessions.last?.association?.fromClient == 3)
                }
            }
        }

        /// A million datagrams, and as many answers, through fast servers.
        @Test func `A thousand sockets lose none of a thousand datagrams each`() async throws {
            let server = try await Daemon(
                ["python3", Program.source("Datagrams/echo.py"), FarSide.ipv4, "7008"], host: FarSide.ipv4, port: 7008,
                .udp)
            let output = try await CallProbe.run(
                "datagram-soak", ["1000", "1000", FarSide.ipv4, "7008"],
                environment: ["SOCKSIFY_PROXY": await Proxies.shared.url(.danted)], limit: 280)
            #expect(output.lines == ["1000000 right, 0 wrong", "descriptors +0"], "\(output.errors)")
            withExtendedLifetime(server) {}
        }

        /// The limits are the number of descriptors that a process may have, and the number of ports.
        @Test func `Thousands of sockets have an association each at once`() async throws {
            let (proxy, sockets) = ("10.99.0.1", 6000)
            let server = try await Daemon(
                ["python3", Program.source("Datagrams/relay.py"), proxy, "7009"], host: proxy, port: 7009)
            let output = try await CallProbe.run(
                "datagram-soak", ["\(sockets)", "1", FarSide.ipv4, "7"],
                environment: ["SOCKSIFY_PROXY": "socks5://\(proxy):7009"])
            #expect(output.lines == ["\(sockets) right, 0 wrong", "descriptors +0"], "\(output.errors)")
            withExtendedLifetime(server) {}
        }

        /// A thousand sockets. The number of questions in transit fits the smallest buffer on the way.
        @Test func `Nothing that the relay delivers is lost, and nothing is left over`() async throws {
            let (sockets, each) = (1000, 20)
            let target = try await EchoTargets.far(.ipv4)
            try await withProxy { proxy, url in
                let output = try await CallProbe.run(
                    "datagram-soak", ["\(sockets)", "\(each)"] + target, environment: ["SOCKSIFY_PROXY": url])
                try #require(
                    output.lines == ["\(sockets * each) right, 0 wrong", "descriptors +0"], "\(output.errors)")
                let associations = try await proxy.sessions(ended: sockets).compactMap(\.association)
                #expect(associations.count == sockets)
                #expect(associations.allSatisfy { $0.fromClient == each && $0.toClient == each })
            }
        }
    }
}
