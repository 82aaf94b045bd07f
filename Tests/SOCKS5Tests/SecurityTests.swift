import Addressing
import SOCKS5
import Testing

/// GSSAPI as the method of a handshake, and the messages of RFC 1961.
@Suite struct SecurityTests {
    private let target = Endpoint(host: .address(.v4(IPv4Address(10, 78, 2, 2))), port: 7)

    private func handshake() -> ClientHandshake {
        ClientHandshake(Request(command: .connect, destination: target), offering: .gssapi)
    }

    @Test func `GSSAPI is offered alone`() throws {
        var handshake = handshake()
        var message = FixedBytes<513>()
        #expect(handshake.start(writing: &message) == .send(thenReceive: 2))
        #expect(bytes(message) == [5, 1, 1])
    }

    @Test(arguments: [0, 2] as [UInt8]) func `A proxy that chooses another method is refused`(method: UInt8) {
        var handshake = handshake()
        var message = FixedBytes<513>()
        _ = handshake.start(writing: &message)
        #expect(throws: ProtocolError.methodNotOffered(Method(code: method))) {
            try handshake.receive([5, method].span, writing: &message)
        }
    }

    @Test func `GSSAPI is refused where it was not offered`() {
        var handshake = ClientHandshake(Request(command: .connect, destination: target), offering: .usernamePassword)
        var message = FixedBytes<513>()
        _ = handshake.start(writing: &message)
        #expect(throws: ProtocolError.methodNotOffered(.gssapi)) {
            try handshake.receive([5, 1].span, writing: &message)
        }
    }

    @Test func `The request comes behind the security context`() throws {
        var handshake = handshake()
        var message = FixedBytes<513>()
        _ = handshake.start(writing: &message)
        message = FixedBytes()
        #expect(try handshake.receive([5, 1].span, writing: &message) == .establishSecurity)
        #expect(message.count == 0)
        #expect(try handshake.authenticated(writing: &message) == .send(thenReceive: 5))
        #expect(bytes(message) == [5, 1, 0, 1, 10, 78, 2, 2, 0, 7])
    }

    @Test func `Nothing is received in place of a security context`() throws {
        var handshake = handshake()
        var message = FixedBytes<513>()
        _ = handshake.start(writing: &message)
        _ = try handshake.receive([5, 1].span, writing: &message)
        #expect(throws: ProtocolError.handshakeOver) { try handshake.receive([5, 0].span, writing: &message) }
        #expect(throws: ProtocolError.handshakeOver) { try handshake.authenticated(writing: &message) }
    }

    @Test func `A handshake is not authenticated before it was asked to be`() {
        var handshake = handshake()
        var message = FixedBytes<513>()
        _ = handshake.start(writing: &message)
        #expect(throws: ProtocolError.handshakeOver) { try handshake.authenticated(writing: &message) }
    }

    @Test func `No other process goes on with a security context`() {
        let request = Request(command: .connect, destination: target)
        #expect(ClientHandshake(request, offering: .gssapi, progress: 6) == nil)
        #expect(ClientHandshake(request, offering: .gssapi, progress: 2) == nil)
        #expect(ClientHandshake(request, offering: .gssapi, progress: 3) != nil)
    }

    // MARK: Messages

    @Test func `A head has version, type and length`() {
        for (kind, length, expected) in [
            (SecurityMessage.Kind.token, 774, [1, 1, 3, 6]), (.protection, 29, [1, 2, 0, 29]),
            (.data, 65535, [1, 3, 255, 255]), (.token, 0, [1, 1, 0, 0]),
        ] as [(SecurityMessage.Kind, Int, [UInt8])] {
            let head = SecurityMessage.head(kind, length: length)
            #expect([head[0], head[1], head[2], head[3]] == expected)
        }
    }

    @Test func `A message is of the expected type, or an abort`() throws {
        try SecurityMessage.check(version: 1, type: 1, is: .token)
        try SecurityMessage.check(version: 1, type: 3, is: .data)
        #expect(throws: ProtocolError.securityAborted) {
            try SecurityMessage.check(version: 1, type: 255, is: .token)
        }
        #expect(throws: ProtocolError.unexpectedSecurityMessage(version: 1, type: 3)) {
            try SecurityMessage.check(version: 1, type: 3, is: .token)
        }
        #expect(throws: ProtocolError.unexpectedSecurityMessage(version: 5, type: 255)) {
            try SecurityMessage.check(version: 5, type: 255, is: .token)
        }
    }

    private func bytes(_ message: FixedBytes<513>) -> [UInt8] {
        (0..<message.count).map { message.bytes[$0] }
    }
}
