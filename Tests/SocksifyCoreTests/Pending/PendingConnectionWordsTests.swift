import Addressing
import ProxyConfig
import SOCKS5
import SharedTables
import Testing
import Tunnel

@testable import SocksifyCore

/// The words by which processes tell each other of a pending connection.
@Suite struct PendingConnectionWordsTests {
    private static let text = "[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080 user password\n"
    private let words = zeroedMemory(PendingConnection.wordCount * 8)
    private let buffers = HandshakeBuffers(memory: zeroedMemory(HandshakeBuffers.size))

    private func cursor(count: Int = PendingConnection.wordCount, check: UInt64 = 7) -> WordCursor {
        WordCursor(words, count: count, check: check)
    }

    /// One of this process, through both proxies, that has sent a greeting.
    private func written(_ proxies: borrowing Proxies) -> PendingConnection {
        var chain = Chain()
        _ = chain.append(0)
        _ = chain.append(1)
        var handshake = Handshake(
            for: Request(
                command: .connect, destination: Endpoint(host: .name(hostName("example.org")), port: 443)),
            peer: SocketAddress(address: address("198.18.0.1"), port: 443), family: .own, list: 0, chain: chain,
            failed: ProxySet())
        handshake.deadline = 123_456
        var record = PendingConnection(handshake, descriptor: 5)
        record.cookie = 42
        record.isStarted = true
        record.userTimeout = 9000
        record.failure = .errno(.connectionRefused)
        record.registrations[0] = RecordedRegistration(
            epoll: 3, asked: EpollRegistration(target: 5, events: 0x8000_0001, data: 0x0123_4567_89ab_cdef))
        record.registrationCount = 1
        return record
    }

    @Test func `what is written is read`() {
        let proxies = proxies(Self.text)
        var record = written(proxies)
        var cursor = cursor()
        record.write(to: &cursor, buffers)
        var read = PendingConnection.lost(cookie: 42, descriptor: 5)
        cursor = self.cursor()
        let isRead = read.read(from: &cursor, buffers, proxies)
        #expect(isRead && read.cookie == 42 && read.isStarted && !read.isBroken && read.userTimeout == 9000)
        #expect(read.handshake.peer == record.handshake.peer && read.handshake.deadline == 123_456)
        #expect(read.handshake.destination == record.handshake.destination)
        #expect(read.handshake.chain.count == 2 && read.handshake.chain[1] == 1)
        #expect(read.registrationCount == 1 && read.registrations[0].epoll == 3)
        #expect(read.registrations[0].asked.data == 0x0123_4567_89ab_cdef && !read.registrations[0].isOwn)
        guard case .errno(.connectionRefused)? = read.failure else {
            Issue.record("another failure")
            return
        }
    }

    @Test func `a word that was changed, and is read, is found`() {
        let proxies = proxies(Self.text)
        var record = written(proxies)
        var cursor = cursor()
        record.write(to: &cursor, buffers)
        let memory = words.assumingMemoryBound(to: UInt64.self)
        var written = PendingConnection.wordCount
        while written > 0, memory[written - 1] == 0 { written -= 1 }
        #expect(written > 30)
        for index in 0..<written {
            for bit in stride(from: 0, to: 64, by: 7) {
                memory[index] ^= 1 << UInt64(bit)
                var read = PendingConnection.lost(cookie: 1, descriptor: 5)
                cursor = self.cursor()
                let isRead = read.read(from: &cursor, buffers, proxies)
                #expect(!isRead, "word \(index), bit \(bit)")
                #expect(read.cookie == 1 && read.registrationCount == 0)
                memory[index] ^= 1 << UInt64(bit)
            }
        }
    }

    @Test func `words of another turn, or of too small a slot, are not taken`() {
        let proxies = proxies(Self.text)
        var record = written(proxies)
        var cursor = cursor()
        record.write(to: &cursor, buffers)
        var read = PendingConnection.lost(cookie: 1, descriptor: 5)
        cursor = self.cursor(check: 8)
        let isOfTurn = read.read(from: &cursor, buffers, proxies)
        cursor = self.cursor(count: 12)
        let isWhole = read.read(from: &cursor, buffers, proxies)
        #expect(!isOfTurn && !isWhole)
    }

    @Test func `a configuration with fewer proxies has no such chain`() {
        let proxies = proxies(Self.text)
        var record = written(proxies)
        var cursor = cursor()
        record.write(to: &cursor, buffers)
        let fewer = SocksifyCoreTests.proxies("[ProxyList]\nsocks5 192.0.2.1 1080\n")
        var read = PendingConnection.lost(cookie: 1, descriptor: 5)
        cursor = self.cursor()
        let isRead = read.read(from: &cursor, buffers, fewer)
        #expect(!isRead)
    }
}
