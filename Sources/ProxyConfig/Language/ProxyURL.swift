import Addressing

// `type://[user:password@]host[:port]` or `type+unix://[user:password@]/path`
//
// In a file of proxychains: no percent-decoding, a port always, the user up to the first colon.
// Elsewhere: user, password and path are percent-encoded, the port is 1080 for SOCKS unless told, and the password may
// be somewhere else: `?password-file=PATH`, `?password-env=NAME`. For `?gssapi=` see GSSAPIGrammar.swift.

extension ConfigurationParser {
    /// Reads a URL that is to be the only word of `range`.
    mutating func parseOneURL(_ range: Range<Int>, schemeOptional: Bool) {
        let (url, surplus) = text.splitWord(range)
        guard surplus.isEmpty else {
            fail(.unexpectedTextAfterProxy, at: surplus)
            return
        }
        parseURL(url, schemeOptional: schemeOptional)
    }

    mutating func parseURL(_ url: Range<Int>, schemeOptional: Bool) {
        guard let (type, isUnixSocket, afterScheme) = parseScheme(url, schemeOptional: schemeOptional) else { return }
        let (authority, query) = splitQuery(afterScheme)
        if let query, isOfGSSAPI(query) {
            parseURL(authority, isUnixSocket: isUnixSocket, type: type, withGSSAPI: query, at: url)
            return
        }
        let source: PasswordSource?
        switch parseQuery(query, mayBeRelative: schemeOptional) {
        case .none: source = nil
        case .source(let read): source = read
        case .wrong: return
        }

        guard let at = endOfUser(authority, isUnixSocket: isUnixSocket) else {
            if let query, source != nil {
                fail(.passwordSourceWithoutUser, at: query)
                return
            }
            parseLocation(authority, isUnixSocket: isUnixSocket, type: type, nil, at: url)
            return
        }
        let location = (at + 1)..<authority.upperBound
        switch parseUserInformation(authority.lowerBound..<at, type: type, source: source) {
        case .none: parseLocation(location, isUnixSocket: isUnixSocket, type: type, nil, at: url)
        case .credentials(let credentials):
            parseLocation(location, isUnixSocket: isUnixSocket, type: type, credentials, at: url)
        case .wrong: return
        }
    }

    private mutating func parseURL(
        _ authority: Range<Int>, isUnixSocket: Bool, type: ProxyType, withGSSAPI query: Range<Int>, at url: Range<Int>
    ) {
        guard let settings = parseGSSAPI(query, separator: UInt8(ascii: "&")) else { return }
        guard type == .socks5, !isUnixSocket else {
            fail(.gssapiOnlyWithSOCKS5, at: query)
            return
        }
        guard endOfUser(authority, isUnixSocket: false) == nil else {
            fail(.gssapiAndCredentials, at: query)
            return
        }
        parseLocation(authority, isUnixSocket: false, type: type, nil, settings, at: url)
    }

    private mutating func parseScheme(
        _ url: Range<Int>, schemeOptional: Bool
    ) -> (type: ProxyType, isUnixSocket: Bool, rest: Range<Int>)? {
        guard let mark = text.first("://", in: url) else {
            if schemeOptional { return (.socks5, false, url) }
            fail(.missing(.proxyURL), at: url)
            return nil
        }
        let scheme = url.lowerBound..<mark
        let plus = text.first("+unix", in: scheme).flatMap { $0 + 5 == mark ? $0 : nil }
        guard let type = proxyType(scheme.lowerBound..<(plus ?? mark)) else {
            failUnknownType(scheme)
            return nil
        }
        if type == .raw, style == .proxychains {
            fail(.proxyTypeNotAsURL(text.copy(scheme)), at: scheme)
            return nil
        }
        return (type, plus != nil, (mark + 3)..<url.upperBound)
    }

    /// Where the user information of a URL ends, at the at sign.
    private func endOfUser(_ authority: Range<Int>, isUnixSocket: Bool) -> Int? {
        guard isUnixSocket else { return text.last(UInt8(ascii: "@"), in: authority) }
        // In a path an at sign means nothing.
        return text.starts(authority, with: "/") ? nil : text.first("@/", in: authority)
    }

