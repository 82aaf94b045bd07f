import Addressing
import SeededGenerator
import Testing

@testable import HTTPConnect

@Suite struct ClientHandshakeTests {
    static let target = Endpoint(host: .address(.v4(IPv4Address(192, 0, 2, 1))), port: 443)

    // MARK: Progress

    @Test func `a handshake is taken up from its word behind each byte of the answer`() throws {
        let answer = Array("HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.0 200\nC\n\n".utf8)
        for count in answer.indices {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            let (start, rest) = (Array(answer[..<count]), Array(answer[count...]))
            _ = try handshake.receive(peeked: start.span)
            var other = try #require(resumed(handshake.progress))
            #expect(other.progress == handshake.progress)
            let action = try other.receive(peeked: rest.span).action
            #expect(action == .established, "\(count)")
        }
        for (bytes, word) in [
            ("", 1), ("HTTP/1.1", 0x08 << 32 | 0x0801), ("HTTP/1.1 2", 0x211 << 32 | 0x0a01),
            ("HTTP/1.1 204\r", 0xcc20 << 32 | 0x0d01), ("HTTP/1.1 204\n", 0xcc21 << 32 | 0x0d01),
            ("HTTP/1.1 204\n\r", 0xcc22 << 32 | 0x0e01),
        ] as [(String, UInt64)] {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            let start = Array(bytes.utf8)
            _ = try handshake.receive(peeked: start.span)
            #expect(handshake.progress == word, "\(bytes)")
        }
    }

