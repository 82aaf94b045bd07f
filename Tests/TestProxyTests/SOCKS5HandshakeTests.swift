import Testing

@testable import TestProxy

@Suite struct SOCKS5HandshakeTests {
    /// Feeds `bytes` to a handshake, and returns the steps up to the next one that needs bytes.
    private func steps(
        _ handshake: inout SOCKS5Handshake, _ bytes: [UInt8], _ session: inout Session
    ) -> [HandshakeStep] {
        var buffer = bytes
        var steps: [HandshakeStep] = []
        while true {
            let step = handshake.next(&buffer, &session)
            guard case .send = step else { return step == .receive ? steps : steps + [step] }
            steps.append(step)
        }
    }

    /// A client that offers no authentication asks for `request`.
    private func request(_ request: [UInt8], _ script: Script = Script()) -> (HandshakeStep?, Session) {
        var (handshake, session) = (SOCKS5Handshake(script: script), Session(client: ""))
        _ = steps(&handshake, [5, 1, 0], &session)
        return (steps(&handshake, request, &session).last, session)
    }

    @Test func `A request by IPv4 address is read`() {
        let (step, session) = request([5, 1, 0, 1, 203, 0, 113, 10, 0x1f, 0x90])
        #expect(step == .open(Request(command: .connect, address: .ipv4([203, 0, 113, 10]), port: 8080)))
        #expect(session.request?.description == "CONNECT 203.0.113.10:8080")
        #expect(session.received == [5, 1, 0, 5, 1, 0, 1, 203, 0, 113, 10, 0x1f, 0x90])
    }

