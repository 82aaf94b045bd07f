import TestProxy
import Testing

extension EndToEnd {
    /// Pending connections through proxies in other processes: to every kind of destination, through chains, and
    /// through faulty proxies.
    @Suite struct PendingProxyTests {
        private static let calls = ["poll", "select", "epoll_wait"]
        private static let connected = "connected, peer as connected to, echoed"

        private func failed(_ error: String) -> String { "\(error), then 0, peer ENOTCONN" }

        /// Runs a probe through one proxy, whose connections follow the scripts one after the other.
        private func run(
            _ scripts: [Script], to host: String = FarSide.ipv4, port: String? = nil, by call: String,
            user: String = "", answerTime: Int = 600_000, ending: Ending = .clean,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> [String] {
            var port = port
            if port == nil { port = try await FarSide.echoPort }
            return try await TestProxy.during {
                scripts[min($0, scripts.count - 1)]
            } _: { proxy in
                try await ConfigurationText(
                    """
                    tcp_read_time_out \(answerTime)
                    [ProxyList]
                    socks5 10.99.0.1 \(proxy.port) \(user)
                    """
                ).write { path in
                    try await CallProbe.run(
                        "pending-plain", [host, port ?? "", "\(scripts.count)", call],
                        environment: ["SOCKSIFY_CONF": path], ending: ending, sourceLocation: sourceLocation)
                }
            }.lines
        }

        @Test(
            arguments: [
                (FarSide.ipv4, false), (FarSide.ipv6, true), ("::ffff:203.0.113.10", false), ("web.test", false),
            ], calls)
        func `Every kind of destination is reached`(
            destination: (host: String, isIPv6: Bool), call: String
        ) async throws {
            let port = try await destination.isIPv6 ? FarSide.echoPort6 : FarSide.echoPort
            let lines = try await run(
                [Script(), Script()], to: destination.host, port: port, by: call)
            #expect(lines == [PendingProxyTests.connected, PendingProxyTests.connected, "descriptors +0"])
        }

        @Test(arguments: calls) func `A name is asked for as a name`(call: String) async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("pending-plain", ["web.test", FarSide.echoPort, "1", call])
                #expect(output.lines == [PendingProxyTests.connected, "descriptors +0"])
                #expect(proxy.sessions.map(\.request?.address) == [.name(Array("web.test".utf8))])
            }
        }

        @Test(arguments: calls) func `An IPv6 proxy is reached by IPv6 sockets`(call: String) async throws {
            try await TestProxy.during(host: "fd99::1") { proxy in
                let output = try await proxy.run(
                    "pending-plain", [FarSide.ipv6, FarSide.echoPort6, "1", call],
                    environment: ["SOCKSIFY_PROXY": "socks5://[fd99::1]:\(proxy.port)"])
                #expect(output.lines == [PendingProxyTests.connected, "descriptors +0"])
            }
        }

