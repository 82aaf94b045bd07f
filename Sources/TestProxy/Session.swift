/// What happened on one connection, as the proxy saw it.
public struct Session: Equatable, Sendable {
    /// How it ended, or how far it got.
    public enum Outcome: Equatable, Sendable {
        case inProgress
        /// The target is reached and bytes are passed on, or datagrams are.
        case relaying
        /// The reply said the address or the name that the client asked for.
        case resolved
        /// The reply said this: REP of SOCKS5, CD of SOCKS4, the status of HTTP.
        case refused(Int)
        /// The client's message could not be read, or its offer not be used.
        case rejected(String)
        /// The client went away before the handshake was over.
        case abandoned
        /// The script ended or stopped it.
        case faulted
    }

    /// Address and port that the connection came from.
    public var client: String
    /// Counts the sessions of all proxies of this process as they begin.
    public internal(set) var number = 0
    public var proxyProtocol: ProxyProtocol
    /// METHODS, in the client's order.
    public var offeredMethods: [UInt8] = []
    /// METHOD.
    public var chosenMethod: UInt8?
    /// The password is empty with SOCKS4.
    public var credentials: Credentials?
    public var request: Request?
    /// What went through the UDP association, if there was one.
    public var association: AssociationRecord?
    /// Every byte of the handshake that the client sent.
    public var received: [UInt8] = []
    /// Whether the client sent bytes before the proxy's message that it had to wait for. Means nothing at a raw
    /// proxy, where a client need not wait.
    public var pipelined = false
    public var outcome = Outcome.inProgress
    /// Whether the client's connection is closed.
    public var ended = false

    init(client: String, proxyProtocol: ProxyProtocol = .socks5) {
        self.client = client
        self.proxyProtocol = proxyProtocol
    }
}

extension Session: CustomStringConvertible {
    /// One line for a person to read.
    public var description: String {
        guard let request else { return "connection from \(client): \(described(outcome))" }
        let resolved = request.address.isName ? " (name resolved by the proxy)" : ""
        let user = credentials.map { " as \(String(decoding: $0.user, as: UTF8.self))" } ?? ""
        let end = outcome == .relaying ? "" : ": \(described(outcome))"
        return "\(request)\(user)\(resolved)\(end)"
    }

    private func described(_ outcome: Outcome) -> String {
        switch outcome {
        case .inProgress: "in progress"
        case .relaying: "relaying"
        case .resolved: "resolved"
        case .refused(3): "network unreachable"
        case .refused(4): "host unreachable"
        case .refused(5): "connection refused"
        case .refused(6): "timed out"
        case .refused(let code): "refused with code \(code)"
        case .rejected(let reason): "rejected, \(reason)"
        case .abandoned: "the client went away"
        case .faulted: "ended by the script"
        }
    }
}
