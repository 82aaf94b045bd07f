import Addressing
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5
import Testing
import Tunnel

@Suite struct ChainHandshakeTests {
    /// What a program at the other end says before it is asked.
    private let following: [UInt8] = [83, 83, 72, 45, 50]

    private func expectWhole(_ outcome: Conversation.Outcome, _ conversation: Conversation, _ comment: Comment? = nil) {
        #expect(outcome.failure == nil, comment)
        #expect(outcome.exchanges == conversation.exchanges, comment)
        #expect(outcome.handshake.boundAddress?.description == conversation.boundAddress, comment)
    }

    // MARK: What is said

    @Test(arguments: Conversation.good)
    func `each proxy is asked for the next, the last for the target`(conversation: Conversation) {
        expectWhole(conversation.held(), conversation)
    }

    @Test(arguments: Conversation.good)
    func `what follows the last answer is left on the stream`(conversation: Conversation) {
        guard !conversation.exchanges.isEmpty else { return }
        #expect(conversation.held(following: following).rest == following)
        #expect(conversation.held(pieces: [1], following: following).rest == following)
    }

    @Test(arguments: Conversation.good)
    func `an answer may be cut at any place`(conversation: Conversation) {
        let length = conversation.exchanges.reduce(0) { $0 + $1.answer.count }
        for cut in 0...length {
            let outcome = conversation.held(pieces: [cut, 1], following: following)
            expectWhole(outcome, conversation, "cut at \(cut)")
        }
        for piece in 1...max(length, 1) { expectWhole(conversation.held(pieces: [piece]), conversation, "by \(piece)") }
    }

    @Test(arguments: Conversation.good)
    func `a message may be sent by any number of bytes`(conversation: Conversation) {
        for room in 1...64 { expectWhole(conversation.held(room: room), conversation, "by \(room)") }
    }

    @Test func `credentials of a proxy go before those that keep connections apart`() {
        var conversation = Conversation.socks5WithPassword
        conversation.isolation = IsolationCredentials(upper: 1, lower: 2)
        expectWhole(conversation.held(), conversation)
    }

    @Test func `a proxy that wants no credentials is sent none`() {
        var conversation = Conversation.socks5
        conversation.isolation = IsolationCredentials(upper: 1, lower: 2)
        conversation.exchanges[0].message = [5, 2, 0, 2]
        expectWhole(conversation.held(), conversation)
    }

