import Addressing
import SeededGenerator
import Testing

@testable import SOCKS4

@Suite struct ClientHandshakeTests {
    let target = Endpoint(host: .address(.v4(IPv4Address(192, 0, 2, 1))), port: 443)
    let granted: [UInt8] = [0, 90, 1, 187, 192, 0, 2, 1]

    @Test func `an address is asked for in DSTPORT and DSTIP, and eight bytes grant it`() throws {
        var handshake = ClientHandshake(connectingTo: target)
        #expect(try handshake.begin() == [4, 1, 1, 187, 192, 0, 2, 1, 0])
        #expect(try handshake.take(granted) == .established)
    }

    @Test func `a user ID stands before the byte that ends it`() throws {
        var handshake = ClientHandshake(connectingTo: target)
        #expect(try handshake.begin(userID: "al:ice") == [4, 1, 1, 187, 192, 0, 2, 1] + Array("al:ice\0".utf8))
    }

    @Test func `a name is asked for as SOCKS4a says, behind the user ID`() throws {
        let destination = Endpoint(host: .name(try #require(HostName("web.test"))), port: 80)
        var handshake = ClientHandshake(connectingTo: destination)
        #expect(try handshake.begin(userID: "me") == [4, 1, 0, 80, 0, 0, 0, 1] + Array("me\0web.test\0".utf8))
        #expect(try handshake.take([0, 90, 0, 0, 0, 0, 0, 0]) == .established)
    }

    @Test func `a handshake is taken up from its word, and from no word that none has`() throws {
        var handshake = ClientHandshake(connectingTo: target)
        #expect(handshake.progress == 0)
        _ = try handshake.begin()
        #expect(handshake.progress == 1)
        var other = try #require(ClientHandshake(connectingTo: target, progress: 1))
        #expect(try other.take(granted) == .established)
        #expect(other.progress == 2)
        for word in [0, 2] as [UInt64] {
            var idle = try #require(ClientHandshake(connectingTo: target, progress: word))
            #expect(idle.progress == word)
            #expect(throws: ProtocolError.handshakeOver) { try idle.take(granted) }
        }
        for word in [3, 4, 0x101, 1 << 63, .max] as [UInt64] {
            #expect(ClientHandshake(connectingTo: target, progress: word) == nil, "\(word)")
        }
    }

    @Test func `the longest request has the room that is told`() throws {
        let long = String(repeating: "n", count: 255)
        let destination = Endpoint(host: .name(try #require(HostName(long))), port: 65535)
        var handshake = ClientHandshake(connectingTo: destination)
        let request = try handshake.begin(userID: long)
        #expect(request.count == ClientHandshake.messageCapacity)
        #expect(request == [4, 1, 255, 255, 0, 0, 0, 1] + Array("\(long)\0\(long)\0".utf8))
    }

    @Test func `an IPv4-mapped address goes out as what it stands for`() throws {
        let mapped = Endpoint(host: .address(try #require(IPAddress("::ffff:192.0.2.1"))), port: 443)
        var handshake = ClientHandshake(connectingTo: mapped)
        #expect(try handshake.begin() == [4, 1, 1, 187, 192, 0, 2, 1, 0])
    }

    @Test(arguments: [
        ("2001:db8::1", ProtocolError.ipv6Destination), ("::1", .ipv6Destination), ("0.0.0.1", .reservedDestination),
        ("0.0.0.255", .reservedDestination), ("::ffff:0.0.0.7", .reservedDestination),
    ])
    func `an address without a form is an error before anything is written`(
        address: String, error: ProtocolError
    ) throws {
        var handshake = ClientHandshake(
            connectingTo: Endpoint(host: .address(try #require(IPAddress(address))), port: 1))
        #expect(handshake.refusal() == error)
        #expect(throws: ProtocolError.handshakeOver) { try handshake.take(granted) }
    }

    @Test(arguments: ["0.0.0.0", "0.0.1.0", "255.255.255.255"])
    func `addresses beside those that announce a name are asked for`(address: String) throws {
        let host = try #require(IPAddress(address))
        var handshake = ClientHandshake(connectingTo: Endpoint(host: .address(host), port: 1))
        #expect(try handshake.begin().count == 9)
    }

    @Test func `what would end early, or has no end, is an error before anything is written`() throws {
        let name = try #require(HostName("a\0b"))
        var named = ClientHandshake(connectingTo: Endpoint(host: .name(name), port: 1))
        #expect(named.refusal() == .unusableName)
        for userID in ["\0", "me\0", String(repeating: "u", count: 256)] {
            var handshake = ClientHandshake(connectingTo: target)
            #expect(handshake.refusal(userID: userID) == .unusableUserID)
        }
    }

    @Test func `a reply with the version of the request is accepted, any other is not`() throws {
        for version in 0...255 as ClosedRange<UInt8> {
            var handshake = ClientHandshake(connectingTo: target)
            _ = try handshake.begin()
            let reply = [version] + granted.dropFirst()
            if version == 0 || version == 4 {
                #expect(try handshake.take(reply) == .established)
            } else {
                #expect(throws: ProtocolError.wrongVersion(version)) { try handshake.take(reply) }
            }
        }
    }

    @Test func `every reply code but 90 is a refusal that names it`() throws {
        for code in 0...255 as ClosedRange<UInt8> where code != 90 {
            var handshake = ClientHandshake(connectingTo: target)
            _ = try handshake.begin()
            #expect(throws: ProtocolError.rejected(ReplyCode(code: code))) {
                try handshake.take([0, code, 0, 0, 0, 0, 0, 0])
            }
            #expect(throws: ProtocolError.handshakeOver) { try handshake.take(granted) }
        }
    }

    @Test func `another number of bytes than asked for is an error`() throws {
        for count in [0, 7, 9] {
            var handshake = ClientHandshake(connectingTo: target)
            _ = try handshake.begin()
            let bytes = Array((granted + [0]).prefix(count))
            #expect(throws: ProtocolError.unexpectedLength(count)) { try handshake.take(bytes) }
        }
    }

    @Test func `an end is told by what came before it`() throws {
        for (bytes, error): ([UInt8], ProtocolError) in [
            ([], .closed), ([0], .closed), ([4], .closed), ([0, 90], .closed), (Array(granted.dropLast()), .closed),
            ([0, 91], .rejected(.rejectedOrFailed)), ([0, 92, 0], .rejected(.identUnreachable)),
            ([4, 93], .rejected(.userIDMismatch)), ([5, 255], .wrongVersion(5)), ([72], .wrongVersion(72)),
        ] {
            var handshake = ClientHandshake(connectingTo: target)
            _ = try handshake.begin()
            #expect(handshake.receiveEnd(after: bytes.span) == error)
            #expect(throws: ProtocolError.handshakeOver) { try handshake.take(granted) }
        }
    }

    @Test func `what comes before the start, or after the end, is out of step`() throws {
        var early = ClientHandshake(connectingTo: target)
        #expect(throws: ProtocolError.handshakeOver) { try early.take(granted) }
        #expect(early.receiveEnd(after: granted.span) == .handshakeOver)
        var late = ClientHandshake(connectingTo: target)
        _ = try late.begin()
        _ = try late.take(granted)
        #expect(throws: ProtocolError.handshakeOver) { try late.take(granted) }
    }

    @Test func `no bytes at all crash it`() throws {
        var generator = SplitMix(state: 0x504)
        for _ in 0..<20_000 {
            var handshake = ClientHandshake(connectingTo: target)
            _ = try? handshake.begin(userID: String(repeating: "\u{1}", count: .random(in: 0...260, using: &generator)))
            let length = Int.random(in: 0...12, using: &generator)
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if length > 0, Bool.random(using: &generator) { bytes[0] = 0 }
            if Bool.random(using: &generator) {
                _ = try? handshake.take(bytes)
            } else {
                _ = handshake.receiveEnd(after: bytes.span)
            }
        }
    }
}

@Suite struct ProtocolErrorTests {
    @Test(arguments: [
        (ProtocolError.ipv6Destination, "cannot be asked for an IPv6 address, which SOCKS4 does not support"),
        (.reservedDestination, "cannot be asked for 0.0.0.1 to 0.0.0.255, which announce a name in SOCKS4"),
        (.unusableName, "cannot be asked for a name with a zero byte in it"),
        (.unusableUserID, "cannot take a user ID of more than 255 bytes, or with a zero byte in it"),
        (.wrongVersion(72), "does not speak SOCKS4 (its answer starts with byte 72)"),
        (.rejected(.rejectedOrFailed), "refused: request rejected or failed"),
        (.rejected(.identUnreachable), "refused: the proxy cannot connect to identd on the client"),
        (.rejected(.userIDMismatch), "refused: identd on the client reports a different user ID"),
        (.rejected(ReplyCode(code: 7)), "refused: reply code 7"),
        (.closed, "closed the connection during the handshake"), (.unexpectedLength(3), "handshake out of step"),
        (.handshakeOver, "handshake out of step"),
    ])
    func `an error is told in words that follow the proxy's name`(error: ProtocolError, words: String) {
        var bytes: [UInt8] = []
        error.write(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == words)
    }
}

extension ClientHandshake {
    /// The request that was written.
    fileprivate mutating func begin(userID: String = "") throws -> [UInt8] {
        var message: [UInt8] = []
        let action = try start(userID: Array(userID.utf8).span, writing: &message)
        #expect(action == .send(thenReceive: 8))
        return message
    }

    /// Why it did not start, where nothing was written.
    fileprivate mutating func refusal(userID: String = "") -> ProtocolError? {
        var message: [UInt8] = []
        do throws(ProtocolError) {
            _ = try start(userID: Array(userID.utf8).span, writing: &message)
            return nil
        } catch {
            return message.isEmpty ? error : nil
        }
    }

    fileprivate mutating func take(_ bytes: [UInt8]) throws(ProtocolError) -> Action {
        try receive(bytes.span)
    }
}
