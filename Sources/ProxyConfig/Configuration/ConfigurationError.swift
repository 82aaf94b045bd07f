import Addressing

/// A mistake in a configuration, and its position.
public struct ConfigurationError: Equatable, Sendable, Error {
    public var position: SourcePosition
    public var kind: Kind

    public init(at position: SourcePosition, _ kind: Kind) {
        self.position = position
        self.kind = kind
    }

    /// The kind of mistake. Values are quoted from the text, but never a password or a part of one.
    public enum Kind: Equatable, Sendable {
        case unknownKeyword([UInt8])
        /// Text after a keyword without value; proxychains does not recognise such a line.
        case keywordNotAlone([UInt8])
        /// Text after a complete line.
        case unexpectedText([UInt8])
        /// More words after a proxy. The words are not kept: they may belong to a password.
        case unexpectedTextAfterProxy
        /// A missing value, or a wrong one that must not be shown.
        case missing(Expectation)
        /// A wrong value.
        case invalid([UInt8], Expectation)
        /// A keyword or a section of a later version.
        case notImplemented([UInt8])
        case unknownSection([UInt8])
        /// A second `[ProxyList]`.
        case repeatedProxyList
        /// A second `[Rules]`, or a second list with the same name.
        case repeatedSection([UInt8])
        /// A keyword among the proxies.
        case keywordAfterProxyList([UInt8])
        /// A global keyword in a section.
        case keywordBelowSections([UInt8])
        /// A line that proxychains would split.
        case longLine(length: Int)
        case unknownProxyType([UInt8])
        /// A scheme that is only possible in an entry of words, or only without a user.
        case proxyTypeNotAsURL([UInt8])
        case userNotWithSOCKS4
        /// A proxy with port 0, which proxychains skips silently.
        case portZero
        /// `# ...` after a proxy, which is read as user and password.
        case commentAsCredentials
        case missingPassword
        /// An empty user in a URL, which proxychains reads as no user.
        case emptyUser
        /// HTTP cannot express it.
        case colonInUser
        /// SOCKS4 cannot express it.
        case zeroInUser
        case passwordWithSOCKS4
        /// Both a password and a source for it.
        case passwordAndSource
        case passwordSourceWithoutUser
        /// A query of a URL. It is not kept: it may be the end of a password.
        case unknownQuery
        /// Among the words of GSSAPI. It is not kept, for the same reason.
        case unknownGSSAPIWord
        case repeatedGSSAPIWord
        case gssapiOnlyWithSOCKS5
        case gssapiAndCredentials
        case userLength(Int)
        case passwordLength(Int)
        /// The source of a password does not exist.
        case passwordNotFound(PasswordSource)
        /// A percent sign without two hexadecimal digits.
        case percentEncoding

        // Lists of proxies.

        case unknownList([UInt8])
        case tooManyLists(Int)
        case tooManyProxies(Int)
        /// An entry that makes a list contain itself.
        case listLoop([UInt8])
        case listNesting(most: Int)
        case chainTooLong(length: Int, most: Int)
        case emptyList([UInt8])
        case unusedList([UInt8])
        /// A proxy at a Unix-domain socket after another proxy, which cannot reach it.
        case unixSocketBehindHop

        // Rules.

        case unknownAction([UInt8])
        case unknownCriterion([UInt8])
        /// An address, or a network, where a name belongs.
        case addressAsHost([UInt8])
        /// Criteria that exclude each other.
        case contradiction([UInt8])
        case ruleNeverReached

        /// `proxy_dns_daemon`: the daemon is not used.
        case daemonNotNeeded

        /// The further mistakes after this number are omitted.
        case othersLeftOut(Int)

        // Valid text that gives no usable chain.

        case noProxies
        /// proxychains also refuses every connection then.
        case chainLongerThanList(length: Int, proxies: Int)
    }

    /// The text expected at the position of a mistake.
    public enum Expectation: Equatable, Sendable {
        case milliseconds, positiveMilliseconds, firstOctet, chainLength, equalsSign, dnsDaemon
        case localNetwork, networkAddress, mask, prefixLengthV6
        case addressV4, secondAddress, port, portOrZero
        case loopbackPolicy, dnsMode, dnsServer, udpPolicy, fragmentSize, logLevel
        case listenerPolicy, otherProtocolsPolicy, unreachablePolicy, localAnswersPolicy, searchPolicy, isolation,
            deadTime
        case proxyURL, host, proxyHost, closingBracket, socketPath, absolutePath, variableName
        case gssapiProtection, serviceName
        case listName, appPattern, hostPattern, directPattern, cidr, ports, transport, command
    }