    private mutating func parseLocation(
        _ location: Range<Int>, isUnixSocket: Bool, type: ProxyType, _ credentials: Credentials?,
        _ gssapi: GSSAPISettings? = nil, at url: Range<Int>
    ) {
        if isUnixSocket {
            guard let path = parseSocketPath(location) else { return }
            append(Proxy(type: type, location: .unixSocket(path), credentials: credentials), at: url)
            return
        }
        guard let (host, port) = splitHostAndPort(location) else { return }
        guard !host.isEmpty else {
            fail(.missing(.proxyHost), at: host)
            return
        }
        guard let parsedHost = parseHost(host), let parsedPort = parseURLPort(port, type: type, after: host)
        else { return }
        append(
            type: type, host: parsedHost, port: parsedPort, credentials, gssapi, at: url,
            portAt: port ?? end(of: host))
    }

    /// What does not begin like a path is not shown: it may be a password.
    private mutating func parseSocketPath(_ range: Range<Int>) -> [UInt8]? {
        guard text.starts(range, with: "/") else {
            fail(.missing(.socketPath), at: range)
            return nil
        }
        guard let path = decoded(range) else { return nil }
        // sun_path has room for 108 bytes, one of which ends it.
        guard path.count <= 107, !path.contains(0) else {
            fail(.invalid(path, .socketPath), at: range)
            return nil
        }
        return path
    }

    // MARK: Passwords

    /// A question mark in a user or a password is written `%3F` where a URL may have a query.
    private func splitQuery(_ range: Range<Int>) -> (authority: Range<Int>, query: Range<Int>?) {
        guard style == .socksify, let mark = text.first(UInt8(ascii: "?"), in: range) else { return (range, nil) }
        return (range.lowerBound..<mark, (mark + 1)..<range.upperBound)
    }

    private enum Query {
        case none
        case source(PasswordSource)
        /// An error has been reported.
        case wrong
    }

    /// `password-file=PATH` or `password-env=NAME`. What is neither is not shown: it may be the end of a password.
    ///
    /// - Parameter mayBeRelative: whether the path may be one in the current directory.
    private mutating func parseQuery(_ query: Range<Int>?, mayBeRelative: Bool) -> Query {
        guard let query else { return .none }
        let isFile = text.starts(query, with: "password-file=")
        guard isFile || text.starts(query, with: "password-env=") else {
            fail(.unknownQuery, at: query)
            return .wrong
        }
        if let ampersand = text.first(UInt8(ascii: "&"), in: query) {
            fail(.unknownQuery, at: ampersand..<query.upperBound)
            return .wrong
        }
        let value = (query.lowerBound + (isFile ? 14 : 13))..<query.upperBound
        guard let bytes = decoded(value) else { return .wrong }
        if isFile {
            guard !bytes.isEmpty, !bytes.contains(0), mayBeRelative || bytes[0] == UInt8(ascii: "/") else {
                fail(.invalid(bytes, .absolutePath), at: value)
                return .wrong
            }
            return .source(.file(bytes))
        }
        guard !bytes.isEmpty, !bytes.contains(0), !bytes.contains(UInt8(ascii: "=")) else {
            fail(.invalid(bytes, .variableName), at: value)
            return .wrong
        }
        return .source(.variable(bytes))
    }

    private enum UserInformation {
        case none
        case credentials(Credentials)
        /// An error has been reported.
        case wrong
    }

