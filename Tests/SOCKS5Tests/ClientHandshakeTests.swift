import Addressing
import Testing

@testable import SOCKS5

@Suite struct ClientHandshakeTests {
    let target = Endpoint(host: .address(.v4(IPv4Address(192, 0, 2, 1))), port: 443)

    @Test func `without credentials it offers no authentication alone`() throws {
        var handshake = connect(to: target)
        #expect(begun(&handshake) == Sent([5, 1, 0], thenReceive: 2))
        #expect(sent(try handshake.take([5, 0])) == Sent([5, 1, 0, 1, 192, 0, 2, 1, 1, 187], thenReceive: 5))
        #expect(asked(try handshake.take([5, 0, 0, 1, 10])) == 5)
        #expect(established(try handshake.take([0, 0, 9, 4, 56])) == "10.0.0.9:1080")
    }

    @Test(arguments: [1, 5] as [UInt8])
    func `user name and password are accepted by a status of either version`(version: UInt8) throws {
        var handshake = connect(to: target, offering: .usernamePassword)
        #expect(begun(&handshake) == Sent([5, 2, 0, 2], thenReceive: 2))
        #expect(try handshake.take([5, 2]).action == .sendUsernamePassword(thenReceive: 2))
        #expect(sent(try handshake.take([version, 0]))?.thenReceive == 5)
    }

    @Test func `a proxy that wants no authentication is sent the request at once`() throws {
        var handshake = connect(to: target, offering: .usernamePassword)
        _ = begun(&handshake)
        #expect(sent(try handshake.take([5, 0]))?.bytes.prefix(3) == [5, 1, 0])
    }

