/// The server's side of the handshake, without I/O: bytes in, the next thing to do out.
///
/// One thing is done at a time. Whoever drives it asks for the `next` step, does it, says what came of it where the
/// step asks (`opened`, `resolved`, `failed`), and asks again. The lies that a `Script` tells are told here as far as
/// they concern what is said; when and how it is said concerns `OutputShaper` and the connection.
struct ServerHandshake {
    enum Step: Equatable {
        /// Nothing to do before more bytes arrive.
        case receive
        /// A message for the client.
        case send([UInt8])
        /// The last message for the client.
        case sendAndClose([UInt8], Session.Outcome)
        /// Reach what the request asks for.
        case open(Request)
        /// Open a UDP association.
        case associate(Request)
        /// Find the address or the name that the request asks for.
        case resolve(Request)
        /// The handshake is over: what comes now belongs to the client and the target.
        case relay
        /// The client cannot be served, nor told so.
        case close(Session.Outcome)
    }

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

    /// What to do with the bytes received so far. Those that are understood are removed from `buffer`, and what is
    /// learned from them is written into `session`.
    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> Step {
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

    /// The target is reached over a connection from this endpoint, or a relay for datagrams listens there.
    mutating func opened(at endpoint: Endpoint) -> Step {
        state = .established
        let reply = reply(.succeeded, endpoint).encoded
        let replies = Array(repeatElement(reply, count: 1 + script.extraReplies).joined())
        return .send(replies + script.earlyData)
    }

    /// This is the address or the name that was asked for.
    mutating func resolved(_ address: Address) -> Step {
        state = .finished
        return .sendAndClose(reply(.succeeded, Endpoint(address, port: 0)).encoded, .resolved)
    }

    /// What was asked for cannot be had.
    mutating func failed(_ code: Reply.Code) -> Step {
        state = .finished
        return .sendAndClose(reply(code, Endpoint(.ipv4([0, 0, 0, 0]), port: 0)).encoded, .refused(code.rawValue))
    }

    private func reply(_ code: Reply.Code, _ bound: Endpoint) -> Reply {
        Reply(code: code, bound: Endpoint(script.boundAddress ?? bound.address, port: bound.port))
    }

    private mutating func parse<Message>(
        _ parse: (inout [UInt8]) -> Parsed<Message>, _ buffer: inout [UInt8], _ session: inout Session,
        _ answer: (inout ServerHandshake, Message, inout Session) -> Step
    ) -> Step {
        let before = buffer
        switch parse(&buffer) {
        case .needMore: return .receive
        case .malformed(let reason):
            state = .finished
            return .close(.rejected(reason))
        case .message(let message):
            session.received += before.dropLast(buffer.count)
            // No message may be sent before the last one is answered.
            if !buffer.isEmpty { session.pipelined = true }
            return answer(&self, message, &session)
        }
    }

    private mutating func answer(_ greeting: Greeting, _ session: inout Session) -> Step {
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

    private mutating func answer(_ credentials: Credentials, _ session: inout Session) -> Step {
        session.credentials = credentials
        let accepted = !script.refusesCredentials && (script.credentials ?? credentials) == credentials
        guard accepted else {
            state = .finished
            return .sendAndClose([script.credentialReplyVersion, 1], .rejected("wrong credentials"))
        }
        state = .awaitingRequest
        return .send([script.credentialReplyVersion, 0])
    }

    private mutating func answer(_ request: Request, _ session: inout Session) -> Step {
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