    private mutating func parseUserInformation(
        _ range: Range<Int>, type: ProxyType, source: PasswordSource?
    ) -> UserInformation {
        let colon = text.first(UInt8(ascii: ":"), in: range)
        if style == .proxychains {
            guard type != .socks4 else {
                fail(.userNotWithSOCKS4, at: range)
                return .wrong
            }
            guard colon != nil else {
                fail(.missingPassword, at: end(of: range))
                return .wrong
            }
        }
        let userRange = range.lowerBound..<(colon ?? range.upperBound)
        let passwordRange = colon.map { ($0 + 1)..<range.upperBound } ?? end(of: range)
        if userRange.isEmpty {
            trap(.emptyUser, at: range)
            return style == .proxychains ? .none : .wrong
        }
        guard let user = decoded(userRange), let password = decoded(passwordRange) else { return .wrong }
        if source != nil, colon != nil {
            fail(.passwordAndSource, at: range)
            return .wrong
        }
        // SOCKS5 needs a password, so a missing one is read from the variable.
        let isElsewhere = source == nil && type == .socks5 && colon == nil && style == .socksify
        let credentials = Credentials(
            user: user, password: password, source: isElsewhere ? .variable(passwordVariable) : source)
        guard let checked = checkedCredentials(credentials, for: type, at: range) else { return .wrong }
        return .credentials(checked)
    }

    /// Decodes percent-encoding (RFC 3986 section 2.1); in files of proxychains there is none.
    private mutating func decoded(_ range: Range<Int>) -> [UInt8]? {
        guard style == .socksify else { return text.copy(range) }
        var bytes: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard text.bytes[index] == UInt8(ascii: "%") else {
                bytes.append(text.bytes[index])
                index += 1
                continue
            }
            guard index + 2 < range.upperBound, let high = hexadecimalDigit(text.bytes[index + 1]),
                let low = hexadecimalDigit(text.bytes[index + 2])
            else {
                fail(.percentEncoding, at: index..<range.upperBound)
                return nil
            }
            bytes.append(high << 4 | low)
            index += 3
        }
        return bytes
    }

    private mutating func splitHostAndPort(_ range: Range<Int>) -> (host: Range<Int>, port: Range<Int>?)? {
        if text.starts(range, with: "[") {
            guard let bracket = text.first(UInt8(ascii: "]"), in: range) else {
                fail(.missing(.closingBracket), at: end(of: range))
                return nil
            }
            let host = range.lowerBound..<(bracket + 1)
            let rest = (bracket + 1)..<range.upperBound
            if rest.isEmpty || text.equals(rest, "/") { return (host, nil) }
            guard text.starts(rest, with: ":") else {
                fail(.missing(.closingBracket), at: rest)
                return nil
            }
            return (host, (rest.lowerBound + 1)..<rest.upperBound)
        }
        guard let colon = text.first(UInt8(ascii: ":"), in: range) else {
            let hasSlash = !range.isEmpty && text.bytes[range.upperBound - 1] == UInt8(ascii: "/")
            return (range.lowerBound..<(hasSlash ? range.upperBound - 1 : range.upperBound), nil)
        }
        return (range.lowerBound..<colon, (colon + 1)..<range.upperBound)
    }

    /// Shows an invalid port only if it is a number: in a URL without its host it is the password.
    private mutating func parseURLPort(_ port: Range<Int>?, type: ProxyType, after host: Range<Int>) -> Int? {
        guard let port else {
            if style == .socksify, type == .socks5 || type == .socks4 { return 1080 }
            fail(.missing(.port), at: end(of: host))
            return nil
        }
        let (number, digitsEnd) = text.leadingNumber(port, maximum: 65535)
        guard digitsEnd > port.lowerBound else {
            fail(.missing(.port), at: port)
            return nil
        }
        guard let number else {
            fail(.invalid(text.copy(port.lowerBound..<digitsEnd), .port), at: port)
            return nil
        }
        let surplus = digitsEnd..<port.upperBound
        guard surplus.isEmpty || text.equals(surplus, "/") else {
            if style == .socksify {
                fail(.missing(.port), at: port)
                return nil
            }
            warn(.unexpectedTextAfterProxy, at: text.trimmed(surplus))
            return number
        }
        return number
    }
}

/// The environment variable with the password of a SOCKS5 proxy whose URL has a user alone.
private var passwordVariable: [UInt8] {
    var name: [UInt8] = []
    name.append("SOCKSIFY_PASSWORD")
    return name
}
