/// No handshake: every client is joined to the same target, before it has said anything.
struct RawHandshake: ServerHandshake {
    private enum State {
        case idle
        case opening
        case established
        case finished
    }

    private let script: Script
    private let target: Endpoint
    private var state = State.idle

    init(script: Script, target: Endpoint) {
        self.script = script
        self.target = target
    }

    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> HandshakeStep {
        switch state {
        case .idle:
            state = .opening
            let request = Request(command: .connect, address: target.address, port: target.port)
            session.request = request
            return .open(request)
        case .opening, .finished: return .receive
        case .established: return .relay
        }
    }

    mutating func opened(at endpoint: Endpoint) -> HandshakeStep {
        state = .established
        return .send(script.earlyData)
    }

    mutating func failed(_ code: Reply.Code) -> HandshakeStep {
        state = .finished
        return .close(.refused(Int(code.rawValue)))
    }
}
