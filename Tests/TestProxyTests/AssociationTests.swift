import Glibc
import TestProxy
import Testing

/// UDP ASSOCIATE over real sockets, by literal bytes.
@Suite struct AssociationTests {
    /// A client with an association: its sockets, and an echo target.
    private struct Client {
        let control: RawClient
        let socket: RawDatagramSocket
        let reply: [UInt8]
        let target: Int

        /// Associates by a request for any address and `announcedPort`.
        init(_ proxy: TestProxy, target: Int, announcesPort: Bool = false) throws {
            control = try RawClient(port: proxy.port)
            socket = try RawDatagramSocket()
            self.target = target
            control.send([5, 1, 0])
            #expect(try control.receive(2) == [5, 0])
            control.send([5, 3, 0, 1, 0, 0, 0, 0] + bytes(of: announcesPort ? socket.port : 0))
            reply = try control.receive(10)
        }

        /// BND.PORT.
        var relay: Int { Int(reply[8]) << 8 | Int(reply[9]) }

        /// The header before a payload to and from the target.
        var header: [UInt8] { [0, 0, 0, 1, 127, 0, 0, 1] + bytes(of: target) }

        /// The same with a FRAG.
        func header(fragment: UInt8) -> [UInt8] { [0, 0, fragment] + header.dropFirst(3) }

        func send(_ bytes: [UInt8]) throws { try socket.send(bytes, to: relay) }

        func receive() throws -> [UInt8] { try socket.receive().bytes }

        func receive(count: Int) throws -> [[UInt8]] { try (0..<count).map { _ in try receive() } }
    }

    private func withClient(
        _ script: Script = Script(), _ body: (TestProxy, Client) async throws -> Void
    ) async throws {
        try await withTarget(script) { proxy, target in try await body(proxy, Client(proxy, target: target)) }
    }

    private func withTarget(_ script: Script = Script(), _ body: (TestProxy, Int) async throws -> Void) async throws {
        try await DatagramServer.start().during { target in
            try await TestProxy.start(script: script).during { try await body($0, target.port) }
        }
    }

    private func script(_ change: (inout Script.Datagrams) -> Void) -> Script {
        var script = Script()
        change(&script.datagrams)
        return script
    }

    // MARK: An honest relay

    @Test func `Datagrams are relayed both ways, and what comes back has its true source`() async throws {
        try await withClient { proxy, client in
            #expect(client.reply.starts(with: [5, 0, 0, 1, 127, 0, 0, 1]))
            for payload: [UInt8] in [[1, 2, 3], [], [4]] {
                try client.send(client.header + payload)
                let (answer, port) = try client.socket.receive()
                #expect(answer == client.header + payload)
                #expect(port == client.relay)
            }
            let session = proxy.sessions[0]
            #expect(session.request == Request(command: .udpAssociate, address: .ipv4([0, 0, 0, 0]), port: 0))
            #expect(session.outcome == .relaying)
            #expect(session.pipelined == false)
            let record = try #require(session.association)
            #expect(record.relay == Endpoint(.ipv4([127, 0, 0, 1]), port: UInt16(client.relay)))
            #expect((record.fromClient, record.toClient) == (3, 3))
            #expect(record.destinations == [Endpoint(.ipv4([127, 0, 0, 1]), port: UInt16(client.target))])
            #expect(record.clientPorts == [UInt16(client.socket.port)])
            #expect(record.lastFromClient == [])
        }
    }

