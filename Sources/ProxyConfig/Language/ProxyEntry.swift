import Addressing

// A line of a proxy list: `type host port [user [password]]`, `socks5 host port` and words of GSSAPI, or a URL.

extension ConfigurationParser {
    mutating func parseProxyEntry(_ line: Range<Int>) {
        if parseListEntry(line) { return }
        let (type, rest) = text.splitWord(line)
        if text.first("://", in: type) != nil {
            parseURLEntry(line)
            return
        }
        let (host, afterHost) = text.splitWord(rest)
        let (port, behindPort) = text.splitWord(afterHost)
        var afterPort = behindPort
        guard let kind = proxyType(type) else {
            if isKeyword(line) {
                let word = text.copy(type)
                fail(section == .proxyList ? .keywordAfterProxyList(word) : .keywordBelowSections(word), at: type)
            } else {
                failUnknownType(type)
            }
            return
        }
        guard !host.isEmpty else {
            fail(.missing(.proxyHost), at: end(of: type))
            return
        }
        guard !port.isEmpty else {
            fail(.missing(.port), at: end(of: host))
            return
        }
        let parsedHost = parseHost(host)
        let parsedPort = text.number(port, maximum: 65535)
        if parsedPort == nil { fail(.invalid(text.copy(port), .port), at: port) }
        var gssapi: GSSAPISettings?
        if style == .socksify, isOfGSSAPI(afterPort) {
            gssapi = parseGSSAPI(afterPort, separator: UInt8(ascii: " "))
            if gssapi == nil { return }
            guard kind == .socks5 else {
                fail(.gssapiOnlyWithSOCKS5, at: afterPort)
                return
            }
            afterPort = end(of: afterPort)
        }
        let (user, afterUser) = text.splitWord(afterPort)
        let (password, surplus) = text.splitWord(afterUser)
        if text.starts(user, with: "#") {
            trap(.commentAsCredentials, at: user)
        } else if !surplus.isEmpty {
            trap(.unexpectedTextAfterProxy, at: surplus)
        }
        var credentials: Credentials?
        if !user.isEmpty {
            credentials = checkedCredentials(
                Credentials(user: text.copy(user), password: text.copy(password)), for: kind, at: user)
            if credentials == nil { return }
        }
        guard let parsedHost, let parsedPort else { return }
        append(type: kind, host: parsedHost, port: parsedPort, credentials, gssapi, at: line, portAt: port)
    }

    /// A URL is one word here; proxychains takes the whole line for it, password with spaces included, and
    /// ignores what follows the port.
    private mutating func parseURLEntry(_ line: Range<Int>) {
        switch style {
        case .socksify: parseOneURL(line, schemeOptional: false)
        case .proxychains: parseURL(line, schemeOptional: false)
        }
    }

    /// Adds a proxy to the current list. `portAt` is where its port stands.
    mutating func append(
        type: ProxyType, host: Host, port: Int, _ credentials: Credentials?, _ gssapi: GSSAPISettings?,
        at entry: Range<Int>, portAt: Range<Int>
    ) {
        guard port > 0, let port = UInt16(exactly: port) else {
            trap(.portZero, at: portAt)
            return
        }
        var proxy = Proxy(type: type, host: host, port: port, credentials: credentials)
        proxy.gssapi = gssapi
        append(proxy, at: entry)
    }

    /// In all lists together.
    private static var mostProxies: Int { 512 }

    /// Adds a proxy to the current list.
    mutating func append(_ proxy: Proxy, at entry: Range<Int>) {
        let index = result.configuration.proxies.count
        guard index < ConfigurationParser.mostProxies else {
            // Once: what follows is too much for the same reason.
            if !hasTooManyProxies { fail(.tooManyProxies(ConfigurationParser.mostProxies), at: entry) }
            hasTooManyProxies = true
            return
        }
        result.configuration.proxies.append(proxy)
        append(.proxy(index), at: entry)
    }

