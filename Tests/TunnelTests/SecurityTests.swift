import Addressing
import ProxyConfig
import SOCKS5
import Testing
import Tunnel

/// A chain whose proxies are authenticated with by GSSAPI.
@Suite struct SecurityTests {
    private func proxy(_ host: UInt8, isSecured: Bool) -> Proxy {
        var proxy = Proxy(type: .socks5, host: .address(.v4(IPv4Address(10, 0, 0, host))), port: 1080)
        if isSecured { proxy.gssapi = GSSAPISettings(protection: .integrity) }
        return proxy
    }

    private func handshake(_ count: Int) -> ChainHandshake {
        var chain = Chain()
        for index in 0..<count { _ = chain.append(index) }
        let target = Endpoint(host: .address(.v4(IPv4Address(10, 9, 9, 9))), port: 9)
        return ChainHandshake(for: Request(command: .connect, destination: target), through: chain)
    }

    private let reply: [UInt8] = [5, 0, 0, 1, 1, 2, 3, 4, 0, 5]

    @Test func `Each proxy gets a context of its own, before its request`() throws {
        let proxies = [proxy(1, isSecured: true), proxy(2, isSecured: false), proxy(3, isSecured: true)]
        var handshake = handshake(3)
        let stream = ScriptedStream()
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.takeSent() == [5, 1, 1])
        stream.incoming = [5, 1]
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.secured == [0])
        #expect(stream.takeSent() == [5, 1, 0, 1, 10, 0, 0, 2, 4, 56])
        stream.incoming = reply
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.takeSent() == [5, 1, 0])
        stream.incoming = [5, 0]
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.takeSent() == [5, 1, 0, 1, 10, 0, 0, 3, 4, 56])
        stream.incoming = reply
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.takeSent() == [5, 1, 1])
        stream.incoming = [5, 1]
        _ = try stream.advance(&handshake, through: proxies)
        #expect(stream.secured == [0, 2])
        #expect(stream.takeSent() == [5, 1, 0, 1, 10, 9, 9, 9, 0, 9])
        stream.incoming = reply
        #expect(try stream.advance(&handshake, through: proxies) == .established)
    }

    @Test func `A context that waits is gone on with, and nothing is sent meanwhile`() throws {
        let proxies = [proxy(1, isSecured: true)]
        var handshake = handshake(1)
        let stream = ScriptedStream()
        _ = try stream.advance(&handshake, through: proxies)
        _ = stream.takeSent()
        stream.securing = [.waitsToReceive, .waitsToSend, .waitsToReceive, .done]
        stream.incoming = [5, 1]
        var waits: [Bool] = []
        for _ in 0..<3 {
            #expect(try stream.advance(&handshake, through: proxies) == .waiting)
            waits.append(handshake.waitsToReceive)
            #expect(stream.sent.isEmpty)
        }
        #expect(waits == [true, false, true])
        #expect(try stream.advance(&handshake, through: proxies) == .asked)
        #expect(stream.takeSent() == [5, 1, 0, 1, 10, 9, 9, 9, 0, 9])
    }

    @Test func `No other process goes on while a context is being established`() throws {
        let proxies = [proxy(1, isSecured: true)]
        var handshake = handshake(1)
        let stream = ScriptedStream()
        _ = try stream.advance(&handshake, through: proxies)
        stream.securing = [.waitsToReceive]
        stream.incoming = [5, 1]
        _ = try stream.advance(&handshake, through: proxies)
        let copy = ChainHandshake(
            for: handshake.request, through: handshake.chain, at: handshake.position, proxies.span, isolation: nil)
        #expect(copy == nil)
    }

    @Test(arguments: [
        (ProtocolError.mechanismFailed, FailureKind.incapability), (.mechanismMissing, .incapability),
        (.closedInPlaceOfToken, .fault), (.protectionRefused(level: 0), .fault), (.securityAborted, .fault),
        (.messageForged, .fault),
    ]) func `What fails tells of the proxy, or of this side`(error: ProtocolError, kind: FailureKind) {
        #expect(ProxyError.socks5(error).kind == kind)
    }
}
