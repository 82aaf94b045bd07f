import Addressing

/// What a configuration file, or a list of proxy URLs, says.
public struct Configuration: Equatable, Sendable {
    /// The proxies of all lists, in the order of the file; lists refer to them by their place here.
    public var proxies: [Proxy] = []
    /// The lists of proxies. The first is the default chain (`[ProxyList]`), and always there; rules refer to the
    /// others (`[Proxies NAME]`) by their place here.
    public var lists = [ProxyList()]
    /// What is decided by rules, those for this program first (`[App]`, then `[Rules]`): the first that matches counts.
    public var rules: [Rule] = [] {
        didSet { ruleIndex = RuleIndex(rules) }
    }
    /// Finds the first of `rules` that matches.
    private(set) var ruleIndex = RuleIndex([])
    /// Destinations that are connected to directly (`localnet`).
    public var localNetworks: [LocalNetwork] = []
    /// Destinations that are replaced before anything else is decided (`dnat`).
    public var translations: [AddressTranslation] = []
    public var loopback: LoopbackPolicy = .direct
    /// What happens to listening sockets for which no rule says it (`bind`).
    public var listeners: ListenerPolicy = .direct
    /// What happens to sockets that are neither TCP nor UDP (`other_protocols`); nil where nothing is said of them: they
    /// are blocked, unless what no rule speaks of goes around the proxy.
    public var otherProtocols: OtherProtocolsPolicy?
    /// What happens to addresses that a server outside has answered for a name, and that lead to this machine or around the
    /// proxies (`local_answers`).
    public var localAnswers: LocalAnswersPolicy = .refuse
    /// Whether names that are not found are looked up in the domains of resolv.conf(5) as well (`search_domains`).
    public var searchesDomains = false
    /// What happens to programs that are started and that the library is not loaded into (`unreachable`); nil where nothing
    /// is said of them: they are started without network.
    public var unreachable: UnreachablePolicy?
    /// Which connections a proxy is to keep apart (`isolate`).
    public var isolation: Isolation = .none
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
    public var readTimeout = defaultReadTimeout
    /// Seconds for which a proxy that has failed is left out, where the chain's mode allows that (`dead_time`); 0: it is
    /// tried again at once.
    public var deadTime = 60
    public var logLevel: LogLevel = .error
    /// The path of the file that lines are added to (`log LEVEL FILE`); nil: standard error.
    public var logFile: [UInt8]?

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

    private static var defaultReadTimeout: Int { 120_000 }

    /// Whether nobody has said how long an answer may take.
    public var hasDefaultReadTimeout: Bool { readTimeout == Configuration.defaultReadTimeout }

    /// Whether sockets that are neither TCP nor UDP are refused: as `other_protocols` says; where it says nothing, unless
    /// what no other rule speaks of goes around the proxy.
    public var blocksOtherProtocols: Bool {
        if let otherProtocols { return otherProtocols == .block }
        guard let rule = ruleIndex.catchAll else { return true }
        return rules[rule].action != .direct
    }

    /// Whether it matters to the rules which name an address was looked up by.
    public var namesHosts: Bool { ruleIndex.namesHosts }

    /// Whether reserved addresses may stand for names: as `dns` says, or for the sake of rules that speak of names.
    public var reservesAddresses: Bool { dns.reservesAddresses || namesHosts }

    /// The mode of the default chain.
    public var chainMode: ChainMode {
        get { lists.first?.mode ?? .strict }
        set { if !lists.isEmpty { lists[0].mode = newValue } }
    }

    /// `ProxyList.length` of the default chain.
    public var chainLength: Int {
        get { lists.first?.length ?? 1 }
        set { if !lists.isEmpty { lists[0].length = newValue } }
    }
}

/// What happens to connections to loopback addresses.
public enum LoopbackPolicy: Equatable, Sendable {
    case direct, proxy
}

/// What happens to sockets that listen for connections from outside (`bind`).
public enum ListenerPolicy: Equatable, Sendable {
    /// They listen on this machine.
    case direct
    /// listen(2) fails.
    case block
}

/// What happens to sockets of protocols that no proxy carries: raw, ICMP and packet sockets, SCTP, UDP-Lite and the
/// like (`other_protocols`).
public enum OtherProtocolsPolicy: Equatable, Sendable {
    /// socket(2) fails.
    case block
    /// They go around the proxy.
    case direct
}

/// What happens to answers of servers outside that lead to this machine or around the proxies (`local_answers`).
public enum LocalAnswersPolicy: Equatable, Sendable {
    /// They count as if they had not been given.
    case refuse
    /// Programs get them.
    case accept
}

/// Which connections go to a proxy with a user name of their own, so that it keeps them apart, as Tor does (`isolate`).
/// Proxies with credentials get these.
public enum Isolation: Equatable, Sendable {
    case none
    /// Those of each process.
    case process
    /// Those of all processes that were started from one.
    case tree
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
