import Addressing
import SharedTables
import TableMemory
import Testing

@Suite struct OriginalSocketsTests {
    private let table = OriginalSockets(
        memory: ReadyMemory(base: zeroedMemory(OriginalSockets<ReadyMemory>.size(capacity: 64))), capacity: 64)
    private let name = SocketAddress(address: .v4(IPv4Address(192, 0, 2, 1)), port: 443)

    @Test func `what the program takes a socket for is found by the cookie of the one in its slot`() throws {
        var socket = OriginalSocket(name: name)
        socket.remember(1, of: SocketOption(6, 1))
        socket.remember(-1, of: SocketOption(41, 67))
        #expect(table.insert(socket, cookie: 7))
        let found = try #require(table.socket(cookie: 7))
        #expect(found == socket)
        #expect(found.name == name)
        #expect(found.value(of: SocketOption(6, 1)) == 1)
        #expect(found.value(of: SocketOption(41, 67)) == -1)
        #expect(table.socket(cookie: 8) == nil)
        #expect(!table.isBeingWritten(cookie: 8))
    }

    @Test func `an option has the value that it was given last`() {
        var socket = OriginalSocket(name: name)
        #expect(socket.value(of: SocketOption(6, 4)) == nil)
        for value in [0, 1, .max, .min] as [Int32] {
            socket.remember(value, of: SocketOption(6, 4))
            #expect(socket.value(of: SocketOption(6, 4)) == value)
        }
        // The same name at another level is another option.
        #expect(socket.value(of: SocketOption(0, 4)) == nil)
        #expect(socket.value(of: SocketOption(6, 5)) == nil)
    }

    @Test func `more options than there is room for are not remembered`() {
        var socket = OriginalSocket(name: name)
        for option in 1...30 as ClosedRange<Int32> { socket.remember(option, of: SocketOption(6, option)) }
        #expect(socket.value(of: SocketOption(6, 1)) == 1)
        #expect(socket.value(of: SocketOption(6, 17)) == 17)
        #expect(socket.value(of: SocketOption(6, 18)) == nil)
        socket.remember(5, of: SocketOption(6, 17))
        #expect(socket.value(of: SocketOption(6, 17)) == 5)
    }
}