    @Test func `A name is resolved by the script's table, and what comes back has the address`() async throws {
        var script = Script()
        script.names["echo.test"] = ["127.0.0.1"]
        try await withClient(script) { proxy, client in
            let name = [3, 9] + Array("Echo.test".utf8) + bytes(of: client.target)
            try client.send([0, 0, 0] + name + [7])
            #expect(try client.receive() == client.header + [7])
            #expect(
                proxy.sessions[0].association?.destinations.map(\.description) == ["Echo.test:\(client.target)"])
        }
    }

    @Test func `A name that is not in the table is resolved by the system, nothing being lost or overtaken`()
        async throws
    {
        try await withClient { _, client in
            let name = [3, 9] + Array("127.0.0.1".utf8) + bytes(of: client.target)
            for number in UInt8(0)..<20 { try client.send([0, 0, 0] + name + [number]) }
            for number in UInt8(0)..<20 { #expect(try client.receive() == client.header + [number]) }
        }
    }

    @Test func `A destination by IPv6 address is reached, and comes back as one`() async throws {
        try await DatagramServer.start(host: "::1").during { target in
            try await withClient { _, client in
                let header = [0, 0, 0, 4] + Array(repeating: UInt8(0), count: 15) + [1] + bytes(of: target.port)
                try client.send(header + [7])
                #expect(try client.receive() == header + [7])
            }
        }
    }

    @Test func `A proxy for both families relays at the address that the client came to`() async throws {
        try await DatagramServer.start().during { target in
            try await TestProxy.start(host: "::").during { proxy in
                let client = try Client(proxy, target: target.port)
                #expect(client.reply.starts(with: [5, 0, 0, 1, 127, 0, 0, 1]))
                try client.send(client.header + [7])
                #expect(try client.receive() == client.header + [7])
            }
        }
    }

    @Test func `Of a name's addresses the first is taken that can be sent to`() async throws {
        var script = Script()
        script.names["echo.test"] = ["255.255.255.255", "127.0.0.1"]
        try await withClient(script) { _, client in
            try client.send([0, 0, 0, 3, 9] + Array("echo.test".utf8) + bytes(of: client.target) + [7])
            #expect(try client.receive() == client.header + [7])
        }
    }

    @Test func `A destination that cannot be sent to harms no other`() async throws {
        try await withClient { _, client in
            try client.send([0, 0, 0, 1, 255, 255, 255, 255, 0, 53])
            try client.send([0, 0, 0, 1, 127, 0, 0, 1, 0, 0])
            try client.send([0, 0, 0, 3, 13] + Array("nobody.invalid".utf8.prefix(13)) + [0, 53])
            try client.send(client.header + [7])
            #expect(try client.receive() == client.header + [7])
        }
    }

    @Test func `What nobody answers can be waited for in the session`() async throws {
        try await withTarget { proxy, _ in
            let target = try RawDatagramSocket()
            let client = try Client(proxy, target: target.port)
            try client.send(client.header + [1])
            let sessions = try await proxy.sessions { $0.first?.association?.fromClient == 1 }
            #expect(sessions[0].association?.destinations.map(\.port) == [UInt16(target.port)])
        }
    }

    @Test func `The largest datagram passes, and one too large is lost alone`() async throws {
        try await withTarget { proxy, _ in
            let target = try RawDatagramSocket()
            let client = try Client(proxy, target: target.port)
            let largest = [UInt8](repeating: 0xa5, count: 65507 - 10)
            try client.send(client.header + largest)
            let (received, source) = try target.receive()
            #expect(received == largest)
            for answer in [largest + Array(repeating: 1, count: 10), [2], largest] {
                try target.send(answer, to: source)
            }
            #expect(try client.receive(count: 2) == [client.header + [2], client.header + largest])
        }
    }

    @Test func `Many datagrams pass, each in its turn`() async throws {
        try await withClient { proxy, client in
            // No more at a time than fit into any kernel's buffer.
            for round in 0..<100 {
                let payloads = (0..<64).map { [UInt8(round), UInt8($0)] + Array(repeating: 0xee, count: 1200) }
                for payload in payloads { try client.send(client.header + payload) }
                for payload in payloads { #expect(try client.receive() == client.header + payload) }
            }
            let record = try #require(proxy.sessions[0].association)
            #expect((record.fromClient, record.toClient) == (6400, 6400))
        }
    }

    @Test func `The first port of the client is served and no other`() async throws {
        try await withClient { proxy, client in
            try client.send(client.header + [1])
            #expect(try client.receive() == client.header + [1])
            let other = try RawDatagramSocket()
            try other.send(client.header + [2], to: client.relay)
            try client.send(client.header + [3])
            #expect(try client.receive() == client.header + [3])
            let record = try #require(proxy.sessions[0].association)
            #expect(record.clientPorts == [client.socket.port, other.port].map(UInt16.init))
            #expect((record.fromClient, record.fromStrangers) == (2, 1))
        }
    }

    @Test func `A port that the client announced is served and no other`() async throws {
        try await withTarget { proxy, target in
            let client = try Client(proxy, target: target, announcesPort: true)
            let other = try RawDatagramSocket()
            try other.send(client.header + [1], to: client.relay)
            try client.send(client.header + [2])
            #expect(try client.receive() == client.header + [2])
            #expect(proxy.sessions[0].association?.fromStrangers == 1)
        }
    }

    @Test func `Another address than the client's is not served`() async throws {
        try await withClient { proxy, client in
            let other = try RawDatagramSocket(address: 0x7f00_0002)
            try other.send(client.header + [1], to: client.relay)
            try client.send(client.header + [2])
            #expect(try client.receive() == client.header + [2])
            let record = try #require(proxy.sessions[0].association)
            #expect(record.fromStrangers == 1)
            #expect(record.clientPorts == [UInt16(client.socket.port)])
        }
    }

    @Test func `Who was not sent to is not heard`() async throws {
        try await withTarget { proxy, _ in
            let (target, stranger) = (try RawDatagramSocket(), try RawDatagramSocket())
            let client = try Client(proxy, target: target.port)
            try client.send(client.header + [1])
            let source = try target.receive().port
            try stranger.send([2], to: source)
            try target.send([3], to: source)
            #expect(try client.receive() == client.header + [3])
            #expect(proxy.sessions[0].association?.unasked == 1)
        }
    }

    @Test func `What is malformed is counted and goes nowhere`() async throws {
        try await withClient { proxy, client in
            for bytes in Script.Datagrams.malformed { try client.send(bytes) }
            try client.send(client.header + [1])
            #expect(try client.receive() == client.header + [1])
            let record = try #require(proxy.sessions[0].association)
            #expect(record.malformed == Script.Datagrams.malformed.count)
            #expect(record.fromClient == Script.Datagrams.malformed.count + 1)
            #expect(record.destinations.count == 1)
        }
    }

    @Test func `The association ends with the control connection, and its port with it`() async throws {
        try await withTarget { proxy, target in
            let relay: Int
            let socket: UInt64
            do {
                let client = try Client(proxy, target: target)
                relay = client.relay
                socket = try #require(try OwnDatagramSocket.inode(port: relay))
                try client.send(client.header + [1])
                #expect(try client.receive() == client.header + [1])
                #expect(proxy.sessions[0].ended == false)
            }
            _ = try await proxy.sessions(ended: 1)
            // Another socket may already have the port.
            try await TimedOut.wait(for: "an end of the relay") { try OwnDatagramSocket.inode(port: relay) != socket }
        }
    }

    // MARK: A script's

    @Test func `An association can be refused, and not be known`() async throws {
        var (refusing, unknowing) = (Script(), Script())
        refusing.commandReplyCodes[.udpAssociate] = 2
        unknowing.commands.remove(.udpAssociate)
        for (script, code): (Script, UInt8) in [(refusing, 2), (unknowing, 7)] {
            try await withClient(script) { proxy, client in
                #expect(client.reply == [5, code, 0, 1, 0, 0, 0, 0, 0, 0])
                let rest = try client.control.receiveAll()
                #expect(rest == [])
                #expect(proxy.sessions[0].association == nil)
            }
        }
    }

    @Test(arguments: [Address("0.0.0.0"), Address("::"), Address("192.0.2.1"), Address("relay.test")])
    func `The reply can say another address, and the port is true`(address: Address) async throws {
        var script = Script()
        script.boundAddress = address
        try await withTarget(script) { proxy, target in
            let control = try RawClient(port: proxy.port)
            control.send([5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0])
            #expect(try control.receive(2) == [5, 0])
            let expected: [UInt8] =
                switch address {
                case .ipv4(let bytes): [1] + bytes
                case .ipv6(let bytes): [4] + bytes
                case .name(let bytes): [3, UInt8(bytes.count)] + bytes
                }
            #expect(try control.receive(3 + expected.count) == [5, 0, 0] + expected)
            let relay = try control.receive(2)
            #expect(relay == bytes(of: Int(try #require(proxy.sessions[0].association).relay.port)))
        }
    }

    @Test func `Of names the client hears names, of addresses addresses, if the script says so`() async throws {
        var script = script { $0.reportsNames = true }
        script.names["echo.test"] = ["127.0.0.1"]
        try await DatagramServer.start().during { other in
            try await withClient(script) { _, client in
                let named = [0, 0, 0, 3, 9] + Array("echo.test".utf8) + bytes(of: client.target)
                let numbered = [0, 0, 0, 1, 127, 0, 0, 1] + bytes(of: other.port)
                for header in [named, numbered] {
                    try client.send(header + [7])
                    #expect(try client.receive() == header + [7])
                }
            }
        }
    }

    @Test func `A source can be made up`() async throws {
        let script = script { $0.source = Endpoint(.name(Array("else.test".utf8)), port: 0x1234) }
        try await withClient(script) { _, client in
            try client.send(client.header + [7])
            #expect(try client.receive() == [0, 0, 0, 3, 9] + Array("else.test".utf8) + [0x12, 0x34, 7])
        }
    }

    @Test(arguments: [
        (Script.Datagrams.Fate.pass, [0, 1, 2, 3] as [UInt8]), (.drop, [0, 2, 3]), (.duplicate, [0, 1, 1, 2, 3]),
        (.holdBack, [0, 2, 1, 3]),
    ]) func `A datagram can be lost, doubled or overtaken, in each direction`(
        fate: Script.Datagrams.Fate, arriving: [UInt8]
    ) async throws {
        for script in [
            script { $0.fromClient = { $0 == 1 ? fate : .pass } }, script { $0.toClient = { $0 == 1 ? fate : .pass } },
        ] {
            try await withClient(script) { _, client in
                for number in UInt8(0)..<4 { try client.send(client.header + [number]) }
                #expect(try client.receive(count: arriving.count) == arriving.map { client.header + [$0] })
            }
        }
    }

    @Test func `Datagrams come in fragments, in any order, each as often as the script says`() async throws {
        let script = script {
            $0.fragmentation = { number in
                switch number {
                case 0: .init(3)
                case 1: .init(3, order: [2, 0, 0])
                default: nil
                }
            }
        }
        try await withClient(script) { _, client in
            for payload: [UInt8] in [[1, 2, 3, 4, 5], [6, 7, 8], [9]] { try client.send(client.header + payload) }
            #expect(
                try client.receive(count: 7) == [
                    client.header(fragment: 1) + [1], client.header(fragment: 2) + [2, 3],
                    client.header(fragment: 0x83) + [4, 5],
                    client.header(fragment: 0x83) + [8], client.header(fragment: 1) + [6],
                    client.header(fragment: 1) + [6],
                    client.header + [9],
                ])
        }
    }

    @Test func `The client's fragments are put together, and counted`() async throws {
        try await withClient { proxy, client in
            for (fragment, payload): (UInt8, [UInt8]) in [
                (1, [1]), (2, [2]), (0x83, [3]),
                // A new beginning discards the fragments before; a missing fragment ends the sequence.
                (1, [9]), (1, [4]), (0x82, [5]), (1, [9]), (0x83, [9]), (0x82, [9]), (0x80, [9]),
                // A single fragment, and a fragment that a whole datagram interrupts.
                (0x81, [6]), (1, [9]), (0, [7]), (0x82, [9]), (0, [8]),
            ] {
                try client.send(client.header(fragment: fragment) + payload)
            }
            #expect(
                try client.receive(count: 5) == [[1, 2, 3], [4, 5], [6], [7], [8]].map { client.header + $0 })
            let record = try #require(proxy.sessions[0].association)
            #expect((record.fromClient, record.fragments, record.reassembled) == (15, 13, 3))
        }
    }

    @Test func `Fragments for different destinations are not put together`() async throws {
        try await withClient { _, client in
            try client.send(client.header(fragment: 1) + [1])
            try client.send([0, 0, 0x82, 1, 127, 0, 0, 1, 0, 9, 2])
            try client.send(client.header + [3])
            #expect(try client.receive() == client.header + [3])
        }
    }

    @Test func `Garbage comes from the relay as it is, before the datagram of its number`() async throws {
        let garbage = Script.Datagrams.malformed
        let script = script { $0.garbage = { $0 == 1 ? garbage : [] } }
        try await withClient(script) { _, client in
            for number: UInt8 in [0, 1] { try client.send(client.header + [number]) }
            #expect(
                try client.receive(count: garbage.count + 2)
                    == [client.header + [0]] + garbage + [client.header + [1]])
        }
    }

    @Test func `A stranger's datagram comes from another port of the relay's address`() async throws {
        let stranger: [UInt8] = [0, 0, 0, 1, 192, 0, 2, 1, 0, 53, 0xaa]
        let script = script { $0.strangers = { $0 == 0 ? [stranger] : [] } }
        try await withClient(script) { _, client in
            try client.send(client.header + [1])
            let received = [try client.socket.receive(), try client.socket.receive()]
            let others = received.filter { $0.port != client.relay }
            #expect(others.map(\.bytes) == [stranger])
            #expect(received.first { $0.port == client.relay }?.bytes == client.header + [1])
        }
    }

    @Test func `The control connection is closed after as many datagrams as the script says`() async throws {
        let script = script { $0.closesAfter = 3 }
        try await withClient(script) { proxy, client in
            try client.send(client.header + [1])
            #expect(try client.receive() == client.header + [1])
            #expect(client.control.isQuiet())
            try client.send(client.header + [2])
            #expect(try client.control.receiveAll() == [])
            let sessions = try await proxy.sessions(ended: 1)
            let record = try #require(sessions[0].association)
            #expect((record.fromClient, record.toClient) == (2, 1))
        }
    }

    @Test func `The client's last datagrams are kept as they came`() async throws {
        let script = script { $0.kept = 2 }
        try await withClient(script) { proxy, client in
            for bytes in [client.header + [1], [0, 0], client.header + [3]] { try client.send(bytes) }
            _ = try client.receive(count: 2)
            #expect(proxy.sessions[0].association?.lastFromClient == [[0, 0], client.header + [3]])
        }
    }

    @Test func `A fault of the handshake is one of an association's, too`() async throws {
        var script = Script()
        script.fault = Script.Fault(.close, after: 6)
        try await withTarget(script) { proxy, _ in
            let control = try RawClient(port: proxy.port)
            control.send([5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0])
            #expect(try control.receiveAll() == [5, 0, 5, 0, 0, 1])
            #expect(try await proxy.sessions(ended: 1)[0].outcome == .faulted)
        }
    }
}

/// A port in network byte order.
private func bytes(of port: Int) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff)] }
