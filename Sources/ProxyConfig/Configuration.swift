import Addressing

/// What a configuration file, or a list of proxy URLs, says.
public struct Configuration: Equatable, Sendable {
    /// The proxies of the default chain, in the order of the file.
    public var proxies: [Proxy] = []
    public var chainMode: ChainMode = .strict
    /// Number of proxies in a chain, in the modes `random` and `roundRobin` (`chain_len`). 1 or more.
    public var chainLength = 1
    /// Destinations that are connected to directly (`localnet`).
    public var localNetworks: [LocalNetwork] = []
    /// Destinations that are replaced before anything else is decided (`dnat`).
    public var translations: [AddressTranslation] = []
    public var loopback: LoopbackPolicy = .direct
    public var dns: DNSMode = .fake
    public var udp: UDPPolicy = .associate
    /// The most bytes of data that go to the proxy in one datagram, 256 to 65,000; what has more goes out in fragments
    /// (RFC 1928 section 7), for proxies that join them (`udp associate fragment`). nil: nothing goes out in fragments.
    public var udpFragmentSize: Int?
    /// Where addresses that stand for names are taken from (`remote_dns_subnet`). 198.18.0.0/15 unless told.
    public var fakeNetwork = IPNetwork(IPv4Address(198, 18, 0, 0), prefixLength: 15)
    /// Milliseconds that a TCP connection to the first proxy may take (`tcp_connect_time_out`);
    /// 0: as long as the kernel tries.
    public var connectTimeout = 0
    /// Milliseconds that each answer of a proxy may take (`tcp_read_time_out`). 1 or more.
    public var readTimeout = 120_000
    public var logLevel: LogLevel = .error
    /// The daemon that gives out addresses for names (`proxy_dns_daemon`), which has no implementation yet:
    /// a configuration that names one is not usable.
    public var dnsDaemon: Endpoint?

    /// The defaults of socksify.
    public init() {}

    /// What a file of that style means before its first line.
    public init(defaultsOf style: ConfigurationStyle) {
        guard style == .proxychains else { return }
        chainMode = .dynamic
        loopback = .proxy
        dns = .local
        fakeNetwork = IPNetwork(IPv4Address(224, 0, 0, 0), prefixLength: 8)
        connectTimeout = 10_000
        readTimeout = 4_000
    }
}

/// One entry of a proxy list.
public struct Proxy: Equatable, Sendable {
    public var type: ProxyType
    public var host: Host
    /// In host byte order, 1 or more.
    public var port: UInt16
    public var credentials: Credentials?

    public init(type: ProxyType, host: Host, port: UInt16, credentials: Credentials? = nil) {
        self.type = type
        self.host = host
        self.port = port
        self.credentials = credentials
    }
}

/// The protocol that a proxy speaks.
public enum ProxyType: Equatable, Sendable {
    case socks5
    case socks4
    case http
    /// Not a protocol: the proxy is connected to, and gets the program's bytes as they are.
    case raw
}

/// User name and password of RFC 1929 (or of the proxy type's own scheme), each of 1 to 255 bytes; only a
/// SOCKS5 proxy insists on a password, for others it may be empty.
public struct Credentials: Equatable, Sendable {
    public var user: [UInt8]
    public var password: [UInt8]

    public init(user: [UInt8], password: [UInt8]) {
        self.user = user
        self.password = password
    }
}

/// How the proxies of a list make a chain.
public enum ChainMode: Equatable, Sendable {
    /// All of them, in order.
    case strict
    /// All that are alive, in order.
    case dynamic
    /// `chainLength` of them, drawn at random.
    case random
    /// `chainLength` of them, going on where the last chain ended.
    case roundRobin
}

/// What happens to connections to loopback addresses.
public enum LoopbackPolicy: Equatable, Sendable {
    case direct, proxy
}

/// How names are resolved (`dns`).
public enum DNSMode: Equatable, Sendable {
    /// A reserved address stands for the name, and the proxy resolves it.
    case fake
    /// By this server, which is asked through the proxy, over TCP (RFC 7766). A name is the proxy's to resolve. The port
    /// is 1 or more.
    case tcp(Endpoint)
    /// By Tor, with the commands that it adds to SOCKS5.
    case tor
    /// By the resolver of this machine.
    case local

    /// Whether reserved addresses stand for names: for all of them, or for those that have no other (`.onion`).
    public var reservesAddresses: Bool { self == .fake || self == .tor }
}

/// The port of name servers (RFC 1035 section 4.2).
let nameServerPort: UInt16 = 53

/// What happens to datagrams that would go through the proxy if they were connections (`udp`).
public enum UDPPolicy: Equatable, Sendable {
    /// They go through the proxy (RFC 1928 section 7).
    case associate
    /// They are refused.
    case block
    /// They go around the proxy.
    case direct
}

/// How much is logged; each level includes those before it.
public enum LogLevel: UInt8, Equatable, Sendable {
    case off, error, warning, info, debug
}

/// A block of addresses that is reached directly (`localnet`).
public struct LocalNetwork: Equatable, Sendable {
    public var network: IPNetwork
    /// The only port meant; nil for every port.
    public var port: UInt16?

    public init(network: IPNetwork, port: UInt16?) {
        self.network = network
        self.port = port
    }
}

/// A destination that is replaced by another (`dnat`). IPv4 only, as in proxychains.
public struct AddressTranslation: Equatable, Sendable {
    public var original: IPv4Address
    /// The only port meant; nil for every port.
    public var originalPort: UInt16?
    public var replacement: IPv4Address
    /// nil keeps the port.
    public var replacementPort: UInt16?

    public init(
        original: IPv4Address, originalPort: UInt16?, replacement: IPv4Address, replacementPort: UInt16?
    ) {
        self.original = original
        self.originalPort = originalPort
        self.replacement = replacement
        self.replacementPort = replacementPort
    }
}
