import TestProxy
import Testing

extension EndToEnd {
    @Suite struct ConnectProbeTests {
        static let replyCodes: [(UInt8, String)] = [
            (1, "ECONNREFUSED"), (2, "ECONNREFUSED"), (3, "ENETUNREACH"), (4, "EHOSTUNREACH"), (5, "ECONNREFUSED"),
            (6, "ETIMEDOUT"), (7, "ECONNREFUSED"), (8, "ECONNREFUSED"), (9, "ECONNREFUSED"), (0x5b, "ECONNREFUSED"),
            (0xff, "ECONNREFUSED"),
        ]

        /// The lines of a socket whose first connect(2) fails with this error and whose second succeeds.
        private func failure(_ error: String) -> [String] {
            [error, "peer ENOTCONN", "0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"]
        }

        @Test(arguments: replyCodes, ["blocking", "nonblocking"])
        func `A reply code gives its error, and the socket connects again unharmed`(
            reply: (code: UInt8, error: String), mode: String
        ) async throws {
            let output = try await TestProxy.during { number in
                var script = Script()
                if number == 0 { script.replyCode = reply.code }
                return script
            } _: {
                try await $0.run("connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"])
            }
            #expect(output.lines == failure(reply.error))
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A proxy that offers no acceptable method denies access`(mode: String) async throws {
            let output = try await TestProxy.during { number in
                var script = Script()
                if number == 0 { script.chosenMethod = 0xff }
                return script
            } _: {
                try await $0.run("connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"], ending: .logging)
            }
            #expect(output.lines == failure("EACCES"))
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A proxy that refuses the credentials denies access`(mode: String) async throws {
            let output = try await TestProxy.during { number in
                var script = Script()
                script.credentials = Credentials(user: "alice", password: "right")
                script.refusesCredentials = number == 0
                return script
            } _: {
                try await $0.run(
                    "connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"],
                    environment: ["SOCKSIFY_PROXY": "socks5://alice:right@10.99.0.1:\($0.port)"], ending: .logging)
            }
            #expect(output.lines == failure("EACCES"))
        }