    @Test func `the longest messages have room`() throws {
        let long = [UInt8](repeating: 97, count: 255)
        let longest = Credentials(user: long, password: long)
        let name = HostName(long.span)
        let destination = Endpoint(host: .name(try #require(name)), port: 65535)
        let request = Request(command: .connect, destination: destination)
        for type in [ProxyType.socks5, .socks4, .http] {
            let proxies = [Conversation.proxy(type, 1, longest)]
            let silent = Conversation(
                testDescription: "", proxies: proxies, request: request,
                exchanges: [Conversation.Exchange([], answer: type == .socks5 ? [5, 2] : [])])
            let outcome = silent.held()
            #expect(outcome.failure == nil)
            let last = try #require(outcome.exchanges.last)
            switch type {
            case .socks5: #expect(last.message == [1, 255] + long + [255] + long)
            case .socks4: #expect(last.message.count == 8 + 256 + 256)
            case .http, .raw: #expect(last.message.suffix(4) == Array("\r\n\r\n".utf8))
            }
        }
    }

    @Test func `a handshake begins anew through another chain`() {
        var handshake = Conversation.twoHops.handshake
        for (end, hop) in [(4, 0), (14, 1), (16, 1)] {
            handshake = Conversation.twoHops.held(end: end).handshake
            #expect(handshake.hop == hop && handshake.isAskedFor == (end != 14))
            handshake.begin(through: Conversation.socks5.chain)
            #expect(!handshake.isAskedFor && handshake.hop == 0 && !handshake.waitsToReceive)
            #expect(handshake.isAtLastHop && handshake.chain.count == 1)
        }
        handshake.ask(for: .associating(overIPv6: true))
        #expect(handshake.request.command == .udpAssociate)
    }

    @Test func `it is known what is waited for`() {
        for end in 0...2 {
            let handshake = Conversation.socks5.held(end: end).handshake
            #expect(handshake.waitsToReceive && handshake.waitsForDestination == (end == 2))
        }
        #expect(Conversation.socks4.held(end: 0).handshake.waitsForDestination)
        #expect(!Conversation.threeHops.held(end: 0).handshake.waitsForDestination)
    }

    @Test func `it is known whether an answer is whole`() {
        for (end, isAnswered) in [(0, false), (1, false), (2, false), (8, true)] {
            var conversation = Conversation.socks4
            conversation.exchanges[0].answer[1] = 92
            let outcome = conversation.held(end: end)
            #expect(outcome.failure != nil && outcome.handshake.isAnswered == isAnswered, "\(end)")
        }
        var conversation = Conversation.http
        conversation.exchanges[0].answer = Array("HTTP/1.1 504 ".utf8)
        #expect(conversation.held().handshake.isAnswered)
    }

    // MARK: Failures

    @Test(arguments: Conversation.good)
    func `an answer that is cut off is no answer`(conversation: Conversation) throws {
        let length = conversation.exchanges.reduce(0) { $0 + $1.answer.count }
        for end in 0..<length {
            let outcome = conversation.held(end: end)
            guard case .proxy(let error)? = outcome.failure else {
                Issue.record("\(end) of \(length): \(String(describing: outcome.failure))")
                continue
            }
            #expect(error.kind == (error == .socks5(.closedInPlaceOfReply) ? .refusal : .silence))
            let asked = try #require(outcome.exchanges.last)
            let before = conversation.exchanges.prefix(outcome.exchanges.count - 1).reduce(0) { $0 + $1.answer.count }
            switch conversation.proxies[asked.hop].type {
            case .socks5 where asked.isAskedFor && end == before: #expect(error == .socks5(.closedInPlaceOfReply))
            case .socks5: #expect(error == .socks5(.closed))
            case .socks4: #expect(error == .socks4(.closed))
            case .http: #expect(error == .http(.closed))
            case .raw: Issue.record("a raw proxy says nothing")
            }
            #expect(outcome.exchanges == Array(conversation.exchanges.prefix(outcome.exchanges.count)))
        }
    }

    @Test(
        arguments: [
            // The method
            ([[5, 255]], .socks5(.noAcceptableMethod), .fault),
            ([[5, 2]], .socks5(.methodNotOffered(.usernamePassword)), .fault),
            ([[72, 84]], .socks5(.wrongVersion(72)), .fault),
            // The request
            ([[5, 0], [5, 1, 0, 1, 0]], .socks5(.rejected(ReplyCode(code: 1))), .refusal),
            ([[5, 0], [5, 5, 0, 1, 0]], .socks5(.rejected(ReplyCode(code: 5))), .refusal),
            ([[5, 0], [5, 240, 0, 1, 0]], .socks5(.rejected(ReplyCode(code: 240))), .refusal),
            ([[5, 0], [5, 0, 0, 2, 0]], .socks5(.unknownAddressType(2)), .fault),
        ] as [([[UInt8]], ProxyError, FailureKind)])
    func `what a SOCKS5 proxy refuses is known by its code`(answers: [[UInt8]], error: ProxyError, kind: FailureKind) {
        expect(error, kind, of: answers, by: Conversation.proxy(.socks5, 1))
    }

    @Test(arguments: [1, 255] as [UInt8])
    func `a password that is refused is the client's matter`(status: UInt8) {
        let proxy = Conversation.proxy(.socks5, 1, Conversation.credentials("me", "pwd"))
        expect(.socks5(.credentialsRefused(status: status)), .fault, of: [[5, 2], [1, status]], by: proxy)
    }

    @Test(
        arguments: [
            (91, .refusal), (92, .fault), (93, .fault), (0, .refusal),
        ] as [(UInt8, FailureKind)])
    func `what a SOCKS4 proxy refuses is known by its code`(code: UInt8, kind: FailureKind) {
        expect(
            .socks4(.rejected(SOCKS4.ReplyCode(code: code))), kind, of: [[0, code, 0, 0, 0, 0, 0, 0]],
            by: Conversation.proxy(.socks4, 1))
    }

    @Test func `what an HTTP proxy refuses is known by its status`() {
        let proxy = Conversation.proxy(.http, 1)
        let known = Conversation.proxy(.http, 1, Conversation.credentials("me", "pwd"))
        expect(.http(.rejected(.gatewayTimeout)), .refusal, of: [Array("HTTP/1.1 504 \r\n\r\n".utf8)], by: proxy)
        expect(.http(.credentialsWanted), .fault, of: [Array("HTTP/1.1 407 \r\n\r\n".utf8)], by: proxy)
        expect(.http(.credentialsRefused), .fault, of: [Array("HTTP/1.1 407 \r\n\r\n".utf8)], by: known)
        expect(.http(.notHTTP), .fault, of: [[5, 0]], by: proxy)
    }

    private func expect(_ error: ProxyError, _ kind: FailureKind, of answers: [[UInt8]], by proxy: Proxy) {
        let conversation = Conversation(
            testDescription: "", proxies: [proxy],
            exchanges: answers.map { Conversation.Exchange([], answer: $0) })
        for outcome in [conversation.held(), conversation.held(pieces: [1])] {
            #expect(outcome.failure == .proxy(error) && outcome.exchanges.count == answers.count)
        }
        #expect(error.kind == kind)
    }

    @Test func `what a protocol has no form for is not asked`() throws {
        let ipv6 = Endpoint(host: .address(.v6(IPv6Address(high: 1, low: 1))), port: 1)
        expectUnasked(.socks4(.ipv6Destination), Request(command: .connect, destination: ipv6), [.socks4])
        for type in [ProxyType.socks4, .http, .raw] {
            expectUnasked(.connectionsAlone, .associating(overIPv6: false), [type])
            expectUnasked(.connectionsAlone, Request(command: .bind, destination: Conversation.target), [type])
        }
        let path = Proxy(type: .socks5, location: .unixSocket([47, 115]))
        let conversation = Conversation(
            testDescription: "", proxies: [Conversation.proxy(.socks5, 1), path], exchanges: [])
        #expect(conversation.held().failure == .proxy(.unreachable))
        #expect(ProxyError.unreachable.kind == .incapability && ProxyError.connectionsAlone.kind == .incapability)
    }

    private func expectUnasked(_ error: ProxyError, _ request: Request, _ types: [ProxyType]) {
        let conversation = Conversation(
            testDescription: "", proxies: types.map { Conversation.proxy($0, 1) }, request: request, exchanges: [])
        let outcome = conversation.held()
        #expect(outcome.failure == .proxy(error) && outcome.exchanges.isEmpty)
        #expect(outcome.handshake.culprit(of: error.kind) == .incapable(0))
    }

    @Test func `a stream that fails is the stream's own matter`() throws {
        let (stream, proxies) = (ScriptedStream(), Conversation.socks5.proxies)
        var handshake = Conversation.socks5.handshake
        for progress in [ChainHandshake.Progress.asked, .waiting] {
            stream.isBroken = true
            #expect(throws: ScriptedStream.Failure.broken) { try stream.advance(&handshake, through: proxies) }
            stream.isBroken = false
            #expect(try stream.advance(&handshake, through: proxies) == progress)
        }
    }

    @Test func `the proxy is to blame until it has answered, then who comes after it`() {
        // The greeting of the first, its request, the greeting of the second, its password, its request.
        let ends: [(end: Int, silence: ChainHandshake.Culprit, refusal: ChainHandshake.Culprit)] = [
            (0, .proxy(0), .proxy(1)), (2, .proxy(1), .proxy(1)), (12, .proxy(1), .other), (14, .proxy(1), .other),
            (16, .other, .other),
        ]
        for (end, silence, refusal) in ends {
            let handshake = Conversation.twoHops.held(end: end).handshake
            #expect(handshake.culprit(of: .silence) == silence, "\(end)")
            #expect(handshake.culprit(of: .refusal) == refusal, "\(end)")
            #expect(handshake.culprit(of: .fault) == .proxy(end < 12 ? 0 : 1), "\(end)")
            #expect(handshake.culprit(of: .incapability) == .incapable(end < 12 ? 0 : 1), "\(end)")
            #expect(handshake.culprit(of: .abortion) == .other, "\(end)")
        }
    }

    @Test func `places that no proxy has are out of step`() {
        let stream = ScriptedStream()
        for chain in [Chain(), Conversation.socks5.chain] {
            var handshake = ChainHandshake(for: Conversation.socks5.request, through: chain)
            #expect(throws: ScriptedStream.Failure.proxy(.outOfStep)) {
                try stream.advance(&handshake, through: [])
            }
        }
        #expect(ProxyError.outOfStep.kind == .abortion)
    }

    // MARK: Position

    @Test(arguments: Conversation.good)
    func `another goes on from the numbers and the buffers`(conversation: Conversation) {
        let outcome = conversation.held(pieces: [1], room: 1, following: following) { handshake in
            let resumed = conversation.resumed(handshake.position)
            #expect(resumed?.position == handshake.position)
            return resumed ?? handshake
        }
        #expect(outcome.failure == nil && outcome.exchanges == conversation.exchanges)
        if !conversation.exchanges.isEmpty { #expect(outcome.rest == following) }
    }

    @Test func `nobody goes on from numbers that none has come to`() {
        let conversation = Conversation.twoHops
        let position = conversation.held(end: 13).handshake.position
        #expect(conversation.resumed(position)?.position == position)
        let changes: [(inout ChainHandshake.Position) -> Void] = [
            { $0.stage = 3 }, { $0.stage = 4 }, { $0.stage = 255 }, { $0.hop = 2 }, { ($0.stage, $0.hop) = (0, 2) },
            { $0.hop = .max },
            { $0.sent = $0.outgoing + 1 }, { $0.outgoing = UInt32(HandshakeBuffers.longestMessage) + 1 },
            { $0.received = UInt32(HandshakeBuffers.longestAnswer) + 1 },
            { $0.wanted = UInt32(HandshakeBuffers.longestAnswer) + 1 }, { $0.progress = 77 },
        ]
        for (index, change) in changes.enumerated() {
            var changed = position
            change(&changed)
            #expect(conversation.resumed(changed) == nil, "change \(index)")
        }
        var raw = conversation
        raw.proxies[1].type = .raw
        #expect(raw.resumed(position) == nil)
        raw.proxies.removeLast()
        #expect(
            ChainHandshake(
                for: conversation.request, through: conversation.chain, at: position, raw.proxies.span, isolation: nil)
                == nil)
    }
}

extension Conversation {
    fileprivate func resumed(_ position: ChainHandshake.Position) -> ChainHandshake? {
        ChainHandshake(for: request, through: chain, at: position, proxies.span, isolation: isolation)
    }
}
