/// The server's side of SOCKS5 (RFC 1928, RFC 1929, and what Tor adds to them).
struct SOCKS5Handshake: ServerHandshake {
    private enum State {
        case awaitingGreeting
        case awaitingCredentials
        case awaitingRequest
        case opening
        case established
        case finished
    }

    private let script: Script
    private var state = State.awaitingGreeting

    init(script: Script) { self.script = script }

    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> HandshakeStep {
        switch state {
        case .awaitingGreeting:
            parse(Greeting.parse, &buffer, &session) { $0.answer($1, &$2) }
        case .awaitingCredentials:
            parse(Credentials.parse, &buffer, &session) { $0.answer($1, &$2) }
        case .awaitingRequest:
            parse(Request.parse, &buffer, &session) { $0.answer($1, &$2) }
        case .opening, .finished: .receive
        case .established: .relay
        }
    }

    mutating func opened(at endpoint: Endpoint) -> HandshakeStep {
        state = .established
        let reply = reply(.succeeded, endpoint).encoded
        let replies = Array(repeatElement(reply, count: 1 + script.extraReplies).joined())
        return .send(replies + script.earlyData)
    }

    mutating func resolved(_ address: Address) -> HandshakeStep {
        state = .finished
        return .sendAndClose(reply(.succeeded, Endpoint(address, port: 0)).encoded, .resolved)
    }

    mutating func failed(_ code: Reply.Code) -> HandshakeStep {
        state = .finished
        return .sendAndClose(reply(code, Endpoint(.ipv4([0, 0, 0, 0]), port: 0)).encoded, .refused(Int(code.rawValue)))
    }

    private func reply(_ code: Reply.Code, _ bound: Endpoint) -> Reply {
        Reply(code: code, bound: Endpoint(script.boundAddress ?? bound.address, port: bound.port))
    }

    private mutating func parse<Message>(
        _ parse: (inout [UInt8]) -> Parsed<Message>, _ buffer: inout [UInt8], _ session: inout Session,
        _ answer: (inout SOCKS5Handshake, Message, inout Session) -> HandshakeStep
    ) -> HandshakeStep {
        switch session.take(parse, from: &buffer) {
        case .needMore: return .receive
        case .malformed(let reason):
            state = .finished
            return .close(.rejected(reason))
        case .message(let message): return answer(&self, message, &session)
        }
    }

    private mutating func answer(_ greeting: Greeting, _ session: inout Session) -> HandshakeStep {
        session.offeredMethods = greeting.methods
        let wanted: UInt8 = script.credentials == nil ? 0 : 2
        let chosen = script.chosenMethod ?? (greeting.methods.contains(wanted) ? wanted : 0xff)
        session.chosenMethod = chosen
        switch chosen {
        case 0: state = .awaitingRequest
        case 2: state = .awaitingCredentials
        default:
            state = .finished
            return .sendAndClose([5, chosen], .rejected("no acceptable authentication method"))
        }
        return .send([5, chosen])
    }

    private mutating func answer(_ credentials: Credentials, _ session: inout Session) -> HandshakeStep {
        session.credentials = credentials
        let accepted = !script.refusesCredentials && (script.credentials ?? credentials) == credentials
        guard accepted else {
            state = .finished
            return .sendAndClose([script.credentialReplyVersion, 1], .rejected("wrong credentials"))
        }
        state = .awaitingRequest
        return .send([script.credentialReplyVersion, 0])
    }

    private mutating func answer(_ request: Request, _ session: inout Session) -> HandshakeStep {
        session.request = request
        let code =
            script.commandReplyCodes[request.command] ?? script.replyCodes[request.port] ?? script.replyCode
        if let code, code != 0 { return failed(Reply.Code(rawValue: code)) }
        guard script.commands.contains(request.command) else { return failed(.commandNotSupported) }
        state = .opening
        switch request.command {
        case .connect: return .open(request)
        case .udpAssociate: return .associate(request)
        case .resolve, .resolvePTR: return .resolve(request)
        default: return failed(.commandNotSupported)
        }
    }
}