    @Test func `A request by IPv6 address is read`() {
        let address: [UInt8] = [0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [0x10]
        let (step, session) = request([5, 1, 0, 4] + address + [0, 80])
        #expect(step == .open(Request(command: .connect, address: .ipv6(address), port: 80)))
        #expect(session.request?.description == "CONNECT [2001:db8::10]:80")
    }

    @Test func `A request by name is read, the longest and the empty one too`() {
        for length in [0, 1, 255] {
            let name = [UInt8](repeating: UInt8(ascii: "a"), count: length)
            let (step, _) = request([5, 1, 0, 3, UInt8(length)] + name + [0, 80])
            #expect(step == .open(Request(command: .connect, address: .name(name), port: 80)))
        }
    }

    @Test func `A message is waited for until its last byte is there`() {
        let messages: [[UInt8]] = [
            [5, 2, 0, 2], [1, 1, 0x75, 1, 0x70], [5, 1, 0, 3, 1, 0x61, 0, 80],
        ]
        var script = Script()
        script.credentials = Credentials(user: "u", password: "p")
        var (handshake, session) = (SOCKS5Handshake(script: script), Session(client: ""))
        for message in messages {
            for end in 0..<message.count {
                var part = Array(message[..<end])
                #expect(handshake.next(&part, &session) == .receive)
                #expect(part == Array(message[..<end]), "what is not understood yet is not taken")
            }
            var whole = message
            #expect(handshake.next(&whole, &session) != .receive)
        }
        #expect(session.pipelined == false)
    }

    @Test func `What a client may not say is rejected`() {
        for bytes: [UInt8] in [
            [4, 1, 0, 1, 203, 0, 113, 10, 0, 80], [5, 1, 1, 1, 203, 0, 113, 10, 0, 80], [5, 1, 0, 2, 0, 0],
        ] {
            guard case .close(.rejected) = request(bytes).0 else {
                Issue.record("accepted \(bytes)")
                continue
            }
        }
    }

    @Test func `A message sent before the last one is answered is noticed`() {
        var (handshake, session) = (SOCKS5Handshake(script: Script()), Session(client: ""))
        _ = steps(&handshake, [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80], &session)
        #expect(session.pipelined)
    }

    @Test func `Of the methods offered the one that fits is chosen, or none`() {
        var secret = Script()
        secret.credentials = Credentials(user: "u", password: "p")
        var liar = Script()
        liar.chosenMethod = 2
        for (script, offer, answer): (Script, [UInt8], HandshakeStep) in [
            (Script(), [5, 2, 0, 2], .send([5, 0])), (secret, [5, 2, 0, 2], .send([5, 2])),
            (secret, [5, 1, 0], .sendAndClose([5, 0xff], .rejected("no acceptable authentication method"))),
            (liar, [5, 1, 0], .send([5, 2])),
        ] {
            var (handshake, session) = (SOCKS5Handshake(script: script), Session(client: ""))
            #expect(steps(&handshake, offer, &session) == [answer])
        }
    }

    @Test func `Credentials are compared, and the reply has the version that the script says`() {
        var script = Script()
        script.credentials = Credentials(user: "alice", password: "s3cret")
        script.credentialReplyVersion = 5
        for (password, answer): (String, HandshakeStep) in [
            ("s3cret", .send([5, 0])), ("other!", .sendAndClose([5, 1], .rejected("wrong credentials"))),
        ] {
            var (handshake, session) = (SOCKS5Handshake(script: script), Session(client: ""))
            _ = steps(&handshake, [5, 1, 2], &session)
            let message = [1, 5] + Array("alice".utf8) + [UInt8(6)] + Array(password.utf8)
            #expect(steps(&handshake, message, &session) == [answer])
            #expect(session.credentials == Credentials(user: "alice", password: password))
        }
    }

    @Test func `A reply has the bound address of the script, of every type`() {
        let name = [UInt8](repeating: 0x78, count: 255)
        for (address, bytes): (Address, [UInt8]) in [
            (.ipv4([1, 2, 3, 4]), [1, 1, 2, 3, 4]), (.name([]), [3, 0]), (.name(name), [3, 255] + name),
            (.ipv6(Array(1...16)), [4] + Array(1...16)),
        ] {
            var script = Script()
            script.boundAddress = address
            script.earlyData = [0xaa]
            var handshake = SOCKS5Handshake(script: script)
            let reply = [5, 0, 0] + bytes + [0x12, 0x34]
            #expect(handshake.opened(at: Endpoint(.ipv4([9, 9, 9, 9]), port: 0x1234)) == .send(reply + [0xaa]))
        }
    }

    @Test func `Commands are obeyed that the script allows, and no others`() {
        var tor = Script()
        tor.commands = [.resolve, .resolvePTR, .bind]
        for (command, script, code): (UInt8, Script, UInt8?) in [
            (1, Script(), nil), (2, Script(), 7), (3, Script(), nil), (0xf0, Script(), 7), (0xf1, Script(), 7),
            (1, tor, 7), (2, tor, 7), (3, tor, 7), (0xf0, tor, nil), (0xf1, tor, nil), (0x99, tor, 7),
        ] {
            let asked = Request(command: .init(rawValue: command), address: .ipv4([127, 0, 0, 1]), port: 80)
            let step = request([5, command, 0, 1, 127, 0, 0, 1, 0, 80], script).0
            switch (code, command) {
            case (nil, 1): #expect(step == .open(asked))
            case (nil, 3): #expect(step == .associate(asked))
            case (nil, _): #expect(step == .resolve(asked))
            case (let code?, _): #expect(step == .sendAndClose([5, code, 0, 1, 0, 0, 0, 0, 0, 0], .refused(Int(code))))
            }
        }
    }

    @Test func `A command can have a reply of its own, before that of its port`() {
        var script = Script()
        script.commandReplyCodes = [.udpAssociate: 2]
        script.replyCodes = [80: 4]
        for (command, code): (UInt8, UInt8) in [(1, 4), (3, 2)] {
            let (step, _) = request([5, command, 0, 1, 127, 0, 0, 1, 0, 80], script)
            #expect(step == .sendAndClose([5, code, 0, 1, 0, 0, 0, 0, 0, 0], .refused(Int(code))))
        }
    }

    @Test func `What was resolved is the bound address, port 0`() {
        var handshake = SOCKS5Handshake(script: Script())
        #expect(
            handshake.resolved(.name(Array("a.test".utf8)))
                == .sendAndClose([5, 0, 0, 3, 6] + Array("a.test".utf8) + [0, 0], .resolved))
    }

    @Test func `Every reply code can be sent`() {
        for code in UInt8(1)...255 {
            var script = Script()
            script.replyCode = code
            let (step, _) = request([5, 1, 0, 1, 127, 0, 0, 1, 0, 80], script)
            #expect(step == .sendAndClose([5, code, 0, 1, 0, 0, 0, 0, 0, 0], .refused(Int(code))))
        }
    }
}
