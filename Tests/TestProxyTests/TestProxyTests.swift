import Glibc
import TestProxy
import Testing

/// The proxy over real sockets, by literal bytes.
@Suite struct TestProxyTests {
    private let greeting: [UInt8] = [5, 1, 0]

    /// CONNECT to a port of 127.0.0.1.
    private func request(port: Int) -> [UInt8] {
        [5, 1, 0, 1, 127, 0, 0, 1, UInt8(port >> 8), UInt8(port & 0xff)]
    }

    private func withProxy(
        _ script: Script = Script(), _ target: TargetServer.Behaviour = .echo,
        _ body: (TestProxy, TargetServer) async throws -> Void
    ) async throws {
        try await TargetServer.start(target).during { target in
            try await TestProxy.start(script: script).during { try await body($0, target) }
        }
    }

    /// Whether a waiting client receives nothing until it gives up: the end that the proxy then sends follows all
    /// earlier bytes.
    private func isToldNothing(_ client: RawClient) throws -> Bool {
        client.finish()
        return try client.receiveAll().isEmpty
    }

    @Test func `Bytes are relayed both ways, and an end is passed on`() async throws {
        try await withProxy { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            let reply = try client.receive(10)
            #expect(reply.starts(with: [5, 0, 0, 1, 127, 0, 0, 1]))
            client.send([1, 2, 3])
            #expect(try client.receive(3) == [1, 2, 3])
            await target.stop()
            #expect(try client.receiveAll() == [])
            #expect(proxy.sessions.first?.outcome == .relaying)
            #expect(proxy.sessions.first?.pipelined == false)
        }
    }

