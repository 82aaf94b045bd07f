import Foundation
import SOCKS5
import Testing
import Tunnel

@testable import SocksifyCore

@Suite struct ErrnoMappingTests {
    @Test(arguments: [
        (1, ECONNREFUSED), (2, ECONNREFUSED), (3, ENETUNREACH), (4, EHOSTUNREACH), (5, ECONNREFUSED), (6, ETIMEDOUT),
        (7, ECONNREFUSED), (8, ECONNREFUSED), (0xf0, EHOSTUNREACH), (0xf1, EHOSTUNREACH), (0xf2, ECONNREFUSED),
        (0xf3, ECONNREFUSED), (0xf4, EACCES), (0xf5, EACCES), (0xf6, EHOSTUNREACH), (0xf7, ETIMEDOUT),
        (0xff, ECONNREFUSED),
    ])
    func `a reply code is the error that the program would have seen without a proxy`(_ code: Int, _ errno: Int32) {
        let error = HandshakeError.proxy(.socks5(.rejected(ReplyCode(code: UInt8(code)))))
        #expect(error.errno.code == errno)
        #expect(error.kind == .refusal)
        #expect(error.isRefusal && error.isOfProtocol)
    }

    @Test func `who is not let in is denied access`() {
        #expect(HandshakeError.proxy(.socks5(.noAcceptableMethod)).errno == .accessDenied)
        #expect(HandshakeError.proxy(.socks5(.credentialsRefused(status: 1))).errno == .accessDenied)
        #expect(HandshakeError.proxy(.socks4(.rejected(.identUnreachable))).errno == .accessDenied)
        #expect(HandshakeError.proxy(.socks4(.rejected(.userIDMismatch))).errno == .accessDenied)
        #expect(HandshakeError.proxy(.http(.credentialsWanted)).errno == .accessDenied)
    }

    @Test func `what cannot be asked for is unreachable`() {
        #expect(HandshakeError.proxy(.socks4(.ipv6Destination)).errno == .networkUnreachable)
        #expect(HandshakeError.proxy(.socks4(.unusableName)).errno == .hostUnreachable)
        #expect(HandshakeError.proxy(.unreachable).errno == .networkUnreachable)
        #expect(HandshakeError.proxy(.http(.rejected(.gatewayTimeout))).errno == .timedOut)
        #expect(HandshakeError.proxy(.http(.rejected(.forbidden))).errno == .connectionRefused)
    }

    @Test func `what the kernel says of an accepted connection is no error of connect`() {
        #expect(HandshakeError.kernel(.connectionReset).errno == .connectionRefused)
        #expect(HandshakeError.kernel(.brokenPipe).errno == .connectionRefused)
        #expect(HandshakeError.kernel(Errno(ENOENT)).errno == .connectionRefused)
        #expect(HandshakeError.kernel(.accessDenied).errno == .accessDenied)
        #expect(HandshakeError.kernel(.hostUnreachable).errno == .hostUnreachable)
        #expect(HandshakeError.timedOut.errno == .timedOut)
        #expect(HandshakeError.byKernel.errno == .connectionRefused)
    }

    @Test func `what failed says what kind of proxy it is`() {
        #expect(HandshakeError.kernel(.connectionReset).kind == .silence)
        #expect(HandshakeError.timedOut.kind == .silence)
        #expect(HandshakeError.kernel(.aborted).kind == .abortion)
        #expect(HandshakeError.kernel(.networkUnreachable).kind == .fault)
        #expect(HandshakeError.byKernel.kind == .fault)
        #expect(!HandshakeError.timedOut.isOfProtocol)
    }

    @Test func `a datagram fails with what is no word of its destination`() {
        #expect(HandshakeError.proxy(.socks5(.rejected(.connectionRefused))).errnoOfDatagrams == .networkUnreachable)
        #expect(HandshakeError.proxy(.socks5(.noAcceptableMethod)).errnoOfDatagrams == .accessDenied)
    }
}
