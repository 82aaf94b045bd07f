import Glibc
import TestProxy
import Testing

/// Tests of closed ports and of time limits, on which other tests rely.
@Suite struct ClosedPortTests {
    private static let refused = RawClient.Failure(code: ECONNREFUSED)

    /// The result of bind(2) for another socket that asks for the port.
    private func errorOfBinding(to port: Int) -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
            }
        }
    }

    @Test func `A closed port refuses, and nobody gets it`() async throws {
        try await ClosedPort.during { port in
            #expect(throws: ClosedPortTests.refused) { try RawClient(port: port) }
            #expect(errorOfBinding(to: port) == EADDRINUSE)
        }
    }

    @Test func `A proxy serves at a closed port, and leaves it closed`() async throws {
        try await ClosedPort.during { port in
            try await TestProxy.start(port: port).during { proxy in
                let client = try RawClient(port: port)
                client.send([5, 1, 0])
                #expect(try client.receive(2) == [5, 0])
            }
            #expect(throws: ClosedPortTests.refused) { try RawClient(port: port) }
        }
    }

    @Test func `The port of a server that stopped is closed, and nobody gets it`() async throws {
        for host in ["127.0.0.1", "::"] {
            let target = try await TargetServer.start(.echo, host: host)
            await target.stop()
            #expect(throws: ClosedPortTests.refused) { try RawClient(port: target.port) }
            #expect(errorOfBinding(to: target.port) == EADDRINUSE)
            // But a later server can have the port.
            try await TargetServer.start(.echo, host: host, port: target.port).during {
                _ = try RawClient(port: $0.port)
            }
        }
    }

    @Test func `A server stops when a test fails`() async throws {
        let target = try await TargetServer.start(.echo)
        await #expect(throws: ClosedPortTests.refused) {
            try await target.during { _ in throw ClosedPortTests.refused }
        }
        #expect(throws: ClosedPortTests.refused) { try RawClient(port: target.port) }
    }

    @Test func `Sessions that do not come are an error, which says what there is`() async throws {
        try await TestProxy.start().during { proxy in
            let client = try RawClient(port: proxy.port)
            client.send([5, 1, 0])
            #expect(try client.receive(2) == [5, 0])
            let error = try await #require(throws: (any Error).self) {
                try await proxy.sessions(ended: 1, within: .zero)
            }
            #expect("\(error)".contains("1\n  connection from 127.0.0.1: in progress, not ended"))
        }
    }
}