        @Test(arguments: [0, 2], ["blocking", "nonblocking"])
        func `A proxy that speaks another protocol counts as refusing`(offset: Int, mode: String) async throws {
            let output = try await TestProxy.during { number in
                var script = Script()
                if number == 0 {
                    script.fault = .init(.garbage(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)), after: offset)
                }
                return script
            } _: {
                try await $0.run("connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"], ending: .logging)
            }
            #expect(output.lines == failure("ECONNREFUSED"))
        }

        @Test(arguments: [false, true], ["blocking", "nonblocking"])
        func `A proxy that ends the connection counts as refusing`(resets: Bool, mode: String) async throws {
            let output = try await TestProxy.during { number in
                var script = Script()
                script.resets = resets
                if number == 0 { script.fault = .init(.close, after: 3) }
                return script
            } _: {
                try await $0.run("connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"], ending: .logging)
            }
            #expect(output.lines == failure("ECONNREFUSED"))
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A proxy that nobody listens at refuses`(mode: String) async throws {
            let output = try await ClosedPort.during(host: "10.99.0.1") { port in
                let line =
                    "tcp 203.0.113.10:80: proxy 10.99.0.1:\(port) cannot be connected to: connection refused; is the proxy running?"
                return try await CallProbe.run(
                    "connecting", [mode, FarSide.ipv4, "80", "2"],
                    environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:\(port)"],
                    ending: .logging(line, line))
            }
            let refused = ["ECONNREFUSED", "peer ENOTCONN"]
            #expect(output.lines == refused + refused + ["descriptors +0"])
        }

        @Test(arguments: ["reading", "writing", "both"])
        func `A socket that was shut before is shut when it is connected`(how: String) async throws {
            let native = try await CallProbe.run("shut-before", [how, "native", "0"], library: .absent)
            // The server is silent: an answer could come before the probe looks at the socket, or after.
            let server = try await TargetServer.start(.silent, host: FarSide.ipv4)
            let output = try await TestProxy.during {
                try await $0.run("shut-before", [how, FarSide.ipv4, "\(server.port)"])
            }
            await server.stop()
            #expect(output.lines == native.lines)
        }

        @Test(arguments: [("203.0.113.10", false), ("2001:db8::10", true), ("::ffff:203.0.113.10", false)])
        func `Every family of addresses is connected to`(address: String, isIPv6: Bool) async throws {
            let port = try await isIPv6 ? FarSide.echoPort6 : FarSide.echoPort
            for mode in ["blocking", "nonblocking"] {
                let output = try await TestProxy.during { try await $0.run("connecting", [mode, address, port, "1"]) }
                #expect(output.lines == ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"])
            }
        }

        @Test func `An IPv6 proxy serves IPv6 sockets`() async throws {
            let output = try await TestProxy.during(host: "fd99::1") {
                try await $0.run(
                    "connecting", ["blocking", FarSide.ipv6, FarSide.echoPort6, "1"],
                    environment: ["SOCKSIFY_PROXY": "socks5://[fd99::1]:\($0.port)"])
            }
            #expect(output.lines == ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"])
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A proxy that stays silent times out, and the socket connects again`(mode: String) async throws {
            func connect(_ limit: Int) async throws -> CallProbe.Output {
                try await TestProxy.during { number in
                    var script = Script()
                    if number == 0 { script.fault = .init(.hang, after: 2) }
                    return script
                } _: { proxy in
                    let text = "tcp_read_time_out \(limit)\n[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)"
                    return try await ConfigurationText(text).write { path in
                        try await CallProbe.run(
                            "connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"],
                            environment: ["SOCKSIFY_CONF": path], ending: .logging)
                    }
                }
            }
            var outputs: [CallProbe.Output] = []
            // A second log line shows that the second connection had too little time, too.
            for limit in AnswerTime.growing where outputs.last?.errorLines.count != 1 {
                outputs.append(try await connect(limit))
            }
            let output = try #require(outputs.last)
            #expect(output.lines == failure("ETIMEDOUT"))
            #expect(output.errorLines.count == 1 && output.errors.hasSuffix(" did not answer in time\n"))
        }

        // MARK: Interruptions, by a probe that is its own proxy

        private func interrupted(_ mode: String, at address: String) async throws -> [String] {
            try await CallProbe.run(
                "interrupted", [mode, address, "1080"], environment: ["SOCKSIFY_PROXY": "socks5://\(address):1080"]
            ).lines
        }

        private let connected = ["peer 203.0.113.10 80", "byte received"]

        @Test func `SO_SNDTIMEO ends a call, and the next one goes on`() async throws {
            let lines = try await interrupted("send-timeout", at: "127.0.1.1")
            #expect(
                lines == [
                    "unanswered: EINPROGRESS", "unanswered: EALREADY", "peer ENOTCONN", "greeting answered: EALREADY",
                    "request answered: 0",
                ] + connected + ["then: EISCONN"])
        }

        @Test func `Every call has the whole of SO_SNDTIMEO`() async throws {
            let lines = try await interrupted("send-timeout-anew", at: "127.0.1.2")
            #expect(lines == ["unanswered: EINPROGRESS", "answered: 0"] + connected)
        }

        @Test func `SO_RCVTIMEO does not limit a connection`() async throws {
            #expect(try await interrupted("receive-timeout", at: "127.0.1.3") == ["answered: 0"])
        }

        @Test func `A handler without SA_RESTART ends a call, and the next one goes on`() async throws {
            let lines = try await interrupted("no-restart", at: "127.0.1.4")
            #expect(lines == ["interrupted: EINTR", "second: 0"] + connected)
        }

        @Test func `A handler with SA_RESTART does not end a call`() async throws {
            let lines = try await interrupted("restart", at: "127.0.1.5")
            #expect(lines == ["restarted: 0", "handled all"] + connected)
        }

        @Test func `A handler with SA_RESTART does not end a call that has not reached the proxy`() async throws {
            let lines = try await interrupted("restart-before-proxy", at: "127.0.1.7")
            #expect(lines == ["restarted: 0", "handled all"] + connected)
        }

        @Test func `A thread in connect(2) can be cancelled`() async throws {
            let lines = try await interrupted("cancel", at: "127.0.1.6")
            #expect(lines == ["cleaned up", "cancelled", "the proxy sees the end", "another: 0"] + connected)
        }

        // MARK: The peer

        private let samePeer = [
            "before: ENOTCONN", "connect: 0", "socket: as connected to", "dup: as connected to",
            "dup2: as connected to",
            "F_DUPFD: as connected to", "passed on: as connected to", "forked: as connected to",
            "short: whole length, cut", "long: whole length", "empty: 0", "negative: EINVAL", "no address: EFAULT",
            "no length: EFAULT", "bad address: EFAULT", "by number: as connected to", "dissolved: ENOTCONN",
            "connect: 0", "direct: as connected to",
        ]

        @Test(arguments: [("203.0.113.10", false), ("2001:db8::10", true), ("::ffff:203.0.113.10", false)])
        func `The peer is the address that the program connected to`(address: String, isIPv6: Bool) async throws {
            let port = try await isIPv6 ? FarSide.echoPort6 : FarSide.echoPort
            let output = try await TestProxy.during { try await $0.run("peer", ["figures", address, port]) }
            #expect(output.lines == samePeer)
        }

        @Test(arguments: ["4", "6"])
        func `The peer of a name is the address that was given for it`(family: String) async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("peer", [family, "web.test", FarSide.echoPort])
                #expect(output.lines == samePeer)
                #expect(proxy.sessions.map(\.request?.address) == [.name(Array("web.test".utf8))])
            }
        }

        // MARK: Data after the reply

        @Test(arguments: ["blocking", "nonblocking"], [false, true])
        func `Bytes behind the reply are the program's`(mode: String, splits: Bool) async throws {
            let output = try await TestProxy.during { _ in
                var script = Script()
                script.earlyData = Array("early bird".utf8)
                if splits { script.byteInterval = .milliseconds(1) }
                return script
            } _: {
                try await $0.run("behind", [mode, FarSide.ipv4, FarSide.echoPort, "10"])
            }
            #expect(output.lines == ["connect 0", "received early bird", "echoed"])
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A server that speaks first is heard`(mode: String) async throws {
            let output = try await TestProxy.during {
                try await $0.run("behind", [mode, FarSide.ipv4, FarSide.bannerPort, "19"])
            }
            #expect(output.lines == ["connect 0", "received 220 at your service", "echoed"])
        }

        // MARK: Direct connections

        @Test func `What is near is direct, and no datagram goes direct`() async throws {
            try await TestProxy.during { proxy in
                // The proxy's own machine, which datagrams would reach without the library.
                let text = ConfigurationText("udp block\n[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)\n")
                let output = try await text.write {
                    try await CallProbe.run("direct", [proxy.host, "54"], environment: ["SOCKSIFY_CONF": $0])
                }
                #expect(
                    output.lines == [
                        "127.0.0.1: 0", "127.9.9.9: 0", "::1: 0", "::ffff:127.0.0.1: 0", "0.0.0.0: 0", "::: 0",
                        "AF_UNIX: 0",
                        "near sendto: 0", "near sendmsg: 0", "near sendmmsg: 0 2", "near sendto by number: 0",
                        "near connect: 0", "near received 5", "far sendto: ENETUNREACH", "far sendmsg: ENETUNREACH",
                        "far sendmmsg: ENETUNREACH -1", "far sendto by number: ENETUNREACH", "far connect: ENETUNREACH",
                        "mixed sendmmsg 1",
                    ])
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `What localnet names is direct, and what dnat names goes elsewhere`() async throws {
            let here = try await TargetServer.start(.echo, host: "10.99.0.1")
            try await TestProxy.during { proxy in
                let text = try await ConfigurationText(
                    """
                    localnet 10.99.0.1:\(here.port)/32
                    dnat 198.51.100.1:80 203.0.113.10:\(FarSide.echoPort)
                    [ProxyList]
                    socks5 10.99.0.1 \(proxy.port)
                    """)
                let success = ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"]
                let (local, sessions, translated) = try await text.write { path in
                    let environment = ["SOCKSIFY_CONF": path]
                    return (
                        try await CallProbe.run(
                            "connecting", ["blocking", "10.99.0.1", "\(here.port)", "1"], environment: environment),
                        proxy.sessions,
                        try await CallProbe.run(
                            "connecting", ["blocking", "198.51.100.1", "80", "1"], environment: environment)
                    )
                }
                #expect(local.lines == success)
                #expect(sessions.isEmpty)
                #expect(translated.lines == success)
                #expect(proxy.sessions.map(\.request?.address) == [.ipv4([203, 0, 113, 10])])
            }
            await here.stop()
        }

        @Test func `A connection to the proxy itself is direct`() async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("connecting", ["blocking", "10.99.0.1", "\(proxy.port)", "0"])
                #expect(output.lines.first == "descriptors +0")
                let text = try await proxy.run("speaking", ["10.99.0.1", "\(proxy.port)"])
                #expect(text.lines == ["connect 0", "method 5 0", "peer as connected to"])
                #expect(proxy.sessions.map(\.request) == [nil])
            }
        }

        // MARK: Other ways to call the library

        @Test func `Data that is sent with a connection goes through the proxy`() async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("fastopen", [FarSide.ipv4, FarSide.echoPort])
                #expect(
                    output.lines == [
                        "sendto: 0 25 of 25", "sendto: echoed", "sendmsg: 0 25 of 25", "sendmsg: echoed",
                        "sendmmsg: 0 25 of 25", "sendmmsg: echoed", "TCP_FASTOPEN_CONNECT: 0",
                        "TCP_FASTOPEN_CONNECT: 0 25 of 25", "TCP_FASTOPEN_CONNECT: echoed", "connected: 0 25 of 25",
                        "connected: echoed",
                    ])
                #expect(proxy.sessions.map(\.outcome) == Array(repeating: .relaying, count: 5))
            }
        }

        @Test func `Every way into connect(2) goes through the proxy`() async throws {
            try await TestProxy.during { proxy in
                let port = try await FarSide.echoPort
                let output = try await proxy.run(
                    "entries", [FarSide.ipv4, port], environment: ["PROBE_HOST": FarSide.ipv4, "PROBE_PORT": port])
                #expect(
                    output.lines == [
                        "in a constructor: 0", "in a constructor: echoed", "syscall: 0", "syscall: echoed",
                        "dlsym connect: 0", "dlsym connect: echoed", "dlsym __connect: 0", "dlsym __connect: echoed",
                        "in a child of vfork: 0", "its socket: echoed", "in the parent: 0", "in the parent: echoed",
                        "in a child of fork: 0", "in a child of fork: echoed",
                    ])
                #expect(proxy.sessions.count == 7)
            }
        }

        @Test func `Many threads connect at once`() async throws {
            let output = try await TestProxy.during {
                try await $0.run("threads", ["plain", FarSide.ipv4, FarSide.echoPort])
            }
            #expect(output.lines == ["succeeded 800 of 800", "descriptors +0"])
        }

        @Test func `Children of a process whose threads connect can connect`() async throws {
            let output = try await TestProxy.during {
                try await $0.run("threads", ["fork", FarSide.ipv4, FarSide.echoPort])
            }
            #expect(output.lines == ["children 20 of 20", "succeeded 800 of 800", "descriptors +0"])
        }

        @Test func `A signal handler connects while the allocator is interrupted`() async throws {
            let output = try await TestProxy.during { try await $0.run("handler", [FarSide.ipv4, FarSide.echoPort]) }
            #expect(output.lines == ["succeeded 100 of 100"])
        }

        @Test func `Odd and wrong arguments mean what they mean to the kernel`() async throws {
            let near = try await CallProbe.run("arguments", ["127.0.0.1", "1"], library: .absent)
            let output = try await TestProxy.during { try await $0.run("arguments", [FarSide.ipv4, FarSide.echoPort]) }
            // Without the library nothing listens there; the kernel rejects wrong arguments before it finds that out.
            let wrong = near.lines.filter { !$0.contains("ECONNREFUSED") && !$0.hasPrefix("unaligned") }
            #expect(output.lines.filter { !$0.hasSuffix(": 0") && !$0.hasPrefix("unaligned") } == wrong)
            #expect(output.lines.filter { $0.hasPrefix("unaligned") } == ["unaligned: 0", "unaligned: echoed"])
            #expect(wrong.contains("length 15: EINVAL"))
        }
    }
}