    /// Writes the sentence without the position.
    public func writeMessage(to sink: inout some ByteSink) {
        switch kind {
        case .unknownKeyword(let word):
            sink.append(quoted: word)
            sink.append(" is not a keyword")
        case .keywordNotAlone(let word):
            sink.append(quoted: word)
            sink.append(" must stand alone on its line; a comment needs a line of its own")
        case .unexpectedText(let text):
            sink.append(quoted: text)
            sink.append(" is not expected here; a comment needs a line of its own")
        case .unexpectedTextAfterProxy:
            sink.append(
                "too many words for a proxy; a comment needs a line of its own, and a space in a URL is %20")
        case .missing(let expected):
            sink.append("expected ")
            sink.append(expected.text)
        case .invalid(let value, let expected):
            sink.append(quoted: value)
            sink.append(" does not fit here; expected ")
            sink.append(expected.text)
        case .notImplemented(let word):
            sink.append(quoted: word)
            sink.append(" is not implemented in this version")
        case .unknownSection(let word):
            sink.append(quoted: word)
            sink.append(" is not a section; expected [ProxyList], [Proxies NAME], [Rules] or [App PATTERN]")
        case .repeatedProxyList:
            sink.append("there is already a [ProxyList] above; put all proxies into it")
        case .repeatedSection(let heading):
            sink.append("there is ")
            sink.append(quoted: heading)
            sink.append(" above; put all its lines into it")
        case .keywordAfterProxyList(let word):
            sink.append(quoted: word)
            sink.append(" belongs above [ProxyList]; below it every line is a proxy")
        case .keywordBelowSections(let word):
            sink.append(quoted: word)
            sink.append(" belongs above all sections, or into [App PATTERN]")
        case .longLine(let length):
            sink.append("the line has ")
            sink.append(decimal: length)
            sink.append(" bytes; proxychains would cut it after 1023")
        case .unknownProxyType(let word):
            sink.append(quoted: word)
            sink.append(" is not a proxy type; expected socks5, socks4, http or raw")
        case .proxyTypeNotAsURL(let word):
            sink.append(quoted: word)
            sink.append(" proxies are not written as a URL; expected type, host and port as words")
        case .userNotWithSOCKS4:
            sink.append(
                "a socks4 URL takes no user here; expected type, host, port and user as words"
            )
        case .portZero:
            sink.append("a proxy with port 0 is skipped, which changes the chain; expected 1 to 65535")
        case .commentAsCredentials:
            sink.append(
                "the words after the port are user and password, not a comment; a comment needs a line of its own"
            )
        case .missingPassword:
            sink.append("a user needs a password of 1 to 255 bytes here")
        case .emptyUser:
            sink.append("the user is empty, so neither user nor password is sent")
        case .colonInUser:
            sink.append("the user of an HTTP proxy cannot have a colon")
        case .zeroInUser:
            sink.append("the user of a socks4 proxy cannot have a zero byte")
        case .passwordWithSOCKS4:
            sink.append("socks4 has a user, but no password; none is sent")
        case .passwordAndSource:
            sink.append("there is a password already; expected a user alone with ?password-file or ?password-env")
        case .passwordSourceWithoutUser:
            sink.append("a password needs a user, as in 'socks5://alice@127.0.0.1:1080?password-env=NAME'")
        case .unknownQuery:
            sink.append("expected ?password-file=PATH or ?password-env=NAME alone; '?' in a password is %3F, '&' %26")
        case .unknownGSSAPIWord:
            sink.append("expected gssapi=none, integrity or confidentiality, service=NAME, nec or delegate")
        case .repeatedGSSAPIWord:
            sink.append("this was said already")
        case .gssapiOnlyWithSOCKS5:
            sink.append("GSSAPI is for proxies of type socks5 with a host and a port")
        case .gssapiAndCredentials:
            sink.append("expected either user name and password, or GSSAPI")
        case .userLength(let length):
            sink.append("the user has ")
            sink.append(decimal: length)
            sink.append(" bytes; expected 1 to 255")
        case .passwordLength(let length):
            sink.append("the password has ")
            sink.append(decimal: length)
            sink.append(" bytes; expected 1 to 255")
        case .passwordNotFound(.file(let path)):
            sink.append("the password file ")
            sink.append(quoted: path)
            sink.append(" cannot be read")
        case .passwordNotFound(.variable(let name)):
            sink.append("a user needs a password, and the environment variable ")
            sink.append(quoted: name)
            sink.append(" is not set")
        case .percentEncoding:
            sink.append("a percent sign needs two hexadecimal digits after it; %25 is the sign itself")
        case .unknownList(let name):
            sink.append("there is no [Proxies ")
            sink.append(escaped: name)
            sink.append("] in this file")
        case .othersLeftOut(let most):
            sink.append("there are more than ")
            sink.append(decimal: most)
            sink.append(" of these; the others are omitted")
        case .tooManyLists(let most):
            sink.append("expected at most ")
            sink.append(decimal: most)
            sink.append(" lists with a name")
        case .tooManyProxies(let most):
            sink.append("expected at most ")
            sink.append(decimal: most)
            sink.append(" proxies in all lists together")
        case .listLoop(let name):
            sink.append(quoted: name)
            sink.append(" leads back to this list")
        case .listNesting(let most):
            sink.append("expected at most ")
            sink.append(decimal: most)
            sink.append(" lists within each other")
        case .chainTooLong(let length, let most):
            sink.append("a chain of this list would have ")
            sink.append(decimal: length)
            sink.append(" proxies; expected at most ")
            sink.append(decimal: most)
        case .emptyList(let name):
            sink.append("there is no proxy in ")
            sink.append(quoted: name)
        case .unusedList(let name):
            sink.append("no rule or list uses ")
            sink.append(quoted: name)
        case .unixSocketBehindHop:
            sink.append("a proxy behind a Unix-domain socket can only be the first of a chain")
        case .unknownAction(let word):
            sink.append(quoted: word)
            sink.append(" is not an action; expected direct, block or proxy")
        case .unknownCriterion(let word):
            sink.append(quoted: word)
            sink.append(" is not a criterion; expected host, net, port, proto or command")
        case .addressAsHost(let address):
            sink.append(quoted: address)
            sink.append(" is not a name; expected 'net' before an address")
        case .contradiction(let text):
            sink.append(quoted: text)
            sink.append(" excludes everything")
        case .ruleNeverReached:
            sink.append("a rule above matches everything, so this one is never reached")
        case .daemonNotNeeded:
            sink.append("'proxy_dns_daemon' means the same as 'proxy_dns' here; no daemon is used")
        case .noProxies:
            sink.append(
                "there is no proxy; expected a line such as 'socks5 127.0.0.1 1080' after [ProxyList]")
        case .chainLongerThanList(let length, let proxies):
            sink.append("chain_len is ")
            sink.append(decimal: length)
            sink.append(", but the list has only ")
            sink.append(decimal: proxies)
        }
    }

