import NIOCore

/// As much of an HTTP request as a test target wants to know.
public struct HTTPRequest: Sendable {
    public var method: String
    /// The path and the query.
    public var target: String
    /// By name in lower case.
    public var headers: [String: String]
    public var body: [UInt8]
    /// The port that the connection came from.
    public var clientPort: Int
}

/// An answer to an HTTP request.
public struct HTTPResponse: Sendable {
    public var status: String
    public var type: String
    public var body: [UInt8]

    public init(status: String = "200 OK", type: String = "text/plain", body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = body
    }

    /// Text that says what was asked, so that a test can compare it with what it asked.
    public static func description(of request: HTTPRequest) -> HTTPResponse {
        let host = request.headers["host"] ?? "-"
        return HTTPResponse(body: Array("\(request.method) \(request.target) host \(host)\n".utf8))
    }
}

/// HTTP/1.1, one request after the other on a connection, bodies by Content-Length: enough for the clients of tests.
final class HTTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: @Sendable (HTTPRequest) -> HTTPResponse
    private var inbox: [UInt8] = []

    init(answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inbox += unwrapInboundIn(data).readableBytesView
        while let request = takeRequest(clientPort: context.remoteAddress?.port ?? 0) {
            let response = answer(request)
            let closes =
                request.headers["connection"]?.lowercased() == "close" || request.headers["x-version"] == "HTTP/1.0"
            let head = """
                HTTP/1.1 \(response.status)\r
                Content-Type: \(response.type)\r
                Content-Length: \(response.body.count)\r
                Connection: \(closes ? "close" : "keep-alive")\r
                \r

                """
            let bytes = Array(head.utf8) + (request.method == "HEAD" ? [] : response.body)
            let written = context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)))
            if closes { written.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The first request in the inbox, when it is there to its end.
    private func takeRequest(clientPort: Int) -> HTTPRequest? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard let headEnd = inbox.indices.first(where: { inbox[$0...].starts(with: end) }) else { return nil }
        var lines = String(decoding: inbox[..<headEnd], as: UTF8.self).split(separator: "\r\n")[...]
        let first = lines.popFirst()?.split(separator: " ") ?? []
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        if first.count > 2 { headers["x-version"] = String(first[2]) }
        let bodyStart = headEnd + end.count
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard inbox.count >= bodyStart + length else { return nil }
        let body = Array(inbox[bodyStart..<bodyStart + length])
        inbox.removeFirst(bodyStart + length)
        return HTTPRequest(
            method: first.first.map { String($0) } ?? "", target: first.count > 1 ? String(first[1]) : "",
            headers: headers, body: body, clientPort: clientPort)
    }
}
