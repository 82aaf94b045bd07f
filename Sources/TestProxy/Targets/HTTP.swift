import NIOCore

/// The parts of an HTTP request that a test target needs.
public struct HTTPRequest: Sendable {
    public var method: String
    /// The path and the query.
    public var target: String
    var version: String
    /// By name in lower case.
    public var headers: [String: String]
    public var body: [UInt8]
    /// The port that the connection came from.
    public var clientPort: Int

    init(_ head: HTTPHead, body: [UInt8], clientPort: Int) {
        let words = head.words + Array(repeating: "", count: max(0, 3 - head.words.count))
        (method, target, version) = (words[0], words[1], words[2])
        headers = head.fields
        self.body = body
        self.clientPort = clientPort
    }
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

    /// A description of the request, which a test compares with what it sent.
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
                request.headers["connection"]?.lowercased() == "close" || request.version == "HTTP/1.0"
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
        var rest = inbox
        guard case .message(let head) = HTTPHead.parse(&rest) else { return nil }
        let length = head.fields["content-length"].flatMap { Int($0) } ?? 0
        guard rest.count >= length else { return nil }
        inbox = Array(rest[length...])
        return HTTPRequest(head, body: Array(rest[..<length]), clientPort: clientPort)
    }
}