    @Test func `a name goes out with its length before it`() throws {
        let name = try #require(HostName("web.test"))
        var handshake = connect(to: Endpoint(host: .name(name), port: 80))
        _ = begun(&handshake)
        #expect(
            sent(try handshake.take([5, 0]))
                == Sent([5, 1, 0, 3, 8, 119, 101, 98, 46, 116, 101, 115, 116, 0, 80], thenReceive: 5))
    }

    @Test func `a name of 255 bytes fits`() throws {
        let name = try #require(HostName(String(repeating: "n", count: 255)))
        var handshake = connect(to: Endpoint(host: .name(name), port: 65535))
        _ = begun(&handshake)
        let request = try #require(sent(try handshake.take([5, 0])))
        #expect(request.bytes.count == 4 + 1 + 255 + 2)
        #expect(request.bytes[4] == 255)
        #expect(request.bytes.suffix(2) == [255, 255])
    }

    @Test func `an IPv6 address goes out as ATYP 4, a mapped one as ATYP 1`() throws {
        var handshake = connect(to: Endpoint(host: .address(try #require(IPAddress("2001:db8::1"))), port: 1))
        _ = begun(&handshake)
        #expect(
            sent(try handshake.take([5, 0]))?.bytes
                == [5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1])
        var mapped = connect(to: Endpoint(host: .address(try #require(IPAddress("::ffff:192.0.2.1"))), port: 443))
        _ = begun(&mapped)
        #expect(sent(try mapped.take([5, 0]))?.bytes == [5, 1, 0, 1, 192, 0, 2, 1, 1, 187])
    }

    @Test func `an association is asked for by CMD 3, and the reply tells where datagrams go`() throws {
        let unknown = Endpoint(host: .address(.v4(IPv4Address(0))), port: 0)
        var handshake = asking(for: .udpAssociate, unknown)
        _ = begun(&handshake)
        #expect(sent(try handshake.take([5, 0])) == Sent([5, 3, 0, 1, 0, 0, 0, 0, 0, 0], thenReceive: 5))
        #expect(asked(try handshake.take([5, 0, 0, 1, 192])) == 5)
        #expect(established(try handshake.take([0, 2, 7, 4, 56])) == "192.0.2.7:1080")
    }

    @Test func `Tor resolves a name by CMD F0, and an address by CMD F1`() throws {
        let name = Endpoint(host: .name(try #require(HostName("a.b"))), port: 0)
        var forward = asking(for: .resolve, name)
        _ = begun(&forward)
        #expect(sent(try forward.take([5, 0])) == Sent([5, 0xf0, 0, 3, 3, 97, 46, 98, 0, 0], thenReceive: 5))
        #expect(asked(try forward.take([5, 0, 0, 4, 0x20])) == 17)
        #expect(
            established(try forward.take([1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0])) == "[2001:db8::7]:0"
        )

        var reverse = asking(for: .resolvePTR, Endpoint(host: target.host, port: 0))
        _ = begun(&reverse)
        #expect(sent(try reverse.take([5, 0])) == Sent([5, 0xf1, 0, 1, 192, 0, 2, 1, 0, 0], thenReceive: 5))
        #expect(asked(try reverse.take([5, 0, 0, 3, 3])) == 5)
        #expect(established(try reverse.take([97, 46, 98, 0, 0])) == "a.b:0")
    }

    @Test func `each address type of a reply is asked for by its exact length`() throws {
        let replies: [(head: [UInt8], rest: [UInt8], bound: String)] = [
            ([5, 0, 0, 1, 1], [2, 3, 4, 0, 80], "1.2.3.4:80"),
            (
                [5, 0, 0, 4, 0x20], [1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0],
                "[2001:db8::7]:256"
            ),
            ([5, 0, 0, 3, 3], [97, 46, 98, 0, 1], "a.b:1"),
            ([5, 0, 0, 3, 0], [0, 9], "0.0.0.0:9"),
            (
                [5, 0, 0, 3, 255], [UInt8](repeating: 120, count: 255) + [0, 2],
                String(repeating: "x", count: 255) + ":2"
            ),
        ]
        for reply in replies {
            var handshake = connect(to: target)
            _ = begun(&handshake)
            _ = try handshake.take([5, 0])
            #expect(asked(try handshake.take(reply.head)) == reply.rest.count)
            #expect(established(try handshake.take(reply.rest)) == reply.bound)
        }
    }

    @Test func `every reply code but success is a refusal that names it`() throws {
        for code in 1...255 as ClosedRange<UInt8> {
            var handshake = connect(to: target)
            _ = begun(&handshake)
            _ = try handshake.take([5, 0])
            #expect(throws: ProtocolError.rejected(ReplyCode(code: code))) {
                try handshake.take([5, code, 0, 1, 0])
            }
        }
    }

    @Test func `a proxy that breaks the protocol is refused`() throws {
        #expect(failure([[4, 0]]) == .wrongVersion(4))
        #expect(failure([[72, 84]]) == .wrongVersion(72))
        #expect(failure([[5, 255]]) == .noAcceptableMethod)
        #expect(failure([[5, 2]]) == .methodNotOffered(.usernamePassword))
        #expect(failure([[5, 1]]) == .methodNotOffered(Method(code: 1)))
        #expect(failure([[5, 0], [4, 0, 0, 1, 0]]) == .wrongVersion(4))
        #expect(failure([[5, 0], [5, 0, 0, 2, 0]]) == .unknownAddressType(2))
        #expect(failure([[5]]) == .unexpectedLength(1))
        #expect(failure([[5, 0], [5, 0, 0, 1, 1], [0]]) == .unexpectedLength(1))
        #expect(failure([[5, 2], [1, 1]], offering: .usernamePassword) == .credentialsRefused(status: 1))
        #expect(failure([[5, 2], [2, 0]], offering: .usernamePassword) == .wrongVersion(2))
    }

    @Test func `after an error it refuses to go on`() throws {
        var handshake = connect(to: target)
        #expect(throws: ProtocolError.handshakeOver) { try handshake.take([5, 0]) }
        _ = begun(&handshake)
        #expect(throws: ProtocolError.wrongVersion(0)) { try handshake.take([0, 0]) }
        #expect(throws: ProtocolError.handshakeOver) { try handshake.take([5, 0]) }
    }

    @Test func `a refusal that is cut off still tells its code`() throws {
        var handshake = connect(to: target)
        _ = begun(&handshake)
        _ = try handshake.take([5, 0])
        #expect(handshake.receiveEnd(after: ([5, 4] as [UInt8]).span) == .rejected(.hostUnreachable))
        var silent = connect(to: target)
        _ = begun(&silent)
        #expect(silent.receiveEnd(after: ([5] as [UInt8]).span) == .closed)
    }

    @Test func `an end is told by what came before it`() throws {
        for (answers, bytes, error): ([[UInt8]], [UInt8], ProtocolError) in [
            ([], [], .closed), ([], [5], .closed), ([], [4], .closed), ([], [72], .closed),
            ([[5, 2]], [], .closed), ([[5, 2]], [1], .closed), ([[5, 2]], [4], .closed),
            // By that sshd refuses.
            ([[5, 0]], [], .closedInPlaceOfReply), ([[5, 0]], [5], .closed), ([[5, 0]], [5, 0], .closed),
            ([[5, 0]], [5, 0, 0, 1], .closed), ([[5, 0]], [5, 4], .rejected(.hostUnreachable)),
            ([[5, 0]], [5, 5, 0, 1], .rejected(.connectionRefused)),
            // What speaks another protocol refuses nothing.
            ([[5, 0]], [4], .closed), ([[5, 0]], [4, 4], .closed), ([[5, 0]], [0, 4], .closed),
            ([[5, 0]], [1, 5, 0, 1], .closed), ([[5, 0]], [72, 84, 84, 80], .closed),
            ([[5, 0], [5, 0, 0, 1, 10]], [], .closed), ([[5, 0], [5, 0, 0, 1, 10]], [5, 4], .closed),
        ] {
            var handshake = connect(to: target, offering: .usernamePassword)
            _ = begun(&handshake)
            for answer in answers { _ = try handshake.take(answer) }
            #expect(handshake.receiveEnd(after: bytes.span) == error, "\(answers), \(bytes)")
            #expect(throws: ProtocolError.handshakeOver) { try handshake.take([5, 0]) }
        }
    }

    // MARK: Progress

    @Test func `a handshake is taken up from its word, whatever it waits for`() throws {
        let answers: [[UInt8]] = [[5, 2], [1, 0], [5, 0, 0, 1, 10], [0, 0, 9, 4, 56]]
        for (taken, word) in [(0, 1), (1, 2), (2, 3), (3, 0x0a_0104)] as [(Int, UInt64)] {
            var handshake = connect(to: target, offering: .usernamePassword)
            _ = begun(&handshake)
            for answer in answers.prefix(taken) { _ = try handshake.take(answer) }
            #expect(handshake.progress == word)
            var other = try #require(resumed(word))
            #expect(other.progress == word)
            for answer in answers.dropFirst(taken).dropLast() { _ = try other.take(answer) }
            #expect(established(try other.take(answers[3])) == "10.0.0.9:1080")
            #expect(other.progress == 5)
        }
        for (head, word) in [([5, 0, 0, 3, 255], 0xff_0304), ([5, 0, 0, 4, 0], 0x0404)] as [([UInt8], UInt64)] {
            var handshake = connect(to: target)
            _ = begun(&handshake)
            for answer in [[5, 0], head] { _ = try handshake.take(answer) }
            #expect(handshake.progress == word && resumed(word)?.progress == word)
        }
        #expect(connect(to: target).progress == 0 && resumed(0)?.progress == 0)
        var over = try #require(resumed(5))
        #expect(throws: ProtocolError.handshakeOver) { try over.take([5, 0]) }
    }

    @Test func `no handshake is taken up from a word that none has`() {
        let words: [UInt64] = [
            4, 6, 7, 0xff, 0x0101, 0x0105, 0x0204, 0xff04, 0x0100_0104, 1 << 32 | 1, 1 << 63 | 3, .max,
        ]
        for word in words { #expect(resumed(word) == nil, "\(word)") }
        // Nobody has asked for user and password.
        #expect(resumed(2, offering: .none) == nil)
        #expect(resumed(3, offering: .none) != nil)
    }

    private func resumed(_ word: UInt64, offering offer: AuthenticationOffer = .usernamePassword) -> ClientHandshake? {
        ClientHandshake(
            Request(command: .connect, destination: target), offering: offer,
            progress: word)
    }

    @Test func `no bytes at all crash it`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var handshake = connect(to: target, offering: Bool.random() ? .usernamePassword : .none)
            _ = begun(&handshake)
            for _ in 0..<5 {
                let length = Int.random(in: 0...24, using: &generator)
                var bytes = (0..<length).map { _ in UInt8.random(in: 0...5, using: &generator) }
                if let first = bytes.indices.first, Bool.random() { bytes[first] = 5 }
                guard (try? handshake.take(bytes)) != nil else { break }
            }
        }
    }
}

@Suite struct UsernamePasswordRequestTests {
    @Test func `user and password stand behind their lengths`() {
        #expect(request(user: "alice", password: "s3") == [1, 5, 97, 108, 105, 99, 101, 2, 115, 51])
        #expect(request(user: "bob", password: "") == [1, 3, 98, 111, 98, 0])
    }

    @Test func `lengths that cannot be carried are errors that tell them`() {
        #expect(lengthError(user: 0, password: 1) == .user(0))
        #expect(lengthError(user: 256, password: 1) == .user(256))
        #expect(lengthError(user: 255, password: 256) == .password(256))
        #expect(lengthError(user: 255, password: 255) == nil)
    }

    @Test func `the longest request fits into a message`() {
        let long = String(repeating: "x", count: 255)
        #expect(request(user: long, password: long)?.count == Message.capacity)
    }

    private func request(user: String, password: String) -> [UInt8]? {
        var message = Message()
        do {
            try UsernamePasswordRequest.write(
                user: Array(user.utf8).span, password: Array(password.utf8).span, to: &message)
        } catch {
            return nil
        }
        return (0..<message.count).map { message.bytes[$0] }
    }

    private func lengthError(user: Int, password: Int) -> UsernamePasswordRequest.LengthError? {
        let user = [UInt8](repeating: 1, count: user)
        let password = [UInt8](repeating: 1, count: password)
        var message = Message()
        do {
            try UsernamePasswordRequest.write(user: user.span, password: password.span, to: &message)
            return nil
        } catch {
            return error
        }
    }
}

private struct Sent: Equatable {
    var bytes: [UInt8]
    var thenReceive: Int

    init(_ bytes: [UInt8], thenReceive: Int) {
        self.bytes = bytes
        self.thenReceive = thenReceive
    }
}

private func connect(to target: Endpoint, offering offer: AuthenticationOffer = .none) -> ClientHandshake {
    asking(for: .connect, target, offering: offer)
}

private func asking(
    for command: Command, _ target: Endpoint, offering offer: AuthenticationOffer = .none
) -> ClientHandshake {
    ClientHandshake(
        Request(command: command, destination: target), offering: offer)
}

/// What an answer led to.
private struct Step {
    var action: ClientHandshake.Action
    var message: Message
    var boundAddress: Endpoint?
}

private func begun(_ handshake: inout ClientHandshake) -> Sent? {
    var message = Message()
    let action = handshake.start(writing: &message)
    return sent(Step(action: action, message: message))
}

extension ClientHandshake {
    fileprivate mutating func take(_ bytes: [UInt8]) throws(ProtocolError) -> Step {
        var message = Message()
        let action = try receive(bytes.span, writing: &message)
        return Step(action: action, message: message, boundAddress: boundAddress)
    }
}

private func failure(_ answers: [[UInt8]], offering offer: AuthenticationOffer = .none) -> ProtocolError? {
    let target = Endpoint(host: .address(.v4(IPv4Address(1))), port: 1)
    var handshake = connect(to: target, offering: offer)
    _ = begun(&handshake)
    do {
        for answer in answers { _ = try handshake.take(answer) }
        return nil
    } catch {
        return error
    }
}

private func sent(_ step: Step) -> Sent? {
    guard case .send(let length) = step.action else { return nil }
    return Sent((0..<step.message.count).map { step.message.bytes[$0] }, thenReceive: length)
}

private func asked(_ step: Step) -> Int? {
    guard case .receive(let length) = step.action else { return nil }
    return length
}

private func established(_ step: Step) -> String? {
    guard step.action == .established else { return nil }
    return step.boundAddress?.description
}