    @Test func `a handshake that is taken up knows whether credentials were sent`() throws {
        let refusal = Array("HTTP/1.1 407 \r\n".utf8)
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin(user: "u", password: "p")
        #expect(handshake.progress == 0x8000_0000_0000_0001)
        var other = try #require(resumed(0x8000_0000_0000_0001))
        #expect(throws: ProtocolError.credentialsRefused) { try other.receive(peeked: refusal.span) }
        #expect(other.progress == 0x8000_0000_0000_0002)
        var without = try #require(resumed(1))
        #expect(throws: ProtocolError.credentialsWanted) { try without.receive(peeked: refusal.span) }
        for word in [0, 2, 1 << 63] as [UInt64] { #expect(resumed(word)?.progress == word) }
    }

    @Test func `no handshake is taken up from a word that none has`() {
        var words: [UInt64] = [3, 0x100, 0x102, 1 << 32 | 2, 1 << 32, 65_537 << 8 | 1, .max]
        let heads: [UInt64] = [
            // Places that there are not.
            0x09, 0x0f, 0x14, 0x1f, 0x23, 0xff,
            // More than so many digits make.
            0x1_00, 0x1_08, 0x1_10, 0xa_11, 0x64_12, 0x3e8_13, 0x3e8_20, 0x3e8_21, 0x3e8_22, 0x1_0000_20,
        ]
        words += heads.map { $0 << 32 | 1 }
        for word in words { #expect(resumed(word) == nil, "\(String(word, radix: 16))") }
        for word in [65_536 << 8 | 1, 0x3e7_13 << 32 | 1, 0x63_12 << 32 | 1, 0x9_11 << 32 | 1] as [UInt64] {
            #expect(resumed(word)?.progress == word)
        }
    }

    private func resumed(_ word: UInt64) -> ClientHandshake? {
        ClientHandshake(connectingTo: ClientHandshakeTests.target, progress: word)
    }

    // MARK: The request

    @Test func `an address is asked for in the request line and in Host, and nothing else is said`() throws {
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        #expect(try handshake.begin() == "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n\r\n")
    }

    @Test(arguments: [
        ("2001:db8::1", "[2001:db8::1]:65535"), ("::1", "[::1]:65535"), ("::ffff:192.0.2.1", "192.0.2.1:65535"),
    ])
    func `an IPv6 address stands in brackets, a mapped one as what it stands for`(
        address: String, authority: String
    ) throws {
        let host = try #require(IPAddress(address))
        var handshake = ClientHandshake(connectingTo: Endpoint(host: .address(host), port: 65535))
        #expect(try handshake.begin() == "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n")
    }

    @Test func `a name is asked for as it is`() throws {
        let name = try #require(HostName("Web_1.test."))
        var handshake = ClientHandshake(connectingTo: Endpoint(host: .name(name), port: 80))
        #expect(try handshake.begin() == "CONNECT Web_1.test.:80 HTTP/1.1\r\nHost: Web_1.test.:80\r\n\r\n")
    }

    @Test func `credentials are written in Base64`() throws {
        for (user, password, credentials) in [
            // RFC 7617 section 2.
            ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("test", "123\u{a3}", "dGVzdDoxMjPCow=="),
            ("a", "", "YTo="), ("", "", "Og=="), ("ab", "c", "YWI6Yw=="), ("~~", "???", "fn46Pz8/"),
            ("u", ":\u{7fe}\u{fbf}", "dTo6377gvr8="),
        ] {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            #expect(
                try handshake.begin(user: user, password: password)
                    == "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n"
                    + "Proxy-Authorization: Basic \(credentials)\r\n\r\n")
        }
    }

    @Test func `the longest request has the room that is told`() throws {
        let long = String(repeating: "n", count: 255)
        let name = try #require(HostName(long))
        var handshake = ClientHandshake(connectingTo: Endpoint(host: .name(name), port: 65535))
        #expect(try handshake.begin(user: long, password: long).utf8.count == ClientHandshake.messageCapacity)
    }

    @Test func `a name that a line cannot hold is an error before anything is written`() throws {
        let delimiters = Array(":/?#[]@".utf8)
        for byte in 0...255 as ClosedRange<UInt8> {
            let bytes = [97, byte, 98]
            guard let name = HostName(bytes.span) else { continue }
            var handshake = ClientHandshake(connectingTo: Endpoint(host: .name(name), port: 80))
            if (0x21...0x7e).contains(byte), !delimiters.contains(byte) {
                #expect(throws: Never.self) { try handshake.begin() }
            } else {
                #expect(handshake.refusal() == .unusableName, "byte \(byte)")
                #expect(throws: ProtocolError.handshakeOver) { try handshake.take("HTTP/1.1 200 OK\r\n\r\n") }
            }
        }
    }

    @Test func `credentials for which there is no room are an error before anything is written`() throws {
        let (long, tooLong) = (String(repeating: "x", count: 255), String(repeating: "x", count: 256))
        for (user, password) in [(tooLong, "p"), ("u", tooLong)] {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            #expect(handshake.refusal(user: user, password: password) == .unusableCredentials)
        }
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        #expect(throws: Never.self) { try handshake.begin(user: long, password: long) }
    }

    // MARK: The answer

    static let granted = [
        "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 299 Whatever\n\n", "HTTP/1.1 204\n\r\n",
        // A body is not announced by these: CONNECT's answer has none.
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        // Odd header fields: folded, without a colon, of white space alone, with a CR in the middle.
        "HTTP/1.1 200 OK\r\nA: b\r\n  folded\r\n\t\r\n \r\nnonsense\r\n\rx\r\n:\r\n\r\r\n\0\u{ff}\n\n",
        "HTTP/1.1 100 Continue\r\nHTTP/1.1 403 in a field\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 100\n\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 199 x\r\n\r\nHTTP/1.1 201 x\r\n\r\n",
    ]

    @Test(arguments: granted)
    func `success is known at the last byte of the head, however it is split`(answer: String) throws {
        let bytes = Array(answer.utf8)
        let more = Array("\r\n\r\nHTTP/1.1 500 of the application".utf8)
        for first in bytes.indices {
            for second in first..<bytes.count {
                var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
                _ = try handshake.begin()
                for part in [bytes[..<first], bytes[first..<second]] {
                    try #require(try handshake.take(Array(part)) == Taken(part.count, .receiveHead))
                }
                let rest = Array(bytes[second...])
                try #require(try handshake.take(rest + more) == Taken(rest.count, .established))
            }
        }
    }

    @Test(arguments: granted) func `success comes byte by byte, too`(answer: String) throws {
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin()
        for byte in answer.utf8.dropLast() { #expect(try handshake.take([byte]) == Taken(1, .receiveHead)) }
        #expect(try handshake.take([10]) == Taken(1, .established))
        #expect(throws: ProtocolError.handshakeOver) { try handshake.take("H") }
    }

    @Test func `no bytes change nothing`() throws {
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin()
        #expect(try handshake.take("") == Taken(0, .receiveHead))
        #expect(try handshake.take("HTTP/1.1 200\n\n") == Taken(14, .established))
    }

    @Test func `every status but 2xx, and 1xx but 101, is a refusal that names it`() throws {
        for code in 0...999 as ClosedRange<UInt16> {
            let digits = String(1000 + code).dropFirst()
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            switch code {
            case 200...299:
                #expect(try handshake.take("HTTP/1.1 \(digits)\n\n").action == .established)
            case 100, 102...199:
                #expect(try handshake.take("HTTP/1.1 \(digits)\n\n").action == .receiveHead)
            case 401, 407:
                #expect(throws: ProtocolError.credentialsWanted) { try handshake.take("HTTP/1.1 \(digits) ") }
            default:
                #expect(throws: ProtocolError.rejected(Status(code: code))) {
                    try handshake.take("HTTP/1.1 \(digits) ")
                }
            }
        }
    }

    @Test(arguments: [" ", "\r", "\n"])
    func `a refusal is known as soon as its status is, and not before`(end: String) throws {
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin()
        #expect(try handshake.take("HTTP/1.1 502") == Taken(12, .receiveHead))
        #expect(throws: ProtocolError.rejected(.badGateway)) { try handshake.take(end) }
    }

    @Test func `a refusal behind an interim response is one`() throws {
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin()
        #expect(throws: ProtocolError.rejected(.gatewayTimeout)) {
            try handshake.take("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 504 x")
        }
    }