        @Test(arguments: calls) func `A proxy that sends byte by byte is understood`(call: String) async throws {
            let script = Script.with {
                $0.byteInterval = .milliseconds(1)
                $0.boundAddress = Address("a.bound.name")
                $0.credentials = Credentials(user: "u", password: "p")
            }
            #expect(
                try await run([script], by: call, user: "u p") == [PendingProxyTests.connected, "descriptors +0"])
        }

        @Test(arguments: calls) func `Refused credentials deny access`(call: String) async throws {
            let script = Script.with {
                $0.credentials = Credentials(user: "u", password: "p")
                $0.refusesCredentials = true
            }
            let lines = try await run([script], by: call, user: "u p", ending: .logging)
            #expect(lines == [failed("EACCES"), "descriptors +0"])
        }

        @Test(arguments: calls) func `A proxy that never reads times out`(call: String) async throws {
            let lines = try await run([.with { $0.neverReads = true }], by: call, answerTime: 200, ending: .logging)
            #expect(lines == [failed("ETIMEDOUT"), "descriptors +0"])
        }

        @Test(arguments: calls, [false, true])
        func `A proxy that closes at any byte of the handshake is told`(call: String, resets: Bool) async throws {
            let scripts = (0..<14).map { offset in
                Script.with {
                    $0.credentials = Credentials(user: "u", password: "p")
                    $0.fault = .init(.close, after: offset)
                    $0.resets = resets
                }
            }
            let lines = try await run(scripts, by: call, user: "u p", ending: .logging)
            #expect(lines == scripts.map { _ in failed("ECONNREFUSED") } + ["descriptors +0"])
        }

        @Test(arguments: calls)
        func `A proxy that hangs at any byte of the handshake is given up`(call: String) async throws {
            let scripts = (0..<14).map { offset in
                Script.with {
                    $0.credentials = Credentials(user: "u", password: "p")
                    $0.fault = .init(.hang, after: offset)
                }
            }
            let lines = try await run(scripts, by: call, user: "u p", answerTime: 100, ending: .logging)
            #expect(lines == scripts.map { _ in failed("ETIMEDOUT") } + ["descriptors +0"])
        }

        // MARK: Chains

        /// Runs a probe through a chain of proxies. Only a proxy reaches those after the first.
        private func runChain(
            _ scripts: [Script], by call: String, answerTime: Int = 600_000, ending: Ending = .clean
        ) async throws -> (lines: [String], requests: [[String]]) {
            var proxies: [TestProxy] = []
            for (index, script) in scripts.enumerated() {
                proxies.append(
                    try await TestProxy.start(host: index == 0 ? "10.99.0.1" : "203.0.113.11", script: script))
            }
            let list = zip(proxies, scripts).map { proxy, script in
                "socks5 \(proxy.host) \(proxy.port)" + (script.credentials == nil ? "" : " u p")
            }
            let text = ["tcp_read_time_out \(answerTime)", "[ProxyList]"] + list
            let port = try await FarSide.echoPort
            return try await proxies.during { proxies in
                let output = try await ConfigurationText(text.joined(separator: "\n")).write { path in
                    try await CallProbe.run(
                        "pending-plain", [FarSide.ipv4, port, "1", call], environment: ["SOCKSIFY_CONF": path],
                        ending: ending)
                }
                return (output.lines, proxies.map(\.requests))
            }
        }

        private static let secret = Script.with { $0.credentials = Credentials(user: "u", password: "p") }

        @Test(arguments: [2, 3], calls) func `A chain is gone through`(length: Int, call: String) async throws {
            let scripts = (0..<length).map { $0 % 2 == 1 ? PendingProxyTests.secret : Script() }
            let (lines, requests) = try await runChain(scripts, by: call)
            #expect(lines == [PendingProxyTests.connected, "descriptors +0"])
            #expect(requests.allSatisfy { $0.count == 1 })
            #expect(try await requests.last == ["CONNECT 203.0.113.10:\(FarSide.echoPort)"])
        }

        @Test(arguments: 0..<3, calls)
        func `The failure of any hop of a chain is told`(hop: Int, call: String) async throws {
            var scripts = [Script(), PendingProxyTests.secret, Script()]
            scripts[hop].replyCode = 4
            // A failure that the last hop reports is the target's, so the log has no line about it.
            let (lines, requests) = try await runChain(scripts, by: call, ending: hop < 2 ? .logging : .clean)
            #expect(lines == [failed("EHOSTUNREACH"), "descriptors +0"])
            #expect(requests.map(\.count) == (0..<3).map { $0 <= hop ? 1 : 0 })
        }

        @Test(arguments: 0..<3, [2, 7])
        func `A hop of a chain that closes or hangs is told`(hop: Int, offset: Int) async throws {
            for (kind, error) in [(Script.Fault.Kind.close, "ECONNREFUSED"), (.hang, "ETIMEDOUT")] {
                var scripts = [Script(), Script(), Script()]
                scripts[hop].fault = .init(kind, after: offset)
                let isHanging = error == "ETIMEDOUT"
                // When the last hop closes the connection in place of a reply, it refuses the target.
                let isRefusal = !isHanging && hop == 2 && offset == 2
                let (lines, _) = try await runChain(
                    scripts, by: "epoll_wait", answerTime: isHanging ? 300 : 600_000,
                    ending: isRefusal ? .clean : .logging)
                #expect(lines == [failed(error), "descriptors +0"])
            }
        }
    }
}
