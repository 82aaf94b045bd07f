import TestProxy
import Testing

private let echo = "\(Targets.echoPort)"

extension EndToEnd {
    /// Proxies with every fault at every byte of the handshake. The program must get an error in the configured time
    /// and live on, and no descriptor may stay open.
    @Suite struct BadProxies {
        init() async throws { try await Targets.shared.echo() }

        private static let plain = Script()
        private static let secret = Script.with { $0.credentials = Credentials(user: "u", password: "p") }

        /// The number of bytes that a proxy sends before its client is connected: METHOD, the answer to credentials,
        /// the reply.
        private static func handshakeLength(_ script: Script) -> Int { script.credentials == nil ? 12 : 14 }

        private func url(_ proxy: TestProxy, _ script: Script) -> String {
            "socks5://\(script.credentials == nil ? "" : "u:p@")\(Machine.proxyIPv4):\(proxy.port)"
        }

        /// Connects once with each of `scripts`, in one process, and returns the errnos.
        ///
        /// - Parameter answerTime: the time limit for each answer of the proxy, in milliseconds. Short if every
        ///   connection must reach it, long if none may.
        private func errnos(_ scripts: [Script], answerTime: Int = 600_000) async throws -> [Substring] {
            let lines = try await TestProxy.start(host: Machine.proxyIPv4).during { proxy in
                proxy.follow { scripts[min($0, scripts.count - 1)] }
                let text = configuration(
                    "tcp_read_time_out \(answerTime)", "tcp_connect_time_out 600000", urls: [url(proxy, scripts[0])])
                let lines = try await Probe.run(
                    "connect", "203.0.113.10", echo, "\(scripts.count)", configuration: text, ending: .logging)
                // The proxy may accept the last connection after the client has given it up.
                _ = try await proxy.sessions { $0.count >= scripts.count }
                #expect(proxy.sessions.count == scripts.count)
                return lines
            }
            #expect(lines.last == "left open: 0")
            let errnos = (lines.first ?? "").split(separator: " ")
            #expect(errnos.count == scripts.count)
            return errnos
        }

        /// A script for each byte of the handshake.
        private func atEveryByte(_ base: Script, _ change: (inout Script, Int) -> Void) -> [Script] {
            (0..<BadProxies.handshakeLength(base)).map { offset in
                var script = base
                change(&script, offset)
                return script
            }
        }

        @Test(arguments: [plain, secret], [false, true])
        func `A proxy that closes at any byte of the handshake gives an error`(
            base: Script, resets: Bool
        ) async throws {
            let errnos = try await errnos(
                atEveryByte(base) {
                    $0.fault = .init(.close, after: $1)
                    $0.resets = resets
                })
            #expect(errnos.allSatisfy { $0 == "ECONNREFUSED" }, "\(errnos)")
        }

        @Test(arguments: [plain, secret])
        func `A proxy that hangs at any byte of the handshake times out`(base: Script) async throws {
            let errnos = try await errnos(atEveryByte(base) { $0.fault = .init(.hang, after: $1) }, answerTime: 100)
            #expect(errnos.allSatisfy { $0 == "ETIMEDOUT" }, "\(errnos)")
        }

        @Test(arguments: [plain, secret])
        func `A proxy that lies from any byte of the handshake on gives an error`(base: Script) async throws {
            let length = BadProxies.handshakeLength(base)
            let errnos = try await errnos(atEveryByte(base) { $0.fault = .init(.complement, after: $1) })
            // connect(2) ignores the bound address, so from there on any bytes are valid.
            let address = length - 6
            #expect(errnos.prefix(address).allSatisfy { $0 != "ok" }, "\(errnos)")
            #expect(errnos.dropFirst(address).allSatisfy { $0 == "ok" }, "\(errnos)")
        }

        @Test(arguments: [plain, secret])
        func `A proxy that speaks another protocol from any byte on gives an error`(base: Script) async throws {
            let page = Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8)
            let errnos = try await errnos(atEveryByte(base) { $0.fault = .init(.garbage(page), after: $1) })
            let address = BadProxies.handshakeLength(base) - 6
            #expect(errnos.prefix(address).allSatisfy { $0 != "ok" }, "\(errnos)")
        }

