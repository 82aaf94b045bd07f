import Addressing

/// Writes a configuration as a file of the language, of style `socksify`: what was read from several sections, or was left
/// at its default, stands there as it counts.
public struct ConfigurationText {
    let parsed: ParsedConfiguration
    /// Written in comments that say where a line comes from; nil for no such comments.
    let source: [UInt8]?
    let hidesPasswords: Bool

    private var configuration: Configuration { parsed.configuration }

    /// - Parameters:
    ///   - source: the file that the configuration was read from, for comments; nil for none.
    ///   - hidesPasswords: whether passwords are written as three stars. Without, the text means the same
    ///     configuration.
    public init(_ parsed: ParsedConfiguration, source: [UInt8]? = nil, hidesPasswords: Bool = true) {
        self.parsed = parsed
        self.source = source
        self.hidesPasswords = hidesPasswords
    }

    public func write(to sink: inout some ByteSink) {
        writeKeywords(to: &sink)
        let listAfterDefault = self.listAfterDefault
        for list in configuration.lists.indices.dropFirst() {
            if list == listAfterDefault { writeList(0, to: &sink) }
            writeList(list, to: &sink)
        }
        if listAfterDefault == nil { writeList(0, to: &sink) }
        guard !configuration.rules.isEmpty else { return }
        sink.append("\n[Rules]\n")
        for rule in configuration.rules.indices {
            writeSource(parsed.positions.rules.at(rule), to: &sink)
            configuration.writeRule(rule, to: &sink)
            sink.append("\n")
        }
    }

    // MARK: Keywords

    private func writeKeywords(to sink: inout some ByteSink) {
        writeMode(of: 0, to: &sink)
        writeSource(parsed.positions.dns, to: &sink)
        sink.append("dns ")
        configuration.dns.write(to: &sink)
        sink.append("\n")
        writeFakeNetwork(to: &sink)
        writeSource(parsed.positions.loopback, to: &sink)
        sink.append(configuration.loopback == .direct ? "loopback direct\n" : "loopback proxy\n")
        writeUDP(to: &sink)
        writeSource(parsed.positions.listeners, to: &sink)
        sink.append(configuration.listeners == .direct ? "bind direct\n" : "bind block\n")
        if let otherProtocols = configuration.otherProtocols {
            sink.append(otherProtocols == .direct ? "other_protocols direct\n" : "other_protocols block\n")
        }
        if configuration.localAnswers == .accept { sink.append("local_answers accept\n") }
        if configuration.searchesDomains { sink.append("search_domains on\n") }
        if let unreachable = configuration.unreachable {
            sink.append("unreachable ")
            sink.append(unreachable.text)
            sink.append("\n")
        }
        switch configuration.isolation {
        case .none: sink.append("isolate none\n")
        case .process: sink.append("isolate process\n")
        case .tree: sink.append("isolate tree\n")
        }
        writeNumber("tcp_connect_time_out ", configuration.connectTimeout, to: &sink)
        writeNumber("tcp_read_time_out ", configuration.readTimeout, to: &sink)
        writeNumber("dead_time ", configuration.deadTime, to: &sink)
        sink.append("log ")
        sink.append(configuration.logLevel.text)
        if let file = configuration.logFile {
            sink.append(" ")
            sink.append(file.span)
        }
        sink.append("\n")
        for index in configuration.localNetworks.indices { writeLocalNetwork(index, to: &sink) }
        for index in configuration.translations.indices { writeTranslation(index, to: &sink) }
    }

    private func writeNumber(_ keyword: StaticString, _ number: Int, to sink: inout some ByteSink) {
        sink.append(keyword)
        sink.append(decimal: number)
        sink.append("\n")
    }

    /// The default cannot be written, and need not be.
    private func writeFakeNetwork(to sink: inout some ByteSink) {
        guard configuration.fakeNetwork != Configuration().fakeNetwork,
            case .v4(let address, _) = configuration.fakeNetwork
        else { return }
        writeSource(parsed.positions.fakeNetwork, to: &sink)
        writeNumber("remote_dns_subnet ", Int(address.octets[0]), to: &sink)
    }

    private func writeUDP(to sink: inout some ByteSink) {
        writeSource(parsed.positions.udp, to: &sink)
        switch configuration.udp {
        case .associate: sink.append("udp associate")
        case .block: sink.append("udp block")
        case .direct: sink.append("udp direct")
        }
        if let size = configuration.udpFragmentSize {
            sink.append(" fragment ")
            sink.append(decimal: size)
        }
        sink.append("\n")
    }

    private func writeLocalNetwork(_ index: Int, to sink: inout some ByteSink) {
        let local = configuration.localNetworks[index]
        writeSource(parsed.positions.localNetworks.at(index), to: &sink)
        sink.append("localnet ")
        switch local.network {
        case .v4(let address, let mask):
            address.write(to: &sink)
            if let port = local.port {
                sink.append(":")
                sink.append(decimal: port)
            }
            sink.append("/")
            IPv4Address(mask).write(to: &sink)
        case .v6(let address, let prefixLength):
            if local.port != nil { sink.append("[") }
            address.write(to: &sink)
            if let port = local.port {
                sink.append("]:")
                sink.append(decimal: port)
            }
            sink.append("/")
            sink.append(decimal: prefixLength)
        }
        sink.append("\n")
    }

    private func writeTranslation(_ index: Int, to sink: inout some ByteSink) {
        let translation = configuration.translations[index]
        writeSource(parsed.positions.translations.at(index), to: &sink)
        sink.append("dnat ")
        write(translation.original, translation.originalPort, to: &sink)
        sink.append(" ")
        write(translation.replacement, translation.replacementPort, to: &sink)
        sink.append("\n")
    }

