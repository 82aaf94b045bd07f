/// How the proxy treats a connection. The default is an honest server without authentication. Each fault is a
/// property, and the properties compose.
public struct Script: Sendable {
    /// The protocol that the proxy speaks.
    public var proxyProtocol = ProxyProtocol.socks5

    // What it asks for.

    /// The only user name and password that the proxy accepts; SOCKS4 compares the name alone. nil: no
    /// authentication.
    public var credentials: Credentials?
    /// METHOD in the answer to the greeting, whatever was offered; 0xff: none is acceptable.
    public var chosenMethod: UInt8?
    /// VER in the answer to the credentials; RFC 1929 says 1, some servers say 5.
    public var credentialReplyVersion: UInt8 = 1
    /// Refuses the right credentials, too.
    public var refusesCredentials = false

    // What it does for its clients.

    /// The commands that the proxy obeys, out of CONNECT, UDP ASSOCIATE, and Tor's RESOLVE and RESOLVE_PTR.
    public var commands: Set<Request.Command> = [.connect, .udpAssociate]
    /// Addresses of names, tried in order. The system resolves every other name, and finds the name of every other
    /// address.
    public var names: [String: [String]] = [:]
    /// The time limit for connecting to a target; the reply after it is "TTL expired".
    public var connectTimeout: Duration = .seconds(5)

    // What it answers.

    /// REP of SOCKS5, CD of SOCKS4. The proxy sends a failure without connecting to the target. nil: the result of
    /// the attempt.
    public var replyCode: UInt8?
    /// REP or CD for requests for these ports, before `replyCode`.
    public var replyCodes: [UInt16: UInt8] = [:]
    /// REP for these commands, before `replyCodes`.
    public var commandReplyCodes: [Request.Command: UInt8] = [:]
    /// VN in the reply of SOCKS4; some servers say 4.
    public var socks4ReplyVersion: UInt8 = 0
    /// The answers of an HTTP proxy.
    public var http = HTTP()
    /// BND.ADDR; nil: the address of the outgoing connection or of the relay, or the result of RESOLVE.
    public var boundAddress: Address?
    /// Sent in the same segment, behind the reply that says success.
    public var earlyData: [UInt8] = []
    /// How many times the reply that says success is repeated.
    public var extraReplies = 0

    // When it answers.

    /// The proxy sends METHOD once this many connections wait for it at the same time. Later connections do not wait.
    public var gatheredGreetings = 0
    /// The proxy acts on requests once this many connections have sent one and wait. Later connections do not wait.
    public var gatheredRequests = 0

    // What it does with datagrams.

    public var datagrams = Datagrams()

    // How it sends it.

    /// Waits before each of its messages.
    public var delay: Duration = .zero
    /// Sends every byte of the handshake in a segment of its own, this far apart.
    public var byteInterval: Duration?
    /// The fault in the handshake, and the number of bytes sent before it.
    public var fault: Fault?
    /// Takes the connection and never reads from it.
    public var neverReads = false
    /// Ends connections by RST, where an honest server would by FIN.
    public var resets = false

    public init() {}

    /// A fault at an offset in the proxy's output.
    public struct Fault: Sendable {
        public enum Kind: Sendable {
            /// The connection ends.
            case close
            /// Nothing more is sent, and the connection stays open.
            case hang
            /// Each further byte is replaced by its complement.
            case complement
            /// These bytes are sent for everything that remains, and the connection stays open.
            case garbage([UInt8])
        }

        public var kind: Kind
        public var offset: Int

        public init(_ kind: Kind, after offset: Int) {
            self.kind = kind
            self.offset = offset
        }
    }
}