        @Test func `A name for a bound address that never comes to its end times out`() async throws {
            let name = Script.with {
                $0.boundAddress = Address(String(repeating: "n", count: 255))
                $0.fault = .init(.hang, after: 2 + 5 + 200)
            }
            let outcome = try await errnos([name], answerTime: 100)
            #expect(outcome == ["ETIMEDOUT"])
        }

        @Test func `A proxy that accepts and never reads times out`() async throws {
            let outcome = try await errnos([.with { $0.neverReads = true }], answerTime: 100)
            #expect(outcome == ["ETIMEDOUT"])
        }

        @Test(arguments: [UInt8(1), 2, 3, 0x80, 0xff])
        func `A method that was not offered is an error`(method: UInt8) async throws {
            let outcome = try await errnos([.with { $0.chosenMethod = method }])
            #expect(outcome != ["ok"])
        }

        @Test func `Refused credentials are an error, and are told once`() async throws {
            let script = Script.with {
                $0.credentials = Credentials(user: "u", password: "p")
                $0.refusesCredentials = true
            }
            let outcome = try await errnos([script])
            #expect(outcome == ["EACCES"])
        }

        @Test func `A reply to credentials of a version that does not exist is an error`() async throws {
            for version: UInt8 in [0, 2, 4, 255] {
                let script = Script.with {
                    $0.credentials = Credentials(user: "u", password: "p")
                    $0.credentialReplyVersion = version
                }
                let outcome = try await errnos([script])
                #expect(outcome != ["ok"], "version \(version)")
            }
        }

        @Test(arguments: [plain, secret])
        func `A proxy that sends byte by byte is understood`(base: Script) async throws {
            var script = base
            script.byteInterval = .milliseconds(2)
            script.boundAddress = Address("a.bound.name")
            try await withProxy(script) { _, url in
                for host in ["203.0.113.10", "2001:db8::10", "web.test"] {
                    let lines = try await Probe.run("exchange", host, echo, "hello", proxy: url)
                    #expect(lines == ["hello"])
                }
            }
        }

