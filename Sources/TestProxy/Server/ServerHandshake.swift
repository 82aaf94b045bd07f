/// The server's side of a handshake, without I/O: bytes in, the next thing to do out.
///
/// The caller asks for the `next` step, takes it, reports its result where the step needs one (`opened`, `resolved`,
/// `failed`), and asks again. This type puts the false contents of a `Script` into messages; `OutputShaper` and the
/// connection decide when and how to send them.
protocol ServerHandshake {
    /// The next step for the bytes received so far. Removes parsed messages from `buffer` and records them in
    /// `session`.
    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> HandshakeStep

    /// The target is reached over a connection from this endpoint, or a relay for datagrams listens there.
    mutating func opened(at endpoint: Endpoint) -> HandshakeStep

    /// This is the address or the name that was asked for.
    mutating func resolved(_ address: Address) -> HandshakeStep

    /// The request failed, for a reason that SOCKS5 has a code for.
    mutating func failed(_ code: Reply.Code) -> HandshakeStep
}

extension ServerHandshake {
    mutating func resolved(_ address: Address) -> HandshakeStep { failed(.commandNotSupported) }
}

/// The next step of a server.
enum HandshakeStep: Equatable {
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
    /// The handshake is over: further bytes belong to the client and the target.
    case relay
    /// The client cannot be served, and gets no answer.
    case close(Session.Outcome)
}

extension ProxyProtocol {
    /// The server's side of a handshake that goes as `script` says.
    func serverHandshake(_ script: Script) -> any ServerHandshake {
        switch self {
        case .socks5: SOCKS5Handshake(script: script)
        case .socks4: SOCKS4Handshake(script: script)
        case .http: HTTPHandshake(script: script)
        case .raw(let target): RawHandshake(script: script, target: target)
        }
    }
}

extension Session {
    /// Removes the client's next message from `buffer` if it is complete. Records its bytes, and whether more follow.
    mutating func take<Message>(
        _ parse: (inout [UInt8]) -> Parsed<Message>, from buffer: inout [UInt8]
    ) -> Parsed<Message> {
        let before = buffer
        let parsed = parse(&buffer)
        if case .message = parsed {
            received += before.dropLast(buffer.count)
            // No message may be sent before the last one is answered.
            if !buffer.isEmpty { pipelined = true }
        }
        return parsed
    }
}
