import Addressing

extension ParsedConfiguration {
    /// Puts in passwords that stand elsewhere. One that cannot be had is an error: without it the proxy would refuse
    /// every connection.
    ///
    /// - Parameter read: gives the contents of a file, or the value of a variable; nil where there is none.
    public mutating func readPasswords(_ read: (PasswordSource) -> [UInt8]?) {
        for list in configuration.lists.indices {
            for hop in configuration.lists[list].hops.indices {
                guard case .proxy(let index) = configuration.lists[list].hops[hop],
                    let source = configuration.proxies.at(index)?.credentials?.source
                else { continue }
                let position = position(ofHop: hop, inList: list) ?? SourcePosition(line: 0, column: 0)
                guard let contents = read(source) else {
                    errors.append(ConfigurationError(at: position, .passwordNotFound(source)))
                    continue
                }
                let password = source.password(in: contents)
                guard (1...255).contains(password.count) else {
                    errors.append(ConfigurationError(at: position, .passwordLength(password.count)))
                    continue
                }
                configuration.proxies[index].credentials?.password = password
            }
        }
    }
}

extension PasswordSource {
    /// Of a file, the first line.
    fileprivate func password(in contents: [UInt8]) -> [UInt8] {
        guard case .file = self else { return contents }
        var end = 0
        while end < contents.count, contents[end] != UInt8(ascii: "\n") { end += 1 }
        return SourceText(contents.span).copy(0..<end)
    }
}

extension Configuration {
    /// Whether a password stands in the text itself.
    public var holdsPasswords: Bool {
        for proxy in proxies {
            if let credentials = proxy.credentials, credentials.source == nil, !credentials.password.isEmpty {
                return true
            }
        }
        return false
    }
}
