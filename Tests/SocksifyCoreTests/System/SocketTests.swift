import Addressing
import Foundation
import SharedTables
import Testing

@testable import SocksifyCore

@Suite struct SocketTests {
    private let pair = StreamPair()

    @Test func `a socket is known by its cookie, by whatever descriptor`() throws {
        let cookie = try #require(pair.near.cookie)
        let copy = dup(pair.near.descriptor)
        defer { close(copy) }
        #expect(Socket(descriptor: copy).cookie == cookie)
        #expect(pair.far.cookie != cookie)
        #expect(pair.near.mayBe(cookie))
        #expect(!pair.far.mayBe(cookie))
    }

    @Test func `a descriptor of none is no socket`() {
        for descriptor in [-1, open("/dev/null", O_RDONLY)] {
            let socket = Socket(descriptor: descriptor)
            #expect(socket.identity == .none)
            #expect(socket.cookie == nil)
            #expect(!socket.mayBe(1))
            #expect(socket.transport == nil)
            #expect(socket.domain == -1)
            #expect(socket.refusal == nil)
            if descriptor >= 0 { close(descriptor) }
        }
    }

    @Test func `domain, type and protocol are told`() {
        let datagrams = Socket(descriptor: Socket.makeDatagrams(AF_INET6))
        let stream = Socket(descriptor: Socket.make(AF_INET))
        defer {
            close(datagrams.descriptor)
            close(stream.descriptor)
        }
        #expect(pair.near.transport == .other)
        #expect(pair.near.isStream && !pair.near.isInternet)
        #expect(datagrams.isDatagram && !datagrams.isStream && datagrams.domain == AF_INET6)
        #expect(datagrams.isNonBlocking)
        #expect(stream.isTCP == true && stream.isStream && stream.isInternet)
        #expect(!stream.isNonBlocking)
        #expect(stream.isUnconnectedTCP)
        #expect(fcntl(stream.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func `a timeout is told in milliseconds, rounded up`() {
        let socket = pair.near
        #expect(socket.sendTimeout == nil)
        socket.setSendTimeout(milliseconds: 2500)
        #expect(socket.sendTimeout == 2500)
        #expect(socket.receiveTimeout == nil)
        socket.setSendTimeout(milliseconds: nil)
        #expect(socket.sendTimeout == nil)
    }

    @Test func `bytes that were peeked at are still there`() throws {
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(throws: Errno.again) { try bytes.withUnsafeMutableBytes { try pair.near.receive(into: $0) } }
        #expect(try [1, 2, 3].withUnsafeBytes { try pair.far.send($0) } == 24)
        #expect(pair.near.unreadCount == 24)
        #expect(try bytes.withUnsafeMutableBytes { try pair.near.peek(into: $0) } == 8)
        #expect(pair.near.unreadCount == 24)
        #expect(bytes[0] == 1)
        #expect(try bytes.withUnsafeMutableBytes { try pair.near.receive(into: $0) } == 8)
        #expect(pair.near.unreadCount == 16)
    }

    @Test func `what is ready is what poll says`() throws {
        #expect(pair.near.readyEvents == Int16(POLLOUT))
        #expect(try [UInt8(1)].withUnsafeBytes { try pair.far.send($0) } == 1)
        #expect(pair.near.readyEvents == Int16(POLLIN | POLLOUT))
        #expect(try pair.near.wait(for: .toRead, milliseconds: nil) == Int16(POLLIN))
        pair.far.shutDown()
        #expect(pair.near.readyEvents & Int16(POLLHUP) != 0)
    }

    @Test func `a connection that has ended has nothing to be read`() throws {
        #expect(try [UInt8(1)].withUnsafeBytes { try pair.far.send($0) } == 1)
        pair.near.endConnection()
        #expect(pair.near.unreadCount == 0)
        var byte: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try pair.near.receive(into: $0) } == 0)
        #expect(throws: Errno.brokenPipe) { try [UInt8(1)].withUnsafeBytes { try pair.far.send($0) } }
    }

    @Test func `an option that is a number is set and told`() {
        let option = SocketOption(SOL_SOCKET, SO_KEEPALIVE)
        #expect(pair.near.number(of: option) == 0)
        pair.near.set(1, of: option)
        #expect(pair.near.number(of: option) == 1)
        #expect(pair.near.number(of: SocketOption(Int32(IPPROTO_TCP), TCP_NODELAY)) == nil)
    }

    @Test func `a connection over the loopback has a name and a peer`() throws {
        let listener = Socket(descriptor: Socket.make(AF_INET))
        let socket = Socket(descriptor: Socket.make(AF_INET))
        defer {
            close(listener.descriptor)
            close(socket.descriptor)
        }
        try listener.bind(to: SocketAddress(address: address("127.0.0.1"), port: 0))
        try #require(listen(listener.descriptor, 1) == 0)
        let name = try listener.name
        #expect(!socket.isConnected)
        #expect(socket.peer == nil)
        let slot = ProxyLocation.internet(name.address, port: name.port)
        try socket.connect(to: try #require(slot.address(for: .own)))
        #expect(socket.isConnected && socket.isConnectedByTCP)
        #expect(socket.peer == name)
        #expect(socket.takeError() == nil)
        try socket.disconnect()
        #expect(socket.isUnconnectedTCP)
    }
}
