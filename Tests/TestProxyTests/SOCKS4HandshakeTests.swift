import Testing

@testable import TestProxy

@Suite struct SOCKS4HandshakeTests {
    private func answer(_ bytes: [UInt8], _ script: Script = Script()) -> (HandshakeStep, Session) {
        var (handshake, session) = (SOCKS4Handshake(script: script), Session(client: ""))
        var buffer = bytes
        return (handshake.next(&buffer, &session), session)
    }

    private let byAddress: [UInt8] = [4, 1, 0x1f, 0x90, 203, 0, 113, 10] + Array("me\0".utf8)
    private let byName: [UInt8] = [4, 1, 0, 80, 0, 0, 0, 9] + Array("\0web.test\0".utf8)

    private func refusal(_ code: UInt8) -> HandshakeStep {
        .sendAndClose([0, code, 0, 0, 0, 0, 0, 0], .refused(Int(code)))
    }

    @Test func `A request by address is read, and its user ID`() {
        let (step, session) = answer(byAddress)
        #expect(step == .open(Request(command: .connect, address: .ipv4([203, 0, 113, 10]), port: 8080)))
        #expect(session.credentials == Credentials(user: "me", password: ""))
        #expect(session.received == byAddress)
    }

    @Test func `A request by name is read`() {
        let (step, session) = answer(byName)
        #expect(step == .open(Request(command: .connect, address: .name(Array("web.test".utf8)), port: 80)))
        #expect(session.credentials == nil)
    }

    @Test func `0 0 0 0 is an address`() {
        #expect(
            answer([4, 1, 0, 80, 0, 0, 0, 0, 0]).0
                == .open(Request(command: .connect, address: .ipv4([0, 0, 0, 0]), port: 80)))
    }

    @Test func `A message is waited for until its last byte is there`() {
        for message in [byAddress, byName] {
            for end in message.indices { #expect(answer(Array(message[..<end])).0 == .receive) }
        }
    }

    @Test func `What comes behind the request is noticed`() {
        #expect(answer(byName).1.pipelined == false)
        #expect(answer(byName + [1]).1.pipelined)
    }

    @Test func `Another version is rejected`() {
        #expect(answer([5, 1, 0]).0 == .close(.rejected("request of version 5")))
    }

    @Test func `The user ID is compared`() {
        var script = Script()
        script.credentials = Credentials(user: "me", password: "ignored")
        let request = Request(command: .connect, address: .ipv4([203, 0, 113, 10]), port: 8080)
        #expect(answer(byAddress, script).0 == .open(request))
        #expect(answer(byName, script).0 == refusal(93))
        script.refusesCredentials = true
        #expect(answer(byAddress, script).0 == refusal(93))
    }

    @Test func `Every code can be sent, that of the port before the other`() {
        for code in UInt8.min...255 where code != 90 {
            var script = Script()
            script.replyCode = code
            #expect(answer(byAddress, script).0 == refusal(code))
        }
        var script = Script()
        script.replyCode = 91
        script.replyCodes = [8080: 92]
        #expect(answer(byAddress, script).0 == refusal(92))
        #expect(answer(byName, script).0 == refusal(91))
    }

    @Test func `Other commands are refused, and CONNECT where the script says so`() {
        #expect(answer([4, 2] + byName.dropFirst(2)).0 == refusal(91))
        var script = Script()
        script.commands = []
        #expect(answer(byName, script).0 == refusal(91))
    }

    @Test func `The reply has what the script says in it`() {
        var handshake = SOCKS4Handshake(script: Script())
        #expect(handshake.opened(at: Endpoint(.ipv4([1, 2, 3, 4]), port: 258)) == .send([0, 90, 1, 2, 1, 2, 3, 4]))
        var (buffer, session): ([UInt8], Session) = ([], Session(client: ""))
        #expect(handshake.next(&buffer, &session) == .relay)
        var script = Script()
        script.socks4ReplyVersion = 4
        script.extraReplies = 1
        script.earlyData = [0xaa]
        var liar = SOCKS4Handshake(script: script)
        #expect(
            liar.opened(at: Endpoint(.name([1]), port: 0))
                == .send([4, 90, 0, 0, 0, 0, 0, 0, 4, 90, 0, 0, 0, 0, 0, 0, 0xaa]))
        var failing = SOCKS4Handshake(script: Script())
        #expect(failing.failed(.connectionRefused) == refusal(91))
    }
}
