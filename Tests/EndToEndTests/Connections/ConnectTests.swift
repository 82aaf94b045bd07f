import TestProxy
import Testing

private let echo = "\(Targets.echoPort)"

extension EndToEnd {
    /// connect(2), and what a program can see of its socket afterwards.
    @Suite struct Connect {
        init() async throws {
            try await Targets.shared.echo()
            try await Targets.shared.banner()
        }

        // MARK: Destinations

        @Test(arguments: [
            ("203.0.113.10", "203.0.113.10"), ("2001:db8::10", "[2001:db8::10]"),
            ("::ffff:203.0.113.10", "203.0.113.10"), ("web.test", "web.test"),
        ])
        func `A destination is asked for as the program named it`(host: String, asked: String) async throws {
            for address in [Machine.proxyIPv4, Machine.proxyIPv6] {
                // An IPv4 socket cannot reach an IPv6 proxy.
                if address == Machine.proxyIPv6, !host.contains(":") { continue }
                try await withProxy(host: address) { proxy, url in
                    let answer = try await Probe.run("exchange", host, echo, "hello", proxy: url)
                    #expect(answer == ["hello"])
                    #expect(proxy.requests == ["CONNECT \(asked):\(echo)"])
                    #expect(proxy.sessions.first?.pipelined == false)
                }
            }
        }

        @Test func `Without credentials only the method without authentication is offered`() async throws {
            try await withProxy { proxy, url in
                _ = try await Probe.run("exchange", "203.0.113.10", echo, "hello", proxy: url)
                #expect(proxy.sessions.first?.received.starts(with: [5, 1, 0, 5, 1, 0, 1, 203, 0, 113, 10]) == true)
            }
        }

        @Test(arguments: [UInt8(1), 5]) func `Credentials are sent, and a reply of either version is accepted`(
            version: UInt8
        ) async throws {
            let script = Script.with {
                $0.credentials = Credentials(user: "alice", password: "s3cret")
                $0.credentialReplyVersion = version
            }
            try await withProxy(script) { proxy, url in
                let answer = try await Probe.run("exchange", "web.test", echo, "hello", proxy: url)
                #expect(answer == ["hello"])
                #expect(proxy.sessions.first?.credentials == Credentials(user: "alice", password: "s3cret"))
            }
        }

        @Test(arguments: ["127.0.0.1", "::1", "127.9.9.9"])
        func `Loopback is reached directly`(address: String) async throws {
            try await withProxy { proxy, url in
                let answer = try await Probe.run("local", address, proxy: url)
                #expect(answer == ["connect: ok", "direct: yes"])
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `What localnet names is reached directly`() async throws {
            try await withProxy { proxy, url in
                let direct = configuration("localnet 203.0.113.0/255.255.255.0", urls: [url])
                // There is no route to it from here, so an attempt shows as an error.
                let lines = try await Probe.run(
                    "connect", "203.0.113.10", echo, configuration: direct, strays: 1)
                #expect(lines.first == "ENETUNREACH")
                #expect(proxy.sessions.isEmpty)
                let narrow = configuration("localnet 203.0.113.0:80/255.255.255.0", urls: [url])
                let answer = try await Probe.run("exchange", "203.0.113.10", echo, "hello", configuration: narrow)
                #expect(answer == ["hello"])
                #expect(proxy.requests == ["CONNECT 203.0.113.10:\(echo)"])
            }
        }

        @Test func `An address that cannot be read gives EFAULT`() async throws {
            try await withProxy { _, url in
                let lines = try await Probe.run("unreadable", proxy: url)
                #expect(lines == ["EFAULT"])
            }
        }

        @Test func `The unspecified address is refused`() async throws {
            try await withProxy { proxy, url in
                for host in ["0.0.0.0", "::"] {
                    let lines = try await Probe.run("connect", host, echo, proxy: url)
                    #expect(lines == ["ECONNREFUSED", "left open: 0"])
                }
                #expect(proxy.sessions.isEmpty)
            }
        }

        // MARK: Failures

        @Test func `Each reply code gives its errno, and leaves nothing open`() async throws {
            try await withProxy { proxy, url in
                proxy.follow { number in .with { $0.replyCode = UInt8(number + 1) } }
                let lines = try await Probe.run("connect", "203.0.113.10", echo, "255", proxy: url)
                let errnos = (lines.first ?? "").split(separator: " ")
                #expect(
                    errnos.prefix(8) == [
                        "ECONNREFUSED", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "ETIMEDOUT",
                        "ECONNREFUSED", "ECONNREFUSED",
                    ])
                #expect(errnos.count == 255 && errnos[8..<239].allSatisfy { $0 == "ECONNREFUSED" })
                // The reply codes of Tor.
                #expect(
                    errnos[239..<247] == [
                        "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "ECONNREFUSED", "EACCES", "EACCES",
                        "EHOSTUNREACH", "ETIMEDOUT",
                    ])
                #expect(errnos[247...].allSatisfy { $0 == "ECONNREFUSED" })
                #expect(lines.last == "left open: 0")
            }
        }