    /// Shows a wrong type only up to a colon: a URL that lacks its scheme has a password after it.
    mutating func failUnknownType(_ word: Range<Int>) {
        let end = text.first(UInt8(ascii: ":"), in: word) ?? word.upperBound
        fail(.unknownProxyType(text.copy(word.lowerBound..<end)), at: word)
    }

    func proxyType(_ word: Range<Int>) -> ProxyType? {
        // socks5h is curl's word for a proxy that resolves the names, as all of them do here.
        if text.equals(word, "socks5") || text.equals(word, "socks5h") { return .socks5 }
        if text.equals(word, "socks4") { return .socks4 }
        if text.equals(word, "http") { return .http }
        if text.equals(word, "raw") { return .raw }
        return nil
    }

    /// Checks what the protocol has room for; nil, and an error, where it has none.
    mutating func checkedCredentials(
        _ credentials: Credentials, for type: ProxyType, at range: Range<Int>
    ) -> Credentials? {
        guard credentials.user.count <= 255 else {
            fail(.userLength(credentials.user.count), at: range)
            return nil
        }
        guard credentials.password.count <= 255 else {
            fail(.passwordLength(credentials.password.count), at: range)
            return nil
        }
        // RFC 1929 section 2: 1 to 255. The other protocols have no such field, or allow it to be empty.
        if type == .socks5, credentials.password.isEmpty, credentials.source == nil {
            trap(.missingPassword, at: range)
            if style == .socksify { return nil }
        }
        var credentials = credentials
        if type == .socks4 {
            guard !credentials.user.contains(0) else {
                fail(.zeroInUser, at: range)
                return nil
            }
            if !credentials.password.isEmpty || credentials.source != nil {
                trap(.passwordWithSOCKS4, at: range)
                credentials.password = []
            }
        }
        // RFC 7617 section 2.
        if type == .http, credentials.user.contains(UInt8(ascii: ":")) {
            fail(.colonInUser, at: range)
            return nil
        }
        return credentials
    }

    /// An address, an IPv6 address in brackets, or a name; nil, and an error, for anything else.
    mutating func parseHost(_ range: Range<Int>) -> Host? {
        if let address = text.address(range) { return .address(address) }
        if range.count > 2, text.starts(range, with: "["),
            text.bytes[range.upperBound - 1] == UInt8(ascii: "]")
        {
            let inner = (range.lowerBound + 1)..<(range.upperBound - 1)
            if let address = text.addressV6(inner) { return .address(.v6(address)) }
        } else if isHostName(range), let name = HostName(text.bytes.span.extracting(range)) {
            return .name(name)
        }
        // Before an at sign there may be a password.
        let shown = text.last(UInt8(ascii: "@"), in: range).map { $0 + 1 } ?? range.lowerBound
        fail(.invalid(text.copy(shown..<range.upperBound), .host), at: range)
        return nil
    }

    /// Letters, digits, hyphens and underscores in labels of 1 to 63 bytes. The last label is not all digits:
    /// no such top-level domain exists, and it would be a mistyped address (RFC 3696 section 2).
    func isHostName(_ range: Range<Int>) -> Bool {
        var range = range
        if range.count > 1, text.bytes[range.upperBound - 1] == UInt8(ascii: ".") {
            range = range.lowerBound..<(range.upperBound - 1)
        }
        guard !range.isEmpty, range.count <= 253 else { return false }
        var length = 0
        var onlyDigits = true
        for index in range {
            let character = text.bytes[index]
            if character == UInt8(ascii: ".") {
                guard length > 0 else { return false }
                length = 0
                onlyDigits = true
                continue
            }
            guard isNameCharacter(character) else { return false }
            if decimalDigit(character) == nil { onlyDigits = false }
            length += 1
            guard length <= 63 else { return false }
        }
        return length > 0 && !onlyDigits
    }
}

/// Letters, digits, hyphens and underscores.
func isNameCharacter(_ character: UInt8) -> Bool {
    let letter = lowercased(character)
    return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")) || decimalDigit(character) != nil
        || character == UInt8(ascii: "-") || character == UInt8(ascii: "_")
}
