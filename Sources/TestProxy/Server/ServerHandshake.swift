/// The server's side of a handshake, without I/O: bytes in, the next thing to do out.
///
/// One thing is done at a time. Whoever drives it asks for the `next` step, does it, says what came of it where the
/// step asks (`opened`, `resolved`, `failed`), and asks again. The lies that a `Script` tells are told here as far as
/// they concern what is said; when and how it is said concerns `OutputShaper` and the connection.
protocol ServerHandshake {
    /// What to do with the bytes received so far. Those that are understood are removed from `buffer`, and what is
    /// learned from them is written into `session`.
    mutating func next(_ buffer: inout [UInt8], _ session: inout Session) -> HandshakeStep

    /// The target is reached over a connection from this endpoint, or a relay for datagrams listens there.
    mutating func opened(at endpoint: Endpoint) -> HandshakeStep

    /// This is the address or the name that was asked for.
    mutating func resolved(_ address: Address) -> HandshakeStep

    /// What was asked for cannot be had, for a reason that SOCKS5 has a code for.
    mutating func failed(_ code: Reply.Code) -> HandshakeStep
}

extension ServerHandshake {
    mutating func resolved(_ address: Address) -> HandshakeStep { failed(.commandNotSupported) }
}

/// What a server does next.
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
    /// The handshake is over: what comes now belongs to the client and the target.
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
    /// Takes the client's next message off `buffer`, when it is there to its end, and notes how it came.
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
