/// The server's side of HTTP's CONNECT (RFC 9110 section 9.3.6).
struct HTTPHandshake: ServerHandshake {
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
            switch session.take(HTTPHead.parse, from: &buffer) {
            case .needMore: return .receive
            case .malformed(let reason): return reject(400, reason)
            case .message(let head): return answer(head, &session)
            }
        case .opening, .finished: return .receive
        case .established: return .relay
        }
    }

    mutating func opened(at endpoint: Endpoint) -> HandshakeStep {
        state = .established
        let answers = Array(repeatElement(response(script.http.status ?? 200), count: 1 + script.extraReplies).joined())
        return .send(answers + script.earlyData)
    }

    mutating func failed(_ code: Reply.Code) -> HandshakeStep {
        switch code {
        case .timeToLiveExpired: refuse(504)
        case .commandNotSupported: refuse(501)
        default: refuse(502)
        }
    }

    private mutating func answer(_ head: HTTPHead, _ session: inout Session) -> HandshakeStep {
        guard head.words.count == 3, head.words[2] == "HTTP/1.1" || head.words[2] == "HTTP/1.0" else {
            return reject(400, "no request line")
        }
        guard head.words[0] == "CONNECT" else { return reject(405, "method \(head.words[0])") }
        guard let target = Endpoint(authority: head.words[1]) else { return reject(400, "target \(head.words[1])") }
        // RFC 9112 section 3.2.
        guard head.words[2] == "HTTP/1.0" || head.fields["host"] == head.words[1] else {
            return reject(400, "no Host, or not that of the request line")
        }
        let request = Request(command: .connect, address: target.address, port: target.port)
        session.request = request
        session.credentials = head.fields["proxy-authorization"].flatMap { Credentials(basic: $0) }
        guard !script.refusesCredentials, script.credentials == nil || script.credentials == session.credentials else {
            return reject(407, session.credentials == nil ? "no credentials" : "wrong credentials")
        }
        if let status = script.http.status, !(200...299).contains(status) { return refuse(status) }
        guard script.commands.contains(.connect) else { return refuse(501) }
        state = .opening
        return .open(request)
    }

    /// The client's message is malformed.
    private mutating func reject(_ status: Int, _ reason: String) -> HandshakeStep {
        state = .finished
        return .sendAndClose(response(status), .rejected(reason))
    }

    private mutating func refuse(_ status: Int) -> HandshakeStep {
        state = .finished
        return .sendAndClose(response(status), .refused(status))
    }

    /// The answer, after the responses that the script puts before it.
    private func response(_ status: Int) -> [UInt8] {
        var lines: [String] = []
        for interim in script.http.interimStatuses { lines += ["HTTP/1.1 \(interim) Interim", ""] }
        lines.append("HTTP/1.1 \(status) \(reason(of: status))")
        if status == 407 { lines.append("Proxy-Authenticate: Basic realm=\"proxy\"") }
        if !(200...299).contains(status) { lines.append("Content-Length: 0") }
        lines += script.http.lines + [""]
        return lines.flatMap { Array(($0 + script.http.lineEnd).utf8) }
    }

    private func reason(of status: Int) -> String {
        switch status {
        case 200...299: "Connection established"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 405: "Method Not Allowed"
        case 407: "Proxy Authentication Required"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Refused"
        }
    }
}
