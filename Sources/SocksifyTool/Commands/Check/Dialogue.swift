import Addressing
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5

/// What became of one step of a check.
public enum StepOutcome: Equatable, Sendable {
    /// Nothing was tried.
    case untried
    case passed(milliseconds: Double)
    /// With the rest of a sentence that begins with the proxy.
    case failed(String)

    var isFailure: Bool {
        if case .failed = self { return true }
        return false
    }
}

/// One connection through a chain of proxies, of which the last is asked for something; a record of how far it came.
struct Dialogue {
    /// What the last proxy is asked for.
    enum Wish {
        case connect(Endpoint)
        /// SOCKS5 only, as is `bind`.
        case associate
        case bind(Endpoint)
    }

    /// What one proxy of the chain did.
    struct Hop {
        /// How it was agreed who the client is; nil where the protocol has no such step.
        var method: String?
        var login = StepOutcome.untried
        /// The request for the next proxy, or for what is wanted in the end.
        var request = StepOutcome.untried
    }

    /// The connection to the first proxy.
    private(set) var reach = StepOutcome.untried
    /// As many as the chain has proxies.
    private(set) var hops: [Hop]
    /// Everything together.
    private(set) var milliseconds = 0.0

    /// Which proxy of the chain failed, and how; nil when none did.
    var failure: (hop: Int, reason: String)? {
        if case .failed(let reason) = reach { return (0, reason) }
        for (index, hop) in hops.enumerated() {
            if case .failed(let reason) = hop.login { return (index, reason) }
            if case .failed(let reason) = hop.request { return (index, reason) }
        }
        return nil
    }

    /// One that did not begin, for the reason given.
    init(failing reason: String, hops count: Int) {
        reach = .failed(reason)
        hops = Array(repeating: Hop(), count: count)
    }

    /// Does it all, and returns when the connection is closed again.
    ///
    /// - Parameters:
    ///   - chain: one proxy or more, with their passwords.
    ///   - first: where the first of them is.
    ///   - wish: nil to ask the last proxy for nothing.
    ///   - timeout: milliseconds for each step.
    init(_ chain: [Proxy], first: SocketPlace, wish: Wish?, timeout: Double) {
        hops = Array(repeating: Hop(), count: chain.count)
        let began = monotonicMilliseconds()
        do throws(StepFailure) {
            let connection = try Self.timed(&reach) { () throws(StepFailure) in
                try WaitingConnection(to: first, timeout: timeout)
            }
            for (index, proxy) in chain.enumerated() {
                let next = chain.indices.contains(index + 1) ? Self.connection(to: chain[index + 1]) : wish
                guard let next else { break }
                try speak(with: proxy, at: index, over: connection, timeout, next)
            }
        } catch {
            // The step that failed has the reason.
        }
        milliseconds = monotonicMilliseconds() - began
    }

    /// The grammar lets nothing but a first proxy have a path.
    private static func connection(to proxy: Proxy) -> Wish {
        guard case .network(let endpoint) = proxy.location else {
            return .connect(Endpoint(host: .address(.v4(IPv4Address(0))), port: 0))
        }
        return .connect(endpoint)
    }

    private static func timed<Value>(
        _ step: inout StepOutcome, _ body: () throws(StepFailure) -> Value
    ) throws(StepFailure) -> Value {
        let began = monotonicMilliseconds()
        do throws(StepFailure) {
            let value = try body()
            step = .passed(milliseconds: monotonicMilliseconds() - began)
            return value
        } catch {
            step = .failed(error.reason)
            throw error
        }
    }

    private mutating func speak(
        with proxy: Proxy, at hop: Int, over connection: WaitingConnection, _ timeout: Double, _ wish: Wish
    ) throws(StepFailure) {
        switch (proxy.type, wish) {
        case (.socks5, _):
            try speakSOCKS5(with: proxy, at: hop, over: connection, wish)
        case (.socks4, .connect(let target)):
            try Self.timed(&hops[hop].request) { () throws(StepFailure) in
                try Self.speakSOCKS4(user: proxy.credentials?.user ?? [], over: connection, target)
            }
        case (.http, .connect(let target)):
            if proxy.credentials != nil { hops[hop].method = "basic" }
            try Self.timed(&hops[hop].request) { () throws(StepFailure) in
                try Self.speakHTTP(credentials: proxy.credentials, over: connection, timeout, target)
            }
        case (.raw, .connect):
            hops[hop].request = .passed(milliseconds: 0)
        case (.socks4, _), (.http, _), (.raw, _):
            throw StepFailure(reason: "carries connections alone")
        }
    }

    // MARK: The protocols

