import TestProxy
import Testing

extension EndToEnd {
    /// Programs under a filter of their own (seccomp(2)) that refuses a system call which the library needs: the
    /// connection or datagram fails, and never goes direct.
    @Suite struct FilteredTests {
        @Test(arguments: [[], ["before"]])
        func `A connection fails when nobody tells what the socket is`(before: [String]) async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run(
                    "unanswered", ["stream", FarSide.ipv4, FarSide.echoPort] + before,
                    ending: .associated(before.count))
                #expect(output.lines == ["connect EPERM", "send EPIPE"], "\(output)")
                #expect(proxy.requests.count == before.count * 2)
            }
        }

        @Test(arguments: [[], ["before"]])
        func `Datagrams fail when nobody tells what the socket is`(before: [String]) async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run(
                    "unanswered", ["datagrams", FarSide.ipv4, FarSide.echoPort] + before,
                    ending: .associated(before.count))
                let refused = ["sendto EPERM", "sendmsg EPERM", "sendmmsg EPERM"]
                #expect(output.lines == (before.isEmpty ? refused : refused + refused), "\(output)")
            }
        }

        @Test(arguments: [("stream", "connect EPERM"), ("datagrams", "sendto ENETUNREACH")])
        func `A call that would wait fails when the program may not`(name: String, result: String) async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run(
                    "unwaited", [name, FarSide.ipv4, FarSide.echoPort], ending: .logging)
                #expect(output.lines == [result, result, "descriptors +0"], "\(output)")
            }
        }

        @Test func `A name is not waited for when the program may not`() async throws {
            let lines = "dns tcp \(NameServers.host)\n[ProxyList]\nsocks5 10.99.0.1"
            try await TestProxy.during { proxy in
                try await ConfigurationText("\(lines) \(proxy.port)\n").write { path in
                    let output = try await CallProbe.run(
                        "unwaited", ["name", "web.test", "80"], environment: ["SOCKSIFY_CONF": path], ending: .logging)
                    let result = "getaddrinfo EAI_AGAIN"
                    #expect(output.lines == [result, result, "descriptors +0"], "\(output)")
                }
            }
        }

        /// A server that the client also reaches without a proxy.
        private static let near = Task { try await TargetServer.start(.echo, host: Machine.proxyIPv4) }

        /// A temporary failure gives one call an error, and has no other effect.
        @Test(
            arguments: ["stream", "epoll", "datagrams"],
            [
                "getsockopt", "setsockopt", "fcntl", "ppoll", "socket", "connect", "sendto", "recvfrom", "openat",
                "epoll_ctl", "mmap",
            ])
        func `Any system call may fail once`(client: String, call: String) async throws {
            try await TestProxy.during { proxy in
                let stream = try await [Machine.proxyIPv4, "\(FilteredTests.near.value.port)"]
                let target = try await client == "datagrams" ? EchoTargets.far(.ipv4) : stream
                let output = try await proxy.run(
                    "failing", [client, call] + target,
                    ending: Ending(errors: .any(because: "some failures are told"), associations: 1))
                #expect(output.lines == ["done"], "\(output)")
            }
        }

        @Test func `A pending socket gives and takes no byte when nobody tells what it is`() async throws {
            let address = "127.0.251.2"
            let output = try await CallProbe.run(
                "pending-unanswered", [address], environment: ["SOCKSIFY_PROXY": "socks5://\(address):1080"])
            #expect(
                output.lines == [
                    "recv EPERM", "read EPERM", "send EPERM", "write EPERM", "connect EPERM", "getpeername ENOTCONN",
                    "the proxy has 10 bytes",
                ], "\(output)")
        }
    }
}