    /// Writes `line 4, column 9: ` and the sentence.
    public func write(to sink: inout some ByteSink) {
        if position.line > 0 {
            sink.append("line ")
            sink.append(decimal: position.line)
            sink.append(position.column > 0 ? ", " : ": ")
        }
        if position.column > 0 {
            sink.append("column ")
            sink.append(decimal: position.column)
            sink.append(": ")
        }
        writeMessage(to: &sink)
    }

    /// Writes `source:4:9: ` and the sentence, as compilers do.
    public func write(to sink: inout some ByteSink, source: Span<UInt8>) {
        sink.append(source)
        sink.append(":")
        if position.line > 0 {
            sink.append(decimal: position.line)
            sink.append(":")
        }
        if position.column > 0 {
            sink.append(decimal: position.column)
            sink.append(":")
        }
        sink.append(" ")
        writeMessage(to: &sink)
    }
}

extension ConfigurationError.Expectation {
    var text: StaticString {
        switch self {
        case .milliseconds: "milliseconds, 0 to 2147483647"
        case .positiveMilliseconds: "milliseconds, 1 to 2147483647"
        case .firstOctet: "the first octet of an address, 0 to 255"
        case .chainLength: "a number of proxies, as in 'chain_len = 2'"
        case .equalsSign: "an equals sign, as in 'chain_len = 2'"
        case .dnsDaemon: "an IPv4 address and a port, as in '127.0.0.1:1053'"
        case .localNetwork:
            "an address and a mask, as in '10.0.0.0/8', '10.0.0.0:80/255.0.0.0' or '[fd00::]:80/8'"
        case .networkAddress: "an IPv4 or IPv6 address"
        case .mask: "a mask, as 255.0.0.0 or 0 to 32"
        case .prefixLengthV6: "a prefix length, 0 to 128"
        case .addressV4: "an IPv4 address, with a port or without, as in '1.1.1.1:80'"
        case .secondAddress: "the address to connect to instead, as in 'dnat 1.1.1.1 10.0.0.1:80'"
        case .port: "a port, 1 to 65535"
        case .portOrZero: "a port, 0 to 65535"
        case .loopbackPolicy: "direct or proxy"
        case .dnsMode: "fake, tcp, tor or local"
        case .dnsServer: "a DNS server, as in '9.9.9.9', '[2620:fe::fe]:53' or 'dns.example:53'"
        case .udpPolicy: "associate, block or direct"
        case .fragmentSize: "bytes, 256 to 65000"
        case .logLevel: "off, error, warn, info or debug"
        case .proxyURL: "a proxy, as in 'socks5://127.0.0.1:1080'"
        case .host: "an IPv4 address, an IPv6 address or a host name"
        case .proxyHost: "the host of the proxy"
        case .closingBracket: "']' and a port after the IPv6 address"
        case .listenerPolicy, .otherProtocolsPolicy: "direct or block"
        case .localAnswersPolicy: "refuse or accept"
        case .searchPolicy: "off or on"
        case .unreachablePolicy: "nonet, block or direct"
        case .isolation: "none, process or tree"
        case .deadTime: "seconds, 0 to 86400"
        case .socketPath: "an absolute path of up to 107 bytes, as in 'socks5+unix:///run/tor/socks'"
        case .absolutePath: "an absolute path"
        case .variableName: "the name of an environment variable"
        case .gssapiProtection: "'gssapi=none', 'gssapi=integrity' or 'gssapi=confidentiality'"
        case .serviceName: "the name of a service, up to 63 letters, digits and any of '-_.'"
        case .listName: "the name of a list: letters, digits, '-', '_' and '.', but no word of a rule"
        case .appPattern: "names or paths of programs, as in '[App curl /opt/tool/*]'"
        case .directPattern: "a host or a network, as in '.example.org', '10.0.0.0/8', 'host:22' or '[fd00::/8]:22'"
        case .hostPattern: "a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        case .cidr: "an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"
        case .ports: "ports, as in '443' or '8000-8999'"
        case .transport: "tcp or udp"
        case .command: "connect, bind or udp"
        }
    }
}

