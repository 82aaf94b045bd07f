import Testing

@testable import TestProxy

@Suite struct HTTPHandshakeTests {
    private let web = Request(command: .connect, address: .name(Array("web.test".utf8)), port: 80)

    private func answer(_ text: String, _ script: Script = Script()) -> (HandshakeStep, Session) {
        var (handshake, session) = (HTTPHandshake(script: script), Session(client: ""))
        var buffer = Array(text.utf8)
        return (handshake.next(&buffer, &session), session)
    }

    private func request(_ target: String, fields: String = "") -> String {
        "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\(fields)\r\n"
    }

    /// The bytes that are sent at the end, as text, and the outcome of the session.
    private func refusal(_ text: String, _ script: Script = Script()) -> (String, Session.Outcome)? {
        guard case .sendAndClose(let bytes, let outcome) = answer(text, script).0 else { return nil }
        return (String(decoding: bytes, as: UTF8.self), outcome)
    }

    @Test(arguments: [
        ("203.0.113.10:8080", Endpoint(.ipv4([203, 0, 113, 10]), port: 8080)),
        ("[2001:db8::1]:443", Endpoint(.ipv6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), port: 443)),
        ("Web.test:1", Endpoint(.name(Array("Web.test".utf8)), port: 1)),
    ])
    func `A target is read`(text: String, target: Endpoint) {
        let (step, session) = answer(request(text))
        #expect(step == .open(Request(command: .connect, address: target.address, port: target.port)))
        #expect(session.request?.description == "CONNECT \(text)")
        #expect(session.credentials == nil)
        #expect(String(decoding: session.received, as: UTF8.self) == request(text))
        #expect(session.pipelined == false)
        #expect(answer(request(text) + "x").1.pipelined)
    }

    @Test func `A head is waited for until its last byte is there`() {
        let text = request("web.test:80")
        for count in 0..<text.utf8.count {
            #expect(answer(String(decoding: Array(text.utf8.prefix(count)), as: UTF8.self)).0 == .receive)
        }
    }

    @Test func `What is not in order is rejected`() {
        for (text, status) in [
            ("GET http://web.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n", 405), ("CONNECT\r\n\r\n", 400),
            (request("web.test"), 400), (request(":80"), 400), (request("web.test:65536"), 400),
            (request("2001:db8::1:80"), 400), (request("[web.test]:80"), 400), ("\u{5}\u{1}\0", 400),
            ("CONNECT web.test:80 HTTP/1.1\r\n\r\n", 400), ("CONNECT web.test:80 HTTP/2\r\n\r\n", 400),
            ("CONNECT web.test:80 HTTP/1.1\r\nHost: other.test:80\r\n\r\n", 400),
            (String(repeating: "C", count: 65537), 400),
        ] {
            guard case (let answer, .rejected)? = refusal(text) else {
                Issue.record("accepted \(text)")
                continue
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
        }
    }

    @Test func `HTTP 1 0 needs no Host`() {
        #expect(answer("CONNECT web.test:80 HTTP/1.0\r\n\r\n").0 == .open(web))
    }

    @Test func `Credentials are asked for and compared`() {
        var script = Script()
        script.credentials = Credentials(user: "Aladdin", password: "open sesame")
        // RFC 7617, section 2.
        let right = request("web.test:80", fields: "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")
        let (step, session) = answer(right, script)
        #expect(step == .open(web))
        #expect(session.credentials == script.credentials)
        for (field, reason) in [
            ("", "no credentials"), ("Proxy-Authorization: Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", "no credentials"),
            ("Proxy-Authorization: Basic YTpi\r\n", "wrong credentials"),
            ("Proxy-Authorization: Basic ***\r\n", "no credentials"),
        ] {
            let refused = refusal(request("web.test:80", fields: field), script)
            #expect(refused?.1 == .rejected(reason))
            #expect(
                refused?.0 == """
                    HTTP/1.1 407 Proxy Authentication Required\r
                    Proxy-Authenticate: Basic realm="proxy"\r
                    Content-Length: 0\r
                    \r

                    """)
        }
        script.refusesCredentials = true
        #expect(refusal(right, script)?.1 == .rejected("wrong credentials"))
    }

    @Test func `A status is answered without an attempt, unless it is success`() {
        var script = Script()
        script.http.status = 403
        #expect(refusal(request("web.test:80"), script)?.0 == "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        #expect(refusal(request("web.test:80"), script)?.1 == .refused(403))
        script.http.status = 204
        #expect(answer(request("web.test:80"), script).0 == .open(web))
        var handshake = HTTPHandshake(script: script)
        #expect(
            handshake.opened(at: Endpoint(.ipv4([0, 0, 0, 0]), port: 0))
                == .send(Array("HTTP/1.1 204 Connection established\r\n\r\n".utf8)))
    }

    @Test func `The answer has what the script says around it`() {
        var script = Script()
        script.http.interimStatuses = [100]
        script.http.lines = ["X-Test: 1", " folded"]
        script.http.lineEnd = "\n"
        script.earlyData = Array("early".utf8)
        var handshake = HTTPHandshake(script: script)
        let head = "HTTP/1.1 100 Interim\n\nHTTP/1.1 200 Connection established\nX-Test: 1\n folded\n\n"
        #expect(
            handshake.opened(at: Endpoint(.ipv4([0, 0, 0, 0]), port: 0)) == .send(Array("\(head)early".utf8)))
        var (buffer, session): ([UInt8], Session) = ([], Session(client: ""))
        #expect(handshake.next(&buffer, &session) == .relay)
    }

    @Test func `What cannot be reached has a status`() {
        for (code, status) in [
            (Reply.Code.connectionRefused, 502), (.hostUnreachable, 502), (.timeToLiveExpired, 504),
            (.commandNotSupported, 501),
        ] {
            var handshake = HTTPHandshake(script: Script())
            guard case .sendAndClose(let answer, .refused(status)) = handshake.failed(code) else {
                Issue.record("\(code)")
                continue
            }
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "))
        }
    }
}