    private func write(_ address: IPv4Address, _ port: UInt16?, to sink: inout some ByteSink) {
        address.write(to: &sink)
        guard let port else { return }
        sink.append(":")
        sink.append(decimal: port)
    }

    // MARK: Lists

    /// The list before which the default chain stood: proxies are numbered in the order of the text.
    private var listAfterDefault: Int? {
        guard let first = firstProxy(of: 0) else { return nil }
        return configuration.lists.indices.dropFirst().first { (firstProxy(of: $0) ?? -1) > first }
    }

    private func firstProxy(of list: Int) -> Int? {
        for hop in configuration.lists.at(list)?.hops ?? [] {
            if case .proxy(let index) = hop { return index }
        }
        return nil
    }

    private func writeList(_ index: Int, to sink: inout some ByteSink) {
        guard let list = configuration.lists.at(index) else { return }
        sink.append("\n")
        writeSource(parsed.positions.lists.at(index)?.heading, to: &sink)
        if index == 0 {
            sink.append("[ProxyList]\n")
        } else {
            sink.append("[Proxies ")
            sink.append(list.name.span)
            sink.append("]\n")
            writeMode(of: index, to: &sink)
        }
        for hop in list.hops.indices {
            writeSource(parsed.positions.lists.at(index)?.hops.at(hop), to: &sink)
            switch list.hops[hop] {
            case .proxy(let position):
                configuration.proxies.at(position)?.writeURL(to: &sink, hidesPassword: hidesPasswords)
            case .list(let inner):
                sink.append("list")
                writeName(of: inner, to: &sink)
            }
            sink.append("\n")
        }
    }

    private func writeName(of index: Int, to sink: inout some ByteSink) {
        guard let list = configuration.lists.at(index) else { return }
        sink.append(" ")
        sink.append(list.name.span)
    }

    private func writeMode(of index: Int, to sink: inout some ByteSink) {
        guard let list = configuration.lists.at(index) else { return }
        writeSource(parsed.positions.lists.at(index)?.mode, to: &sink)
        sink.append(list.mode.text)
        sink.append("\n")
        if list.length != 1 {
            writeSource(parsed.positions.lists.at(index)?.length, to: &sink)
            writeNumber("chain_len = ", list.length, to: &sink)
        }
    }

    private func writeSource(_ position: SourcePosition?, to sink: inout some ByteSink) {
        guard let source, let position, position.line > 0 else { return }
        sink.append("# ")
        sink.append(source.span)
        sink.append(":")
        sink.append(decimal: position.line)
        sink.append("\n")
    }
}

extension Configuration {
    /// Writes the rule at this index in `rules`, without a line feed.
    func writeRule(_ index: Int, to sink: inout some ByteSink) {
        guard let rule = rules.at(index) else { return }
        switch rule.action {
        case .direct: sink.append("direct")
        case .block(.refused): sink.append("block")
        case .block(.unreachable): sink.append("block unreachable")
        case .proxy(let list):
            sink.append("proxy")
            if list > 0, let list = lists.at(list) {
                sink.append(" ")
                sink.append(list.name.span)
            }
        }
        let criteria = rule.criteria
        for index in criteria.hosts.indices {
            sink.append(index == 0 ? " host " : ",")
            criteria.hosts[index].write(to: &sink)
        }
        for index in criteria.networks.indices {
            sink.append(index == 0 ? " net " : ",")
            criteria.networks[index].writePrefix(to: &sink)
        }
        for index in criteria.ports.indices {
            sink.append(index == 0 ? " port " : ",")
            let ports = criteria.ports[index]
            sink.append(decimal: ports.lowerBound)
            guard ports.lowerBound < ports.upperBound else { continue }
            sink.append("-")
            sink.append(decimal: ports.upperBound)
        }
        for index in criteria.transports.indices {
            sink.append(index == 0 ? " proto " : ",")
            sink.append(criteria.transports[index] == .tcp ? "tcp" : "udp")
        }
        for index in criteria.commands.indices {
            sink.append(index == 0 ? " command " : ",")
            switch criteria.commands[index] {
            case .connect: sink.append("connect")
            case .bind: sink.append("bind")
            case .udp: sink.append("udp")
            }
        }
    }
}

extension DNSMode {
    /// Writes the words of the configuration file.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .fake: sink.append("fake")
        case .tor: sink.append("tor")
        case .local: sink.append("local")
        case .tcp(let server):
            sink.append("tcp ")
            server.write(to: &sink)
        }
    }
}

extension LogLevel {
    /// The word of the configuration file.
    public var text: StaticString {
        switch self {
        case .off: "off"
        case .error: "error"
        case .warning: "warn"
        case .info: "info"
        case .debug: "debug"
        }
    }
}

extension HostPattern {
    /// Writes the word of the configuration file.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .name(let name): sink.append(name.span)
        case .domain(let domain):
            sink.append(".")
            sink.append(domain.span)
        case .glob(let pattern): sink.append(pattern.span)
        }
    }
}

extension IPNetwork {
    /// Writes an address with its prefix length, without that where one address is meant.
    fileprivate func writePrefix(to sink: inout some ByteSink) {
        switch self {
        case .v4(let address, let mask):
            address.write(to: &sink)
            guard mask != .max else { return }
            sink.append("/")
            sink.append(decimal: mask.nonzeroBitCount)
        case .v6(let address, let prefixLength):
            address.write(to: &sink)
            guard prefixLength < 128 else { return }
            sink.append("/")
            sink.append(decimal: prefixLength)
        }
    }
}