        @Test(arguments: ["203.0.113.66", "2001:db8::66", "192.0.2.1", "2001:db8:1::1", "203.0.113.10", "web.test"])
        func `A target fails as it does without a proxy`(host: String) async throws {
            try await withProxy { _, url in
                let port = "\(Targets.closedPort)"
                let native = try await Probe.runNatively("connect", host, port)
                let answer = try await Probe.run("connect", host, port, proxy: url)
                #expect(answer == native)
            }
        }

        @Test func `A target that does not answer times out`() async throws {
            try await withProxy(.with { $0.connectTimeout = .milliseconds(200) }) { _, url in
                for host in ["203.0.113.99", "2001:db8::99"] {
                    let lines = try await Probe.run("connect", host, echo, proxy: url)
                    #expect(lines == ["ETIMEDOUT", "left open: 0"])
                }
            }
        }

        @Test func `A socket whose connect failed can be connected again`() async throws {
            try await withProxy { proxy, url in
                proxy.follow { number in .with { if number == 0 { $0.replyCode = 5 } } }
                let lines = try await Probe.run("retry", "203.0.113.10", echo, proxy: url)
                #expect(
                    lines == ["first: ECONNREFUSED", "peer: ENOTCONN", "pending error: 0", "second: ok", "hello"])
            }
        }

        @Test(arguments: ["blocking", "nonblocking"], [UInt8(0), 5])
        func `Flags, options and identity of a socket stay what they were`(
            mode: String, reply: UInt8
        ) async throws {
            for host in ["203.0.113.10", "2001:db8::10", "web.test"] {
                try await withProxy(.with { $0.replyCode = reply == 0 ? nil : reply }) { _, url in
                    let lines = try await Probe.run("unharmed", host, echo, mode, proxy: url)
                    #expect(lines.count == 3)
                    #expect(lines.first == lines.dropFirst().first)
                    #expect(lines.last == (reply == 0 ? "ok" : "ECONNREFUSED"))
                }
            }
        }

        // MARK: What the program sees

        @Test(arguments: ["1.2.3.4", "", "a.name", "2001:db8::7", String(repeating: "n", count: 255)])
        func `A bound address of any type is read to its end`(bound: String) async throws {
            try await withProxy(.with { $0.boundAddress = Address(bound) }) { _, url in
                let lines = try await Probe.run("banner", "web.test", "\(Targets.bannerPort)", "11", proxy: url)
                #expect(lines == ["220 ready\r\n"])
            }
        }

        @Test func `A socket that is disconnected can be connected again`() async throws {
            try await withProxy { proxy, url in
                let lines = try await Probe.run("unspecified", "203.0.113.10", echo, proxy: url)
                let peer = "peer: inet 203.0.113.10 \(echo) length 16"
                #expect(lines == ["disconnect: ok", "peer: ENOTCONN", "connect: ok", peer, "hello"])
                #expect(proxy.sessions.count == 2)
            }
        }

        @Test(arguments: ["203.0.113.10", "2001:db8::10"])
        func `A socket that is bound keeps its port`(host: String) async throws {
            try await withProxy { _, url in
                let lines = try await Probe.run("bound", host, echo, proxy: url)
                #expect(lines == ["connect: ok", "port kept: yes", "hello"])
            }
        }

    }
}
