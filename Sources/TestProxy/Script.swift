/// How the proxy treats a connection. The default is an honest server without authentication; everything that a
/// bad one may do is a property, and the properties compose.
public struct Script: Sendable {
    /// What it speaks.
    public var proxyProtocol = ProxyProtocol.socks5

    // What it asks for.

    /// The one pair of name and password that is accepted, of which SOCKS4 looks at the name alone; nil: no
    /// authentication.
    public var credentials: Credentials?
    /// METHOD in the answer to the greeting, whatever was offered; 0xff: none is acceptable.
    public var chosenMethod: UInt8?
    /// VER in the answer to the credentials; RFC 1929 says 1, some servers say 5.
    public var credentialReplyVersion: UInt8 = 1
    /// Refuses what is right, too.
    public var refusesCredentials = false

    // What it does for its clients.

    /// The commands that it obeys, of those that it knows: CONNECT, UDP ASSOCIATE, and Tor's RESOLVE and RESOLVE_PTR.
    public var commands: Set<Request.Command> = [.connect, .udpAssociate]
    /// Addresses of names, tried in order. A name that is not here is resolved by the system; so is the address that
    /// no name here has.
    public var names: [String: [String]] = [:]
    /// How long a target may take, after which the reply is "TTL expired".
    public var connectTimeout: Duration = .seconds(5)

    // What it answers.

    /// REP of SOCKS5, CD of SOCKS4; anything but success without trying to reach the target. nil: what became of the
    /// attempt.
    public var replyCode: UInt8?
    /// REP or CD for requests for these ports, before `replyCode`.
    public var replyCodes: [UInt16: UInt8] = [:]
    /// REP for these commands, before `replyCodes`.
    public var commandReplyCodes: [Request.Command: UInt8] = [:]
    /// VN in the reply of SOCKS4; some servers say 4.
    public var socks4ReplyVersion: UInt8 = 0
    /// What is said in HTTP.
    public var http = HTTP()
    /// BND.ADDR; nil: that of the outgoing connection or of the relay, or what was asked to be resolved.
    public var boundAddress: Address?
    /// Sent in the same segment, behind the reply that says success.
    public var earlyData: [UInt8] = []
    /// How many times the reply that says success is repeated.
    public var extraReplies = 0

    // When it answers.

    /// How many connections must wait for METHOD at the same time before any is given it. From then on nobody waits.
    public var gatheredGreetings = 0
    /// How many connections must have asked for a target, and be waiting, before any request is acted upon. From then
    /// on nobody waits.
    public var gatheredRequests = 0

    // What it does with datagrams.

    public var datagrams = Datagrams()

    // How it sends it.

    /// Waits before each of its messages.
    public var delay: Duration = .zero
    /// Sends every byte of the handshake in a segment of its own, this far apart.
    public var byteInterval: Duration?
    /// What goes wrong after so many bytes of the handshake.
    public var fault: Fault?
    /// Takes the connection and never reads from it.
    public var neverReads = false
    /// Ends connections by RST, where an honest server would by FIN.
    public var resets = false

    public init() {}

    /// Something that goes wrong at a place in the proxy's output, counted from its first byte.
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