    private mutating func speakSOCKS5(
        with proxy: Proxy, at hop: Int, over connection: WaitingConnection, _ wish: Wish
    ) throws(StepFailure) {
        var message: [UInt8] = []
        var handshake = SOCKS5.ClientHandshake(
            Self.request(for: wish, overIPv6: connection.isOverIPv6), offersUsernamePassword: proxy.credentials != nil)
        var action = handshake.start(writing: &message)
        var method: String?
        defer { hops[hop].method = method }
        // Greeting and credentials are over when the next message is the request.
        action = try Self.timed(&hops[hop].login) { () throws(StepFailure) in
            let next = try Self.exchange(action, &handshake, &message, over: connection)
            guard case .sendUsernamePassword = next else {
                method = "none"
                return next
            }
            method = "password"
            try Self.writeCredentials(of: proxy, to: &message)
            return try Self.exchange(next, &handshake, &message, over: connection)
        }
        try Self.timed(&hops[hop].request) { () throws(StepFailure) in
            while action != .established {
                action = try Self.exchange(action, &handshake, &message, over: connection)
            }
        }
    }

    private static func request(for wish: Wish, overIPv6: Bool) -> SOCKS5.Request {
        switch wish {
        case .connect(let target): SOCKS5.Request(command: .connect, destination: target)
        case .associate: .associating(overIPv6: overIPv6)
        case .bind(let peer): SOCKS5.Request(command: .bind, destination: peer)
        }
    }

    private static func writeCredentials(of proxy: Proxy, to message: inout [UInt8]) throws(StepFailure) {
        guard let credentials = proxy.credentials else { return }
        do throws(SOCKS5.UsernamePasswordRequest.LengthError) {
            try SOCKS5.UsernamePasswordRequest.write(
                user: credentials.user.span, password: credentials.password.span, to: &message)
        } catch {
            throw StepFailure(reason: "takes user names and passwords of 1 to 255 bytes")
        }
    }

    /// Does what `action` says, and gives what is to be done next.
    private static func exchange(
        _ action: SOCKS5.ClientHandshake.Action, _ handshake: inout SOCKS5.ClientHandshake,
        _ message: inout [UInt8], over connection: WaitingConnection
    ) throws(StepFailure) -> SOCKS5.ClientHandshake.Action {
        let wanted: Int
        switch action {
        case .send(let length), .sendUsernamePassword(let length):
            try connection.send(message)
            message = []
            wanted = length
        case .receive(let length): wanted = length
        case .established: return .established
        }
        let answer = try connection.receive(wanted)
        guard answer.count == wanted else {
            let error = handshake.receiveEnd(after: answer.span)
            throw StepFailure(error)
        }
        do throws(SOCKS5.ProtocolError) {
            return try handshake.receive(answer.span, writing: &message)
        } catch {
            throw StepFailure(error)
        }
    }

    private static func speakSOCKS4(
        user: [UInt8], over connection: WaitingConnection, _ target: Endpoint
    ) throws(StepFailure) {
        var handshake = SOCKS4.ClientHandshake(connectingTo: target)
        var message: [UInt8] = []
        var wanted = 0
        do throws(SOCKS4.ProtocolError) {
            let action = try handshake.start(userID: user.span, writing: &message)
            if case .send(let length) = action { wanted = length }
        } catch {
            throw StepFailure(error)
        }
        try connection.send(message)
        let answer = try connection.receive(wanted)
        guard answer.count == wanted else {
            let error = handshake.receiveEnd(after: answer.span)
            throw StepFailure(error)
        }
        do throws(SOCKS4.ProtocolError) {
            _ = try handshake.receive(answer.span)
        } catch {
            throw StepFailure(error)
        }
    }

    private static func speakHTTP(
        credentials: Credentials?, over connection: WaitingConnection, _ timeout: Double, _ target: Endpoint
    ) throws(StepFailure) {
        var handshake = HTTPConnect.ClientHandshake(connectingTo: target)
        var message: [UInt8] = []
        do throws(HTTPConnect.ProtocolError) {
            if let credentials {
                _ = try handshake.start(
                    user: credentials.user.span, password: credentials.password.span, writing: &message)
            } else {
                _ = try handshake.start(writing: &message)
            }
        } catch {
            throw StepFailure(error)
        }
        try connection.send(message)
        let deadline = monotonicMilliseconds() + timeout
        while true {
            let bytes = try connection.peek(until: deadline)
            guard !bytes.isEmpty else {
                let error = handshake.receiveEnd()
                throw StepFailure(error)
            }
            let consumed: Int
            let action: HTTPConnect.ClientHandshake.Action
            do throws(HTTPConnect.ProtocolError) {
                (consumed, action) = try handshake.receive(peeked: bytes.span)
            } catch {
                throw StepFailure(error)
            }
            _ = try connection.receive(consumed)
            if action == .established { return }
        }
    }
}
