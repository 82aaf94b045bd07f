import TestProxy
import Testing

/// Tor's RESOLVE and RESOLVE_PTR over real sockets, by literal bytes.
@Suite struct NameRequestTests {
    /// All bytes of the proxy's answer to a command for an address.
    private func answer(_ command: UInt8, _ address: [UInt8]) async throws -> ([UInt8], Session) {
        var script = Script()
        script.commands = [.resolve, .resolvePTR]
        script.names = ["web.test": ["192.0.2.7", "2001:db8::7"], "alias.test": ["192.0.2.7"], "six.test": ["::7"]]
        return try await TestProxy.start(script: script).during { proxy in
            let client = try RawClient(port: proxy.port)
            client.send([5, 1, 0])
            #expect(try client.receive(2) == [5, 0])
            client.send([5, command, 0] + address + [0, 0])
            let answer = try client.receiveAll()
            return (answer, try await proxy.sessions(ended: 1)[0])
        }
    }

    private func reply(_ command: UInt8, _ address: [UInt8]) async throws -> [UInt8] {
        try await answer(command, address).0
    }

    private func name(_ text: String) -> [UInt8] { [3, UInt8(text.utf8.count)] + Array(text.utf8) }

    @Test func `A name is answered with its first address, and the connection is closed`() async throws {
        let (bytes, session) = try await answer(0xf0, name("Web.test"))
        #expect(bytes == [5, 0, 0, 1, 192, 0, 2, 7, 0, 0])
        #expect(session.outcome == .resolved)
        #expect(session.description == "RESOLVE Web.test:0 (name resolved by the proxy): resolved")
        let six: [UInt8] = [4] + Array(repeating: 0, count: 15) + [7]
        #expect(try await reply(0xf0, name("six.test")) == [5, 0, 0] + six + [0, 0])
    }

    @Test func `A name that is not in the table is resolved by the system`() async throws {
        let (bytes, _) = try await answer(0xf0, name("localhost"))
        #expect(
            bytes == [5, 0, 0, 1, 127, 0, 0, 1, 0, 0]
                || bytes == [5, 0, 0, 4] + Array(repeating: 0, count: 15) + [1, 0, 0])
    }

    @Test func `An address is its own answer, as a number and as text`() async throws {
        for address in [[1, 192, 0, 2, 9], name("192.0.2.9")] {
            #expect(try await reply(0xf0, address) == [5, 0, 0, 1, 192, 0, 2, 9, 0, 0])
        }
    }

    @Test func `An address is answered with its name, the first if it has several`() async throws {
        let (bytes, session) = try await answer(0xf1, [1, 192, 0, 2, 7])
        #expect(bytes == [5, 0, 0] + name("alias.test") + [0, 0])
        #expect(session.request?.description == "RESOLVE_PTR 192.0.2.7:0")
        #expect(try await reply(0xf1, name("192.0.2.7")) == [5, 0, 0] + name("alias.test") + [0, 0])
        let six: [UInt8] = [4, 0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [7]
        #expect(try await reply(0xf1, six) == [5, 0, 0] + name("web.test") + [0, 0])
    }

    @Test func `An address that is not in the table has the system's name`() async throws {
        let (bytes, _) = try await answer(0xf1, [1, 127, 0, 0, 1])
        #expect(bytes.starts(with: [5, 0, 0, 3]))
    }

    @Test func `What is not known, and the name of a name, is refused`() async throws {
        #expect(try await reply(0xf0, name("nobody.invalid")) == [5, 4, 0, 1, 0, 0, 0, 0, 0, 0])
        let (bytes, session) = try await answer(0xf1, name("web.test"))
        #expect(bytes == [5, 8, 0, 1, 0, 0, 0, 0, 0, 0])
        #expect(session.outcome == .refused(8))
    }
}