extension ProxyType {
    /// The word of the configuration file.
    public var text: StaticString {
        switch self {
        case .socks5: "socks5"
        case .socks4: "socks4"
        case .http: "http"
        case .raw: "raw"
        }
    }
}

extension ChainMode {
    /// The keyword of the configuration file.
    public var text: StaticString {
        switch self {
        case .strict: "strict_chain"
        case .dynamic: "dynamic_chain"
        case .failover: "failover_chain"
        case .random: "random_chain"
        case .roundRobin: "round_robin_chain"
        }
    }
}

extension ByteSink {
    mutating func append(quoted text: StaticString) {
        append("'")
        append(text)
        append("'")
    }

    /// Writes text of the user, shortened, with control characters escaped.
    mutating func append(quoted bytes: [UInt8]) {
        append("'")
        append(escaped: bytes)
        append("'")
    }

    /// `append(quoted:)` without the quotes.
    mutating func append(escaped bytes: [UInt8]) {
        var rest = 60
        for byte in bytes {
            guard rest > 0 else {
                append("...")
                break
            }
            rest -= 1
            if byte >= 0x20 && byte < 0x7f {
                append(byte)
            } else {
                append("\\x")
                append(hexadecimalDigit: byte >> 4)
                append(hexadecimalDigit: byte & 0xf)
            }
        }
    }

    mutating func append(hexadecimalDigit digit: UInt8) {
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}