        @Test func `Further replies belong to the program, as bytes of the far side`() async throws {
            try await withProxy(.with { $0.extraReplies = 1 }) { _, url in
                let run = try await Client.run(
                    [Probe.path, "banner", "203.0.113.10", echo, "10"], proxy: url, ending: .clean)
                #expect(Array(run.output.utf8).starts(with: [5, 0, 0, 1]))
            }
        }
    }

    /// Several proxies in a chain.
    @Suite struct Chains {
        init() async throws { try await Targets.shared.echo() }

        /// Runs `body` with a proxy for each script, and a configuration in which each is reached through the one
        /// before.
        private func withChain(
            _ scripts: [Script], answerTime: Int = 600_000,
            _ body: ([TestProxy], _ configuration: String) async throws -> Void
        ) async throws {
            var proxies: [TestProxy] = []
            for (index, script) in scripts.enumerated() {
                // Only a proxy reaches those after the first.
                let host = index == 0 ? Machine.proxyIPv4 : "203.0.113.11"
                proxies.append(try await TestProxy.start(host: host, script: script))
            }
            let urls = zip(proxies, scripts).map { proxy, script in
                let user = script.credentials == nil ? "" : "u:p@"
                return "socks5://\(user)\(proxy.host):\(proxy.port)"
            }
            try await proxies.during {
                try await body(
                    $0, configuration("tcp_read_time_out \(answerTime)", "tcp_connect_time_out 600000", urls: urls))
            }
        }

        private let secret = Script.with { $0.credentials = Credentials(user: "u", password: "p") }

        @Test(arguments: [2, 3]) func `A chain is gone through in its order`(length: Int) async throws {
            for host in ["203.0.113.10", "2001:db8::10", "web.test"] {
                let scripts = (0..<length).map { $0 % 2 == 1 ? secret : Script() }
                try await withChain(scripts) { proxies, text in
                    let lines = try await Probe.run("exchange", host, echo, "hello", configuration: text)
                    #expect(lines == ["hello"])
                    for (proxy, next) in zip(proxies, proxies.dropFirst()) {
                        #expect(proxy.requests == ["CONNECT 203.0.113.11:\(next.port)"])
                    }
                    let asked = host.contains(":") ? "[\(host)]" : host
                    #expect(proxies.last?.requests == ["CONNECT \(asked):\(echo)"])
                    #expect(proxies.allSatisfy { $0.sessions.allSatisfy { !$0.pipelined } })
                }
            }
        }

        @Test func `A chain is given by SOCKSIFY_PROXY too`() async throws {
            try await withChain([Script(), Script()]) { proxies, _ in
                let urls = proxies.map { "socks5://\($0.host):\($0.port)" }.joined(separator: ",")
                let lines = try await Probe.run("exchange", "web.test", echo, "hello", proxy: urls)
                #expect(lines == ["hello"])
                #expect(proxies.allSatisfy { $0.sessions.count == 1 })
            }
        }

        @Test func `The failure of a target is told through the chain`() async throws {
            try await withChain([Script(), Script(), .with { $0.replyCode = 4 }]) { _, text in
                let lines = try await Probe.run("connect", "203.0.113.10", echo, configuration: text)
                #expect(lines == ["EHOSTUNREACH", "left open: 0"])
            }
        }

        @Test func `A hop that fails at any byte fails the connection`() async throws {
            for hop in 0..<2 {
                for (kind, error) in [(Script.Fault.Kind.close, "ECONNREFUSED"), (.hang, "ETIMEDOUT")] {
                    for offset in 0..<12 {
                        var scripts = [Script(), Script()]
                        scripts[hop].fault = .init(kind, after: offset)
                        // A short time limit makes the hanging hop fail soon.
                        try await withChain(scripts, answerTime: error == "ETIMEDOUT" ? 100 : 600_000) { _, text in
                            // When the last proxy closes the connection in place of a reply, it refuses the target.
                            let isRefusal = error == "ECONNREFUSED" && hop == 1 && offset == 2
                            let lines = try await Probe.run(
                                "connect", "203.0.113.10", echo, configuration: text,
                                ending: isRefusal ? .clean : .logging)
                            #expect(lines == [error, "left open: 0"], "hop \(hop), \(kind) at \(offset)")
                        }
                    }
                }
            }
        }

        @Test func `The first proxy's name is looked up here, the next one's by the proxy before it`() async throws {
            try await withChain([Script(), Script()]) { proxies, _ in
                let urls = "socks5://proxy.test:\(proxies[0].port),socks5://other.test:\(proxies[1].port)"
                let lines = try await Probe.run("exchange", "203.0.113.10", echo, "hello", proxy: urls)
                #expect(lines == ["hello"])
                #expect(proxies[0].requests == ["CONNECT other.test:\(proxies[1].port)"])
                #expect(proxies[1].requests == ["CONNECT 203.0.113.10:\(echo)"])
            }
        }

        @Test func `A proxy whose name nobody knows makes the connection fail`() async throws {
            // The query to the name server, with which the program itself finds names, has no route.
            let lines = try await Probe.run(
                "connect", "203.0.113.10", echo, proxy: "socks5://nosuch.test:1080", strays: nil,
                ending: .logging("proxy nosuch.test:1080 cannot be connected to: its name cannot be resolved"))
            #expect(lines == ["EHOSTUNREACH", "left open: 0"])
        }

        @Test func `Early data of the first hop are no part of the second handshake's success`() async throws {
            // A first hop that sends garbage right after its reply breaks the second handshake.
            try await withChain([.with { $0.earlyData = [0xff, 0xff] }, Script()]) { _, text in
                let lines = try await Probe.run(
                    "connect", "203.0.113.10", echo, configuration: text, ending: .logging)
                #expect(lines == ["ECONNREFUSED", "left open: 0"])
            }
        }
    }
}