    @Test(arguments: [401, 407])
    func `a status of authentication says whether the credentials are missing or wrong`(status: Int) throws {
        var without = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try without.begin()
        #expect(throws: ProtocolError.credentialsWanted) { try without.take("HTTP/1.1 \(status) x") }
        var with = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try with.begin(user: "u", password: "p")
        #expect(throws: ProtocolError.credentialsRefused) { try with.take("HTTP/1.1 \(status) x") }
    }

    @Test func `what is not HTTP fails at its first wrong byte`() throws {
        for answer in [
            "\u{5}", "\0", "S", "h", "\r", "HTTp", "HTTP ", "HTTP/2", "HTTP/1,", "HTTP/1.x", "HTTP/1.1\t",
            "HTTP/1.1  ", "HTTP/1.1 x", "HTTP/1.1 2x", "HTTP/1.1 20\r", "HTTP/1.1 2000", "HTTP/1.1 200x",
            "HTTP/1.1 100\n\n\r", "HTTP/1.1 100\n\nX",
        ] {
            let bytes = Array(answer.utf8)
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            #expect(try handshake.take(Array(bytes.dropLast())) == Taken(bytes.count - 1, .receiveHead), "\(answer)")
            #expect(throws: ProtocolError.notHTTP, "\(answer)") { try handshake.take([bytes[bytes.count - 1]]) }
            #expect(throws: ProtocolError.handshakeOver) { try handshake.take("HTTP/1.1 200\n\n") }
        }
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 100\n\nHTTP/1.1 200 OK\r\nX: "])
    func `a head may have 65536 bytes, and no more`(start: String) throws {
        let longest =
            Array(start.utf8) + [UInt8](repeating: 120, count: 65536 - start.utf8.count - 4) + [13, 10, 13, 10]
        var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        _ = try handshake.begin()
        #expect(try handshake.take(longest + [1]) == Taken(65536, .established))
        for step in [1, 1000, 65536, 65537] {
            let endless = Array(longest.dropLast(4)) + [120, 13, 10, 13, 10]
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            #expect(throws: ProtocolError.headTooLong) {
                for place in stride(from: 0, to: endless.count, by: step) {
                    let part = Array(endless[place..<min(place + step, endless.count)])
                    guard try handshake.take(part).action == .receiveHead else { return }
                }
            }
        }
    }

    @Test func `an end before the head's is an error`() throws {
        for answer in ["", "HTTP", "HTTP/1.1 403", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100\r\n\r\n"] {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            _ = try handshake.take(answer)
            #expect(handshake.receiveEnd() == .closed)
            #expect(throws: ProtocolError.handshakeOver) { try handshake.take("H") }
        }
        var idle = ClientHandshake(connectingTo: ClientHandshakeTests.target)
        #expect(idle.receiveEnd() == .handshakeOver)
        #expect(throws: ProtocolError.handshakeOver) { try idle.take("HTTP/1.1 200\n\n") }
    }