    @Test func `A name of the script's table is reached, any case`() async throws {
        var script = Script()
        script.names["web.test"] = ["127.0.0.1"]
        try await withProxy(script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(
                [5, 1, 0, 3, 8] + Array("Web.Test".utf8) + [UInt8(target.port >> 8), UInt8(target.port & 0xff)])
            #expect(try client.receive(10).starts(with: [5, 0]))
            #expect(
                proxy.sessions.first?.description == "CONNECT Web.Test:\(target.port) (name resolved by the proxy)")
        }
    }

    @Test func `A target that refuses is reported so`() async throws {
        try await withProxy { proxy, target in
            await target.stop()
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            #expect(try client.receiveAll() == [5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
            #expect(try await proxy.sessions(ended: 1).first?.outcome == .refused(5))
        }
    }

    @Test func `Early data come in the segment of the reply`() async throws {
        var script = Script()
        script.earlyData = Array("early".utf8)
        try await withProxy(script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            #expect(try client.receiveSome().suffix(5) == Array("early".utf8)[...])
        }
    }

    @Test func `A client that does not wait is served and noticed`() async throws {
        try await withProxy { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting + request(port: target.port) + [7])
            #expect(try client.receive(13).last == 7)
            #expect(proxy.sessions.first?.pipelined == true)
        }
    }

    @Test func `A client that speaks during a delay is noticed`() async throws {
        var script = Script()
        script.delay = .milliseconds(50)
        try await withProxy(script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            client.send([7])
            #expect(try client.receive(11).last == 7)
            #expect(proxy.sessions.first?.pipelined == true)
        }
    }

    @Test func `Bytes sent one by one add up to the same`() async throws {
        var script = Script()
        script.byteInterval = .milliseconds(1)
        try await withProxy(script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            #expect(try client.receive(10).starts(with: [5, 0, 0, 1, 127, 0, 0, 1]))
            client.send([9])
            #expect(try client.receive(1) == [9])
        }
    }

    @Test(arguments: 0..<12) func `A connection closed at an offset carries the bytes before it`(
        offset: Int
    ) async throws {
        var script = Script()
        script.fault = Script.Fault(.close, after: offset)
        try await withProxy(script) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            var received = try client.receive(min(offset, 2))
            if offset >= 2 {
                client.send(request(port: target.port))
                received += try client.receive(10)
            }
            #expect(received.count == offset)
            #expect(try client.receiveAll() == [])
            #expect(try await proxy.sessions(ended: 1).first?.outcome == .faulted)
        }
    }

    @Test func `A proxy that hangs keeps the connection open`() async throws {
        var script = Script()
        script.fault = Script.Fault(.hang, after: 1)
        try await withProxy(script) { proxy, _ in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(1) == [5])
            // Only a proxy that has kept the connection receives the next byte.
            client.send([1])
            let sessions = try await proxy.sessions { $0[0].pipelined || $0[0].ended }
            #expect(!sessions[0].ended && client.isQuiet())
        }
    }

    @Test func `A proxy that resets does so`() async throws {
        var script = Script()
        script.resets = true
        script.fault = Script.Fault(.close, after: 1)
        try await withProxy(script) { proxy, _ in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(throws: RawClient.Failure(code: ECONNRESET)) {
                while try !client.receiveSome().isEmpty {}
            }
        }
    }

    @Test func `Each connection can have a script of its own`() async throws {
        try await withProxy { proxy, _ in
            proxy.follow { number in
                var script = Script()
                script.chosenMethod = UInt8(number)
                return script
            }
            for number in UInt8(0)..<3 {
                let client = try RawClient(port: proxy.port)
                client.send(greeting)
                #expect(try client.receive(2) == [5, number])
            }
        }
    }

    @Test func `Nobody is answered before enough clients wait for the same answer`() async throws {
        var script = Script()
        script.gatheredGreetings = 2
        script.gatheredRequests = 3
        try await withProxy(script) { proxy, target in
            let alone = try RawClient(port: proxy.port)
            alone.send(greeting)
            #expect(try isToldNothing(alone))

            let pair = [try RawClient(port: proxy.port), try RawClient(port: proxy.port)]
            for client in pair { client.send(greeting) }
            for client in pair {
                #expect(try client.receive(2) == [5, 0])
                client.send(request(port: target.port))
            }
            _ = try await proxy.sessions { $0.count { $0.request != nil } == 2 }
            for client in pair { #expect(try isToldNothing(client)) }

            // Greetings are answered at once from now on.
            let three = [
                try RawClient(port: proxy.port), try RawClient(port: proxy.port), try RawClient(port: proxy.port),
            ]
            for client in three {
                client.send(greeting)
                #expect(try client.receive(2) == [5, 0])
                client.send(request(port: target.port))
            }
            for client in three { #expect(try client.receive(10).starts(with: [5, 0])) }
        }
    }

    @Test func `A client that goes away is not waited with`() async throws {
        var script = Script()
        script.gatheredGreetings = 2
        try await withProxy(script) { proxy, _ in
            do {
                let gone = try RawClient(port: proxy.port)
                gone.send(greeting)
            }
            _ = try await proxy.sessions(ended: 1)
            let alone = try RawClient(port: proxy.port)
            alone.send(greeting)
            #expect(try isToldNothing(alone))
            let (first, second) = (try RawClient(port: proxy.port), try RawClient(port: proxy.port))
            for client in [first, second] { client.send(greeting) }
            for client in [first, second] { #expect(try client.receive(2) == [5, 0]) }
        }
    }

    @Test func `A port can have a reply of its own`() async throws {
        try await withProxy { proxy, target in
            var script = Script()
            script.replyCodes = [UInt16(target.port): 4]
            proxy.follow(script)
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            #expect(try client.receiveAll() == [5, 4, 0, 1, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test func `A server that speaks first is heard through the proxy`() async throws {
        try await withProxy(Script(), .banner(Array("220 ready\r\n".utf8))) { proxy, target in
            let client = try RawClient(port: proxy.port)
            client.send(greeting)
            #expect(try client.receive(2) == [5, 0])
            client.send(request(port: target.port))
            _ = try client.receive(10)
            #expect(try client.receive(11) == Array("220 ready\r\n".utf8))
        }
    }
}
