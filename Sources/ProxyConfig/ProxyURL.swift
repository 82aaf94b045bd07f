import Addressing

// `type://[user:password@]host[:port]`
//
// In a file of proxychains: no percent-decoding, a port always, the user up to the first colon.
// Elsewhere: user and password are percent-encoded, the port is 1080 for SOCKS unless told.

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
        var type = ProxyType.socks5
        var authority = url
        if let mark = text.first("://", in: url) {
            let scheme = url.lowerBound..<mark
            authority = (mark + 3)..<url.upperBound
            if text.equals(scheme, "socks5+unix") {
                fail(.notImplemented(text.copy(scheme)), at: scheme)
                return
            }
            guard let known = proxyType(scheme) else {
                failUnknownType(scheme)
                return
            }
            if known == .raw, style == .proxychains {
                fail(.proxyTypeNotAsURL(text.copy(scheme)), at: scheme)
                return
            }
            type = known
        } else if !schemeOptional {
            fail(.missing(.proxyURL), at: url)
            return
        }

        var credentials: Credentials?
        var hostAndPort = authority
        if let at = text.last(UInt8(ascii: "@"), in: authority) {
            hostAndPort = (at + 1)..<authority.upperBound
            switch parseUserInformation(authority.lowerBound..<at, type: type) {
            case .none: break
            case .credentials(let read): credentials = read
            case .wrong: return
            }
        }
        guard let (host, port) = splitHostAndPort(hostAndPort) else { return }
        guard !host.isEmpty else {
            fail(.missing(.proxyHost), at: host)
            return
        }
        guard let parsedHost = parseHost(host), let parsedPort = parseURLPort(port, type: type, after: host)
        else { return }
        append(
            type: type, host: parsedHost, port: parsedPort, credentials, at: url,
            portAt: port ?? end(of: host))
    }

    private enum UserInformation {
        case none
        case credentials(Credentials)
        /// An error has been reported.
        case wrong
    }

    private mutating func parseUserInformation(_ range: Range<Int>, type: ProxyType) -> UserInformation {
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
        let credentials = Credentials(user: user, password: password)
        guard let checked = checkedCredentials(credentials, for: type, at: range) else { return .wrong }
        return .credentials(checked)
    }

    /// The bytes that a percent-encoded text stands for (RFC 3986 section 2.1); as they are for proxychains.
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

    /// What stands for a port is shown only if it is a number: in a URL without its host it is the password.
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
