import Addressing
import CPreload
import ProxyConfig
import SOCKS5
import Synchronization

extension Proxies {
    /// The result of `findProxies`.
    enum ProxySearch {
        case done
        /// This thread is looking up a proxy: the call comes from the resolver.
        case itself
    }

    /// Looks up the addresses of all possible first proxies that were never looked up.
    func findProxies() -> ProxySearch {
        if OwnerLock(process_lookup_lock_word()).isOwn { return .itself }
        proxyAddresses.forEachUntried(configuration) { index in
            if case .failed = proxyAddresses.lookUp(index, configuration) { health.note(failureOf: index) }
        }
        return .done
    }

    /// Chooses a chain, and logs the reason if there is none.
    ///
    /// - Parameters:
    ///   - family: the family of the socket.
    ///   - failed: the proxies to avoid; those whose names cannot be resolved are added.
    func selectChain(
        throughList list: Int, for request: Request, from family: SocketFamily, _ failed: inout ProxySet
    ) throws(Errno) -> SelectedChain {
        var unknown: Int?
        while let chain = chain(ofList: list, besides: failed), let first = chain[0] {
            guard isSuitable(chain, for: request) else { break }
            if let hop = hop(of: first, 0, for: family) { return SelectedChain(chain: chain, hop: hop) }
            _ = proxyAddresses.lookUp(first, configuration)
            if let hop = hop(of: first, 0, for: family) { return SelectedChain(chain: chain, hop: hop) }
            failed.insert(first)
            health.note(failureOf: first)
            unknown = first
        }
        log(unknown, request)
        throw unknown == nil ? .networkUnreachable : .hostUnreachable
    }

    /// Chooses another chain after a failure, without lookups of names.
    ///
    /// - Parameter isTaken: whether the chain will be used; false only checks whether there is one.
    func selectAnotherChain(
        throughList list: Int, for request: Request, from family: SocketFamily, besides excluded: ProxySet,
        isTaken: Bool
    ) -> SelectedChain? {
        var failed = excluded
        while let chain = chain(ofList: list, besides: failed, isTaken: isTaken), let first = chain[0] {
            guard isSuitable(chain, for: request) else { return nil }
            if let hop = hop(of: first, 0, for: family) { return SelectedChain(chain: chain, hop: hop) }
            failed.insert(first)
        }
        return nil
    }

    /// The proxy's address with this index for a socket of the family; nil after the last.
    func hop(of proxy: Int, _ index: Int, for family: SocketFamily) -> ProxyLocation? {
        if case .unixSocket(let path) = configuration.proxies[proxy].location {
            return index == 0 ? .unixSocket(path) : nil
        }
        return proxyAddresses.address(of: proxy, index, for: family).map { .internet($0.address, port: $0.port) }
    }

    /// The list for a DNS query: the list of the route to the server, or the default chain.
    func list(for request: Request) -> Int {
        guard case .address(let address) = request.destination.host,
            case .proxy(let list, _, _) = configuration.route(to: address, port: request.destination.port)
        else { return 0 }
        return list
    }

    /// - Parameter isTaken: whether the chain will be used.
    private func chain(ofList list: Int, besides failed: ProxySet, isTaken: Bool = true) -> Chain? {
        ChainSelection.chain(
            of: list, configuration,
            ProxyState(dead: health.dead, excluded: failed, cursors: cursors, isTaken: isTaken))
    }

    /// Whether the chain supports the request. UDP needs a single SOCKS5 proxy: in a longer chain the relay of the last
    /// proxy could be reached only through the others.
    private func isSuitable(_ chain: Chain, for request: Request) -> Bool {
        guard request.command != .connect else { return true }
        guard let last = chain[chain.count - 1], configuration.proxies[last].type == .socks5 else { return false }
        return request.command != .udpAssociate || chain.count == 1
    }

    // MARK: Log

    /// - Parameter unknown: the proxy whose name cannot be resolved.
    @inline(never)
    private func log(_ unknown: Int?, _ request: Request) {
        Log.write(.error, configuration) { line in
            guard let unknown else {
                switch request.command {
                case .connect: line.append("no chain can be made of the proxies")
                case .udpAssociate: line.append("udp: datagrams go only through a single SOCKS5 proxy")
                default: line.append("dns: only a SOCKS5 proxy at the end of the chain can be asked for names")
                }
                return
            }
            line.append("proxy ")
            configuration.proxies[unknown].location.write(to: &line)
            line.append(" cannot be connected to: its name cannot be resolved")
        }
    }
}

/// The current state of proxies and lists, for one choice.
private struct ProxyState: ChainCircumstances {
    let dead: ProxySet
    let excluded: ProxySet
    let cursors: RoundRobinCursors
    /// Whether the chain will be used. Otherwise any choice will do, and lists do not advance.
    let isTaken: Bool

    func random(below bound: Int) -> Int {
        var random: UInt64 = 0
        if isTaken { _ = kernel_random(&random, 8) }
        // The bias is at most 2⁻⁵⁵.
        return Int(truncatingIfNeeded: random % UInt64(max(bound, 1)))
    }

    func turn(of list: Int) -> UInt64 {
        cursors.word(of: list)?.pointee.load(ordering: .relaxed) ?? 0
    }

    func takeTurn(of list: Int, from turn: UInt64, to next: UInt64) -> Bool {
        guard isTaken, let word = cursors.word(of: list) else { return true }
        return word.pointee.compareExchange(expected: turn, desired: next, ordering: .relaxed).exchanged
    }
}
