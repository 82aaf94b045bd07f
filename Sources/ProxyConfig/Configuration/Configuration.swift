import Addressing

/// The contents of a configuration file, or of a list of proxy URLs.
public struct Configuration: Equatable, Sendable {
    /// The proxies of all lists, in the order of the file; lists refer to them by index.
    public var proxies: [Proxy] = []
    /// The lists of proxies. The first is always the default chain (`[ProxyList]`); rules refer to the others
    /// (`[Proxies NAME]`) by index.
    public var lists = [ProxyList()]
    /// The rules, those for this program first (`[App]`, then `[Rules]`); the first that matches decides.
    public var rules: [Rule] = [] {
        didSet { ruleIndex = RuleIndex(rules) }
    }
    /// Finds the first of `rules` that matches.
    private(set) var ruleIndex = RuleIndex([])
    /// Destinations that go direct (`localnet`).
    public var localNetworks: [LocalNetwork] = []
    /// Destinations to replace before localnets are compared (`dnat`).
    public var translations: [AddressTranslation] = []
    public var loopback: LoopbackPolicy = .direct
    /// The policy for listening sockets without a matching rule (`bind`).
    public var listeners: ListenerPolicy = .direct
    /// The policy for sockets other than TCP and UDP (`other_protocols`); nil if unset: they are blocked, unless the
    /// rules end with `direct`.
    public var otherProtocols: OtherProtocolsPolicy?
    /// The policy for answered addresses of this machine, or that go direct (`local_answers`).
    public var localAnswers: LocalAnswersPolicy = .refuse
    /// Whether a name that is not found is also looked up in the domains of resolv.conf(5) (`search_domains`).
    public var searchesDomains = false
    /// The policy for started programs that do not load the library (`unreachable`); nil if unset: they start without
    /// network.
    public var unreachable: UnreachablePolicy?
    /// Which connections a proxy shall separate (`isolate`).
    public var isolation: Isolation = .none
    public var dns: DNSMode = .fake
    public var udp: UDPPolicy = .associate
    /// The maximum number of data bytes in one datagram to the proxy, 256 to 65,000 (`udp associate fragment`). Longer
    /// datagrams are sent in fragments (RFC 1928 section 7). nil: no fragments.
    public var udpFragmentSize: Int?
    /// The block of reserved addresses (`remote_dns_subnet`). Default 198.18.0.0/15.
    public var fakeNetwork = IPNetwork(IPv4Address(198, 18, 0, 0), prefixLength: 15)
    /// Milliseconds that a TCP connection to the first proxy may take (`tcp_connect_time_out`); 0: the kernel's limit.
    public var connectTimeout = 0
    /// Milliseconds that each answer of a proxy may take (`tcp_read_time_out`). 1 or more.
    public var readTimeout = defaultReadTimeout
    /// Seconds for which a failed proxy is skipped, if the chain's mode allows it (`dead_time`); 0: it is tried again
    /// immediately.
    public var deadTime = 60
    public var logLevel: LogLevel = .error
    /// The path of the log file (`log LEVEL FILE`); nil: standard error.
    public var logFile: [UInt8]?

    /// The defaults of socksify.
    public init() {}

    /// The defaults for a file of that style.
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

    /// True if the configuration does not change the limit for answers.
    public var hasDefaultReadTimeout: Bool { readTimeout == Configuration.defaultReadTimeout }

    /// Whether sockets other than TCP and UDP are refused: by `other_protocols`; if that is unset, unless the rules end
    /// with `direct`.
    public var blocksOtherProtocols: Bool {
        if let otherProtocols { return otherProtocols == .block }
        guard let rule = ruleIndex.catchAll else { return true }
        return rules[rule].action != .direct
    }

    /// Whether rules have `host` criteria, so that they need the name of an address.
    public var namesHosts: Bool { ruleIndex.namesHosts }

    /// Whether programs may get reserved addresses for names: because of `dns`, or of rules with `host`.
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

/// The port of name servers (RFC 1035 section 4.2).
let nameServerPort: UInt16 = 53