    @Test func `no bytes at all crash it, or make it take what it was not shown`() throws {
        var generator = SplitMix(state: 0x80)
        let pieces = [
            "HTTP/1.1 ", "HTTP/1.0 200 OK", "100", "200 ", "\r", "\n", "\r\n", "\r\n\r\n", "x", ":", " ", "\0",
        ]
        .map { Array($0.utf8) }
        for _ in 0..<20_000 {
            var handshake = ClientHandshake(connectingTo: ClientHandshakeTests.target)
            _ = try handshake.begin()
            for number in 0..<6 {
                let known = number == 0 ? pieces[0] : pieces.randomElement(using: &generator) ?? []
                let bytes =
                    Int.random(in: 0..<8, using: &generator) > 0
                    ? known : (0..<Int.random(in: 0...9, using: &generator)).map { _ in generator.byte() }
                guard let taken = try? handshake.take(bytes) else { break }
                #expect(taken.action == .established ? taken.consumed <= bytes.count : taken.consumed == bytes.count)
                guard taken.action != .established else { break }
            }
            _ = handshake.receiveEnd()
        }
    }
}

@Suite struct ProtocolErrorTests {
    @Test(arguments: [
        (
            ProtocolError.unusableName,
            "cannot be asked for a name with a byte in it that HTTP does not allow there"
        ),
        (.unusableCredentials, "cannot take a user name or a password of more than 255 bytes"),
        (.notHTTP, "does not speak HTTP"),
        (.credentialsWanted, "requires an authentication method that is not configured"),
        (.credentialsRefused, "refused the user name or the password"),
        (.rejected(.forbidden), "refused: status 403 (Forbidden)"),
        (.rejected(Status(code: 599)), "refused: status 599"), (.rejected(Status(code: 7)), "refused: status 7"),
        (.headTooLong, "answered with a head of more than 64 KiB"),
        (.closed, "closed the connection during the handshake"), (.handshakeOver, "handshake out of step"),
    ])
    func `an error is told in words that follow the proxy's name`(error: ProtocolError, words: String) {
        var bytes: [UInt8] = []
        error.write(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == words)
    }
}

/// What a call to `receive` gave.
private struct Taken: Equatable {
    var consumed: Int
    var action: ClientHandshake.Action

    init(_ consumed: Int, _ action: ClientHandshake.Action) {
        self.consumed = consumed
        self.action = action
    }
}

extension ClientHandshake {
    /// The request that was written.
    fileprivate mutating func begin() throws -> String {
        var message: [UInt8] = []
        let action = try start(writing: &message)
        #expect(action == .send)
        return String(decoding: message, as: UTF8.self)
    }

    /// The request that was written with credentials.
    fileprivate mutating func begin(user: String, password: String) throws -> String {
        var message: [UInt8] = []
        let action = try start(user: Array(user.utf8).span, password: Array(password.utf8).span, writing: &message)
        #expect(action == .send)
        return String(decoding: message, as: UTF8.self)
    }

    /// Why it did not start, where nothing was written.
    fileprivate mutating func refusal() -> ProtocolError? {
        var message: [UInt8] = []
        do throws(ProtocolError) {
            _ = try start(writing: &message)
            return nil
        } catch {
            return message.isEmpty ? error : nil
        }
    }

    /// Why it did not start with credentials, where nothing was written.
    fileprivate mutating func refusal(user: String, password: String) -> ProtocolError? {
        var message: [UInt8] = []
        do throws(ProtocolError) {
            _ = try start(user: Array(user.utf8).span, password: Array(password.utf8).span, writing: &message)
            return nil
        } catch {
            return message.isEmpty ? error : nil
        }
    }

    fileprivate mutating func take(_ bytes: [UInt8]) throws(ProtocolError) -> Taken {
        let (consumed, action) = try receive(peeked: bytes.span)
        return Taken(consumed, action)
    }

    fileprivate mutating func take(_ text: String) throws(ProtocolError) -> Taken {
        try take(Array(text.utf8))
    }
}

extension SplitMix {
    fileprivate mutating func byte() -> UInt8 { .random(in: 0...255, using: &self) }
}
