import Glibc
import TestProxy
import Testing

/// The proxy with other protocols than SOCKS5, over real sockets, by literal bytes.
@Suite struct ProxyProtocolTests {
    private func withProxy(
        _ proxyProtocol: ProxyProtocol, _ script: Script = Script(),
        _ body: (TestProxy, TargetServer) async throws -> Void
    ) async throws {
        var script = script
        script.proxyProtocol = proxyProtocol
        script.names = ["web.test": ["127.0.0.1"]]
        try await TargetServer.start(.echo).during { target in
            try await TestProxy.start(script: script).during { try await body($0, target) }
        }
    }

    private static let established = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)

    private static func socks4Request(port: Int) -> [UInt8] {
        [4, 1, UInt8(port >> 8), UInt8(port & 0xff), 127, 0, 0, 1, 0]
    }

    private static func httpRequest(port: Int, host: String = "127.0.0.1") -> [UInt8] {
        Array("CONNECT \(host):\(port) HTTP/1.1\r\nHost: \(host):\(port)\r\n\r\n".utf8)
    }

    @Test func `SOCKS4 reaches an address, and relays`() async throws {
        try await withProxy(.socks4) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(ProxyProtocolTests.socks4Request(port: target.port))
            let reply = try client.receive(8)
            #expect(reply.starts(with: [0, 90]) && reply.suffix(4) == [127, 0, 0, 1])
            client.send([1, 2, 3])
            #expect(try client.receive(3) == [1, 2, 3])
            #expect(proxy.sessions.first?.proxyProtocol == .socks4)
            #expect(proxy.sessions.first?.outcome == .relaying)
            #expect(proxy.sessions.first?.pipelined == false)
        }
    }

    @Test func `SOCKS4a reaches a name of the table`() async throws {
        try await withProxy(.socks4) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(
                [4, 1, UInt8(target.port >> 8), UInt8(target.port & 0xff), 0, 0, 0, 1] + Array("me\0web.test\0".utf8))
            #expect(try client.receive(8).starts(with: [0, 90]))
            #expect(
                proxy.sessions.first?.description
                    == "CONNECT web.test:\(target.port) as me (name resolved by the proxy)")
        }
    }

    @Test func `HTTP reaches a target, and relays`() async throws {
        try await withProxy(.http) { proxy, target in
            for host in ["127.0.0.1", "web.test"] {
                let client = try RawClient(port: proxy.port)
                client.send(ProxyProtocolTests.httpRequest(port: target.port, host: host))
                #expect(try client.receive(39) == ProxyProtocolTests.established)
                client.send([1, 2, 3])
                #expect(try client.receive(3) == [1, 2, 3])
            }
            #expect(proxy.sessions.map(\.outcome) == [.relaying, .relaying])
            #expect(proxy.sessions.map(\.proxyProtocol) == [.http, .http])
        }
    }

    @Test func `A target that refuses is reported so`() async throws {
        for (proxyProtocol, answer, outcome): (ProxyProtocol, [UInt8], Session.Outcome) in [
            (.socks4, [0, 91, 0, 0, 0, 0, 0, 0], .refused(91)),
            (.http, Array("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".utf8), .refused(502)),
        ] {
            try await withProxy(proxyProtocol) { proxy, target in
                await target.stop()
                let client = try RawClient(port: proxy.port)
                client.send(
                    proxyProtocol == .http
                        ? ProxyProtocolTests.httpRequest(port: target.port)
                        : ProxyProtocolTests.socks4Request(port: target.port))
                #expect(try client.receiveAll() == answer)
                #expect(try await proxy.sessions(ended: 1).first?.outcome == outcome)
            }
        }
    }

    @Test func `Early data come in the segment of a head of any length`() async throws {
        let line = "X-Long: " + String(repeating: "x", count: 10_000)
        var script = Script()
        script.http.lines = [line]
        script.http.interimStatuses = [100]
        script.earlyData = Array("early".utf8)
        try await withProxy(.http, script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(ProxyProtocolTests.httpRequest(port: target.port))
            let answer = "HTTP/1.1 100 Interim\r\n\r\nHTTP/1.1 200 Connection established\r\n\(line)\r\n\r\nearly"
            #expect(try client.receive(answer.utf8.count) == Array(answer.utf8))
        }
    }

    @Test func `Bytes sent one by one add up to the same`() async throws {
        var script = Script()
        script.byteInterval = .milliseconds(1)
        try await withProxy(.http, script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(ProxyProtocolTests.httpRequest(port: target.port))
            #expect(try client.receive(39) == ProxyProtocolTests.established)
            client.send([9])
            #expect(try client.receive(1) == [9])
        }
    }

    @Test(arguments: [0, 5, 38]) func `A connection closed at an offset carries the bytes before it`(
        offset: Int
    ) async throws {
        var script = Script()
        script.fault = Script.Fault(.close, after: offset)
        try await withProxy(.http, script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(ProxyProtocolTests.httpRequest(port: target.port))
            #expect(try client.receiveAll() == Array(ProxyProtocolTests.established.prefix(offset)))
            #expect(try await proxy.sessions(ended: 1).first?.outcome == .faulted)
        }
    }

    @Test func `A raw proxy leads to its target before the client speaks, and relays`() async throws {
        try await TargetServer.start(.banner(Array("220 ready\r\n".utf8))).during { target in
            let raw = ProxyProtocol.raw(to: Endpoint(Address("web.test"), port: UInt16(target.port)))
            try await withProxy(raw) { proxy, _ in
                let client = try RawClient(port: proxy.port)
                #expect(try client.receive(11) == Array("220 ready\r\n".utf8))
                client.send([1, 2])
                #expect(try client.receive(2) == [1, 2])
                let session = proxy.sessions.first
                #expect(session?.request?.endpoint == Endpoint(Address("web.test"), port: UInt16(target.port)))
                #expect(session?.outcome == .relaying)
                await target.stop()
                #expect(try client.receiveAll() == [])
                let refused = try RawClient(port: proxy.port)
                #expect(try refused.receiveAll() == [])
                let sessions = try await proxy.sessions { $0.count == 2 && $0[1].ended }
                #expect(sessions[1].outcome == .refused(5))
            }
        }
    }

    @Test func `A chain of proxies of every kind ends at the target`() async throws {
        try await withProxy(.http) { last, target in
            try await withProxy(.raw(to: Endpoint(Address("127.0.0.1"), port: UInt16(last.port)))) { raw, _ in
                try await withProxy(.socks4) { third, _ in
                    try await withProxy(.socks5) { second, _ in
                        try await withProxy(.http) { first, _ in
                            let client = try RawClient(port: first.port)
                            client.send(ProxyProtocolTests.httpRequest(port: second.port))
                            #expect(try client.receive(39) == ProxyProtocolTests.established)
                            client.send([5, 1, 0])
                            #expect(try client.receive(2) == [5, 0])
                            client.send(
                                [5, 1, 0, 1, 127, 0, 0, 1, UInt8(third.port >> 8), UInt8(third.port & 0xff)])
                            #expect(try client.receive(10).starts(with: [5, 0]))
                            client.send(ProxyProtocolTests.socks4Request(port: raw.port))
                            #expect(try client.receive(8).starts(with: [0, 90]))
                            client.send(ProxyProtocolTests.httpRequest(port: target.port))
                            #expect(try client.receive(39) == ProxyProtocolTests.established)
                            client.send([1, 2, 3])
                            #expect(try client.receive(3) == [1, 2, 3])
                        }
                    }
                }
            }
        }
    }

    @Test func `A proxy at a path serves, and leaves no file behind`() async throws {
        let path = "/tmp/socksify-test-proxy-\(getpid()).socket"
        try await TargetServer.start(.echo).during { target in
            for proxyProtocol in [ProxyProtocol.http, .socks4] {
                var script = Script()
                script.proxyProtocol = proxyProtocol
                let client = try await TestProxy.start(unixPath: path, script: script).during { proxy in
                    #expect(proxy.host == path)
                    let client = try RawClient(path: path)
                    if proxyProtocol == .http {
                        client.send(ProxyProtocolTests.httpRequest(port: target.port))
                        #expect(try client.receive(39) == ProxyProtocolTests.established)
                    } else {
                        client.send(ProxyProtocolTests.socks4Request(port: target.port))
                        #expect(try client.receive(8).starts(with: [0, 90]))
                    }
                    client.send([1, 2, 3])
                    #expect(try client.receive(3) == [1, 2, 3])
                    return client
                }
                #expect(try client.receiveAll() == [])
                #expect(access(path, F_OK) != 0)
            }
        }
    }
}
