/// The server's side of SOCKS4 and SOCKS4a.
struct SOCKS4Handshake: ServerHandshake {
    private enum State {
        case awaitingRequest
        case opening
        case established
        case finished
    }

    private let script: Script
    private var state = State.awaitingRequest

    init(script: Script) { self.script = script }

    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> HandshakeStep {
        switch state {
        case .awaitingRequest:
            switch session.take(SOCKS4Request.parse, from: &buffer) {
            case .needMore: return .receive
            case .malformed(let reason):
                state = .finished
                return .close(.rejected(reason))
            case .message(let message): return answer(message, &session)
            }
        case .opening, .finished: return .receive
        case .established: return .relay
        }
    }

    mutating func opened(at endpoint: Endpoint) -> HandshakeStep {
        state = .established
        let reply = SOCKS4Reply(
            version: script.socks4ReplyVersion, code: .granted,
            bound: Endpoint(script.boundAddress ?? endpoint.address, port: endpoint.port))
        let replies = Array(repeatElement(reply.encoded, count: 1 + script.extraReplies).joined())
        return .send(replies + script.earlyData)
    }

    mutating func failed(_ code: Reply.Code) -> HandshakeStep { refuse(.rejectedOrFailed) }

    private mutating func answer(_ message: SOCKS4Request, _ session: inout Session) -> HandshakeStep {
        session.request = message.request
        if !message.userID.isEmpty { session.credentials = Credentials(user: message.userID, password: []) }
        let accepted = !script.refusesCredentials && (script.credentials?.user ?? message.userID) == message.userID
        guard accepted else { return refuse(.userIDMismatch) }
        let code = (script.replyCodes[message.request.port] ?? script.replyCode).map(SOCKS4Reply.Code.init)
        if let code, code != .granted { return refuse(code) }
        guard message.request.command == .connect, script.commands.contains(.connect) else {
            return refuse(.rejectedOrFailed)
        }
        state = .opening
        return .open(message.request)
    }

    private mutating func refuse(_ code: SOCKS4Reply.Code) -> HandshakeStep {
        state = .finished
        let reply = SOCKS4Reply(
            version: script.socks4ReplyVersion, code: code, bound: Endpoint(.ipv4([0, 0, 0, 0]), port: 0))
        return .sendAndClose(reply.encoded, .refused(Int(code.rawValue)))
    }
}
