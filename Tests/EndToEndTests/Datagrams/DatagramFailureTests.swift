import TestProxy
import Testing

extension EndToEnd {
    /// Datagrams that no proxy can relay go nowhere.
    @Suite struct DatagramFailureTests {
        static let refused = [
            "sendmmsg: ENETUNREACH", "again: ENETUNREACH", "sendto: ENETUNREACH", "sendmsg: ENETUNREACH",
            "O_NONBLOCK: ENETUNREACH", "connect: ENETUNREACH", "sendto: ENETUNREACH", "SO_ERROR 0, descriptors +5",
        ]

        private func check(
            url: String? = nil, configuration text: String? = nil, isRemembered: Bool = true,
            errors: Ending.Errors, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let target = try await EchoTargets.far(.ipv4)
            let probe = try await CallProbe.path(of: "datagram-failure")
            let run = try await Client.run(
                [probe, "refused"] + target, proxy: url, configuration: text, ending: Ending(errors: errors),
                sourceLocation: sourceLocation)
            let refused = DatagramFailureTests.refused.map { line in
                line.hasPrefix("connect") && !isRemembered ? "connect: 0" : line
            }
            #expect(
                run.output.split(separator: "\n").map(String.init) == refused, "\(run)", sourceLocation: sourceLocation)
        }

        @Test(arguments: [
            (7, "command not supported"), (1, "general SOCKS server failure"), (2, "connection not allowed by ruleset"),
        ])
        func `A proxy that refuses datagrams has the network unreachable, and is told of once`(
            code: UInt8, words: String
        ) async throws {
            try await withProxy(.with { $0.commandReplyCodes[.udpAssociate] = code }) { proxy, url in
                let line = "udp: proxy \(proxy.host):\(proxy.port) refused: \(words)"
                try await check(url: url, errors: .lines([line]))
            }
        }

        @Test(arguments: [
            (ProxyKind.microsocks, "refused: command not supported"),
            (.sshDynamic, "closed the connection in place of a reply"),
        ])
        func `Servers that do not know of datagrams have the network unreachable`(
            kind: ProxyKind, words: String
        ) async throws {
            let url = try await Proxies.shared.url(kind)
            let place = url.split(separator: "/").last ?? ""
            try await check(url: url, errors: .lines(["udp: proxy \(place) \(words)"]))
        }

        @Test func `A proxy that nobody listens at has the network unreachable`() async throws {
            try await ClosedPort.during(host: Machine.proxyIPv4) { port in
                try await check(url: "socks5://10.99.0.1:\(port)", isRemembered: false, errors: .log)
            }
        }

        @Test func `Blocked datagrams have the network unreachable`() async throws {
            try await withProxy { proxy, url in
                try await check(configuration: configuration("udp block", urls: [url]), errors: .none)
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `Direct datagrams go as without a proxy`() async throws {
            let near = try await EchoTargets.near(.ipv4)
            for name in ["sendto", "connected"] {
                try await TestProxy.during { proxy in
                    let output = try await DatagramProbe.run(
                        "datagram-calls", [name] + near, proxy: (proxy.host, proxy.port), ["udp direct"])
                    let native = try await CallProbe.run("datagram-calls", [name] + near, library: .absent)
                    #expect(output.lines == native.lines)
                    #expect(proxy.sessions.isEmpty)
                }
            }
        }

        @Test(arguments: ["multicast", "broadcast"])
        func `Groups and broadcasts are those of this machine's network`(name: String) async throws {
            try await withProxy { proxy, url in
                let output = try await CallProbe.run(
                    "datagram-group", [name], environment: ["SOCKSIFY_PROXY": url])
                #expect(output.lines == ["sendto: 6", "received: 6", "connect: 0", "send: 5", "received: 5"])
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `A local network is reached directly, beside the relay`() async throws {
            try await DatagramProbe.compare(
                "datagram-calls", "sendto", configuration: ["localnet 10.99.0.0/255.255.255.0"])
            let near = try await EchoTargets.nearSecond
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-life", "several", .ipv4, near + EchoTargets.farSecond,
                configuration: ["localnet 10.99.0.0/255.255.255.0"])
            let round = ["to 0 from there", "to 1 from there", "to 2 from there"]
            #expect(output.lines == round + round + ["sendmmsg: 3", "all came: 1"])
            #expect(sessions.first?.association?.destinations.count == 2)
        }

        /// The error is the same as from a peer without a socket at the port.
        @Test(arguments: ["poll", "select", "level", "edge", "recv"])
        func `Who waits for an answer is told of a proxy that carries no datagrams`(name: String) async throws {
            for family in EchoTargets.Family.allCases {
                // No socket has this port. Only for loopback does the kernel report every datagram (icmp(7),
                // icmp_ratelimit).
                let host = family == .ipv4 ? "127.0.0.1" : family == .ipv6 ? "::1" : "::ffff:127.0.0.1"
                let native = try await CallProbe.run("datagram-told", [name, host, "9"], library: .absent)
                let (output, _) = try await TestProxy.during { _ in
                    .with { $0.commandReplyCodes[.udpAssociate] = 7 }
                } _: { proxy in
                    let output = try await DatagramProbe.run(
                        "datagram-told", [name] + EchoTargets.far(family), proxy: (proxy.host, proxy.port), ["log off"])
                    return (output, proxy.sessions)
                }
                #expect(output.lines == native.lines, "\(family)")
            }
        }

        /// The relay has the proxy's address family.
        @Test(arguments: ["only", "bound", "bound-only"])
        func `A socket of IPv6 alone needs a proxy that is reached by IPv6`(name: String) async throws {
            let (output, sessions) = try await DatagramProbe.run("datagram-ipv6", name, .ipv6)
            #expect(
                output.lines == ["sendto ENETUNREACH", "MSG_DONTWAIT ENETUNREACH", "connected ENETUNREACH"],
                "\(output.errors)")
            #expect(sessions.isEmpty)
            try await DatagramProbe.compare(
                "datagram-ipv6", name, .ipv6, proxy: Machine.proxyIPv6, ending: .associated(2))
        }

        @Test(arguments: [1, 2, 3])
        func `An association that the server ends is opened anew`(count: Int) async throws {
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-failure", "ended", script: Script.with { $0.datagrams.closesAfter = 2 * count },
                ending: .associated(2))
            #expect(output.lines == Array(repeating: "asked", count: 10))
            #expect(sessions.count > 2)
        }
    }
}
