import Addressing
import CPreload
import ProxyConfig
import SOCKS5
import Synchronization

extension Proxies {
    /// What `findProxies` says.
    enum ProxySearch {
        case done
        /// The call is one of the search itself.
        case itself
    }

    /// Sees to it that the addresses of the proxies that connections are made to are known, as far as that can be.
    func findProxies() -> ProxySearch {
        if ThreadLock(socksify_lookup_lock_word()).isOwn { return .itself }
        firstHops.forEachUntried(configuration) { place in
            if case .failed = firstHops.lookUp(place, configuration) { health.note(failureOf: place) }
        }
        return .done
    }

    /// Chooses a chain. Where none is to be had, the reason is logged.
    ///
    /// - Parameters:
    ///   - family: that of the socket.
    ///   - failed: the proxies that no chain may lead through; those whose names cannot be resolved are added.
    func findWay(
        throughList list: Int, for request: Request, from family: SocketFamily, _ failed: inout ProxySet
    ) throws(Errno) -> Way {
        var unknown: Int?
        while let chain = chain(ofList: list, besides: failed), let first = chain[0] {
            guard isSuitable(chain, for: request) else { break }
            if let hop = hop(of: first, 0, for: family) { return Way(chain: chain, hop: hop) }
            _ = firstHops.lookUp(first, configuration)
            if let hop = hop(of: first, 0, for: family) { return Way(chain: chain, hop: hop) }
            failed.insert(first)
            health.note(failureOf: first)
            unknown = first
        }
        log(unknown, request)
        throw unknown == nil ? .networkUnreachable : .hostUnreachable
    }

    /// The same after a failure, when it is too late to look up names.
    ///
    /// - Parameter isTaken: whether a connection is made by it; else it is only asked whether there is one.
    func findAnotherWay(
        throughList list: Int, for request: Request, from family: SocketFamily, besides excluded: ProxySet,
        isTaken: Bool
    ) -> Way? {
        var failed = excluded
        while let chain = chain(ofList: list, besides: failed, isTaken: isTaken), let first = chain[0] {
            guard isSuitable(chain, for: request) else { return nil }
            if let hop = hop(of: first, 0, for: family) { return Way(chain: chain, hop: hop) }
            failed.insert(first)
        }
        return nil
    }

    /// Where a socket of the family connects to that wants to reach the proxy; nil when there is nothing more.
    ///
    /// - Parameter index: how many of the proxy's addresses are left out.
    func hop(of place: Int, _ index: Int, for family: SocketFamily) -> HopPlace? {
        if case .unixSocket(let path) = configuration.proxies[place].location {
            return index == 0 ? .unixSocket(path) : nil
        }
        return firstHops.address(of: place, index, for: family).map { .internet($0.address, port: $0.port) }
    }

    /// The list of proxies by which a question to the DNS goes: that of the way to the server, or else the default one.
    func list(for request: Request) -> Int {
        guard case .address(let address) = request.destination.host,
            case .proxy(let list, _, _) = configuration.route(to: address, port: request.destination.port)
        else { return 0 }
        return list
    }

    /// - Parameter isTaken: whether a connection is made by it.
    private func chain(ofList list: Int, besides failed: ProxySet, isTaken: Bool = true) -> Chain? {
        ChainSelection.chain(
            of: list, configuration,
            PresentCircumstances(dead: health.dead, excluded: failed, turns: turns, isTaken: isTaken))
    }

    /// Whether the last proxy of the chain can be asked for it. Only the last one has a relay for datagrams, and only by
    /// way of the others could it be reached.
    private func isSuitable(_ chain: Chain, for request: Request) -> Bool {
        guard request.command != .connect else { return true }
        guard let last = chain[chain.count - 1], configuration.proxies[last].type == .socks5 else { return false }
        return request.command != .udpAssociate || chain.count == 1
    }

    // MARK: Log

    /// - Parameter unknown: the proxy whose name stands in the way.
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

/// What a choice depends on, in this process at this moment.
private struct PresentCircumstances: ChainCircumstances {
    let dead: ProxySet
    let excluded: ProxySet
    let turns: ListTurns
    /// Whether the chain is taken; else it is only seen whether there is one, which is the same whichever.
    let isTaken: Bool

    func random(below bound: Int) -> Int {
        var random: UInt64 = 0
        if isTaken { _ = kernel_random(&random, 8) }
        // Off from even by 2⁻⁵⁵ at most.
        return Int(truncatingIfNeeded: random % UInt64(max(bound, 1)))
    }

    func turn(of list: Int) -> UInt64 {
        turns.word(of: list)?.pointee.load(ordering: .relaxed) ?? 0
    }

    func takeTurn(of list: Int, from turn: UInt64, to next: UInt64) -> Bool {
        guard isTaken, let word = turns.word(of: list) else { return true }
        return word.pointee.compareExchange(expected: turn, desired: next, ordering: .relaxed).exchanged
    }
}
