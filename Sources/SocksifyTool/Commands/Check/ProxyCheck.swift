import Addressing
import ProxyConfig
import SOCKS5
import Tunnel

/// What is to be checked, and how.
public struct ProxyCheck {
    /// What the proxies are asked for a connection to; nil: nothing.
    public var target: Endpoint?
    /// Milliseconds that each step may take.
    public var timeout: Double
    /// The user name of all connections, if the configuration separates connections (`isolate`).
    private let isolation = IsolationCredentials(upper: .random(in: 1...UInt64.max), lower: .random(in: 1...UInt64.max))
    /// An address for the name of a first proxy.
    public var resolve: (HostName) -> Result<IPAddress, Failure>
    /// Called before each attempt, with its description.
    public var report: (String) -> Void

    public init(
        target: Endpoint?, timeout: Double, resolve: @escaping (HostName) -> Result<IPAddress, Failure>,
        report: @escaping (String) -> Void
    ) {
        self.target = target
        self.timeout = timeout
        self.resolve = resolve
        self.report = report
    }

    /// What was found out of one proxy.
    public struct ProxyResult: Equatable {
        public var proxy: Proxy
        /// The connection to it: directly, or through the proxies before it.
        public var reach = StepOutcome.untried
        /// `none`, `password`, `basic`; nil where it is not known.
        public var method: String?
        /// SOCKS5: up to the request.
        public var login = StepOutcome.untried
        /// The request for the target, or in a strict chain for the next proxy.
        public var connect = StepOutcome.untried
        public var associate = StepOutcome.untried
        public var bind = StepOutcome.untried

        public init(_ proxy: Proxy, reach: StepOutcome = .untried) {
            self.proxy = proxy
            self.reach = reach
        }

        /// Whether connections can be made through it. Whether it carries datagrams and listens is another matter.
        public var isUsable: Bool {
            if case .passed = reach { return !login.isFailure && !connect.isFailure }
            return false
        }
    }

    /// What was found out of the proxies of one list.
    public struct ListResult: Equatable {
        public var list: ProxyList
        public var proxies: [ProxyResult]
        /// The way through a chain of more than one, to the target.
        public var chain: StepOutcome

        public init(list: ProxyList, proxies: [ProxyResult], chain: StepOutcome = .untried) {
            self.list = list
            self.proxies = proxies
            self.chain = chain
        }

        public var isUsable: Bool { proxies.allSatisfy(\.isUsable) && !chain.isFailure }
    }

    /// Checks every proxy of every list that has any. A list that only stands in others is tried there alone: its
    /// proxies need not be reached from here.
    public func run(_ configuration: Configuration) -> [ListResult] {
        configuration.lists.indices.filter(configuration.leadsAnywhere(list:)).compactMap { index in
            var proxies: [ProxyResult] = []
            let start = Way(
                proxies: [], target: target, carriesDatagrams: configuration.carriesDatagrams(throughList: index),
                isolation: configuration.isolation == .none ? nil : isolation)
            let chain = walk(configuration, list: index, start, &proxies)
            guard !proxies.isEmpty else { return nil }
            var result = ListResult(list: configuration.lists[index], proxies: proxies)
            if let target, proxies.count > 1 {
                result.chain =
                    chain.map { $0.count > 1 ? passage(through: $0, to: target, start.isolation) : .untried }
                    ?? .failed("too few of its proxies are usable")
            }
            return result
        }
    }

    /// How a hop stands in the chains that it is part of.
    private struct Way {
        /// Those before it.
        var proxies: [Proxy]
        /// What it is asked for; nil before the end of a chain.
        var target: Endpoint?
        var carriesDatagrams: Bool
        /// For SOCKS5 proxies without credentials.
        var isolation: IsolationCredentials?
    }

    /// Checks the proxies of a list, and of lists within it, as connections would use them: each hop of a strict list
    /// behind those before it, and each of another list behind what is before the list. Gives a chain that leads
    /// through the list; nil when there is none.
    private func walk(
        _ configuration: Configuration, list index: Int, _ way: Way, _ results: inout [ProxyResult]
    ) -> [Proxy]? {
        let list = configuration.lists[index]
        switch list.mode {
        case .strict:
            var chain: [Proxy]? = way.proxies
            for position in list.hops.indices {
                guard let before = chain else {
                    results += configuration.proxies(of: list.hops[position]).map {
                        ProxyResult($0, reach: .failed("is behind an unusable proxy"))
                    }
                    continue
                }
                var next = way
                next.proxies = before
                if position < list.hops.count - 1 { next.target = nil }
                chain = walk(configuration, list.hops[position], next, &results)
            }
            return chain
        case .dynamic, .failover, .random, .roundRobin:
            let chains = list.hops.compactMap { walk(configuration, $0, way, &results) }
            let count = list.mode == .dynamic ? max(chains.count, 1) : list.length
            guard chains.count >= count else { return nil }
            return way.proxies + chains.prefix(count).flatMap { $0.dropFirst(way.proxies.count) }
        }
    }

    private func walk(
        _ configuration: Configuration, _ hop: ProxyList.Hop, _ way: Way, _ results: inout [ProxyResult]
    ) -> [Proxy]? {
        switch hop {
        case .list(let inner): return walk(configuration, list: inner, way, &results)
        case .proxy(let position):
            let result = check(configuration.proxies[position], way)
            if case .passed = result.reach, let before = way.proxies.last,
                let index = results.lastIndex(where: { $0.proxy == before && $0.connect == .untried })
            {
                // How one is reached is what the one before it was asked for.
                results[index].connect = result.reach
            }
            results.append(result)
            return result.isUsable ? way.proxies + [result.proxy] : nil
        }
    }

    private func passage(
        through chain: [Proxy], to target: Endpoint, _ isolation: IsolationCredentials?
    ) -> StepOutcome {
        report("the whole chain")
        let dialogue = dialogue(chain, Request(command: .connect, destination: target), isolation)
        guard let failure = dialogue.failure else { return .passed(milliseconds: dialogue.milliseconds) }
        return .failed("\(chain[failure.hop].shown) \(failure.reason)")
    }

    private func check(_ proxy: Proxy, _ way: Way) -> ProxyResult {
        let chain = way.proxies + [proxy]
        let last = chain.count - 1
        var result = ProxyResult(proxy)
        report("\(proxy.shown): connections")
        let first = dialogue(
            chain, way.target.map { Request(command: .connect, destination: $0) }, way.isolation)
        result.reach = last == 0 ? first.reach : first.hops[last - 1].request
        if let failure = first.failure, failure.hop < last {
            // Either of the two may be the cause.
            result.reach = .failed("is not reached: \(chain[failure.hop].shown) \(failure.reason)")
        }
        (result.method, result.login) = (first.hops[last].method, first.hops[last].login)
        result.connect = first.hops[last].request

        guard proxy.type == .socks5, !result.reach.isFailure, !result.login.isFailure else { return result }
        if way.carriesDatagrams {
            report("\(proxy.shown): datagrams")
            let association = dialogue(chain, .associating(overIPv6: false), way.isolation).hops[last]
            if result.login == .untried { (result.method, result.login) = (association.method, association.login) }
            result.associate = association.request
            guard !result.login.isFailure else { return result }
        }
        report("\(proxy.shown): listening")
        let peer = way.target ?? Endpoint(host: .address(.v4(IPv4Address(0))), port: 0)
        let listener = dialogue(chain, Request(command: .bind, destination: peer), way.isolation).hops[last]
        if result.login == .untried { (result.method, result.login) = (listener.method, listener.login) }
        result.bind = listener.request
        return result
    }

    private func dialogue(
        _ chain: [Proxy], _ request: Request?, _ isolation: IsolationCredentials?
    ) -> Dialogue {
        do throws(Failure) {
            return Dialogue(
                chain, first: try address(of: chain[0]), request: request, isolation: isolation, timeout: timeout)
        } catch {
            return Dialogue(failing: error.messages.joined(separator: "; "), hops: chain.count)
        }
    }

    private func address(of proxy: Proxy) throws(Failure) -> ProxySocketAddress {
        switch proxy.location {
        case .unixSocket(let path): return .unixSocket(path)
        case .network(let endpoint):
            switch endpoint.host {
            case .address(let address): return .network(address.unmapped, port: endpoint.port)
            case .name(let name): return .network(try resolve(name).get(), port: endpoint.port)
            }
        }
    }
}

extension Configuration {
    /// Whether connections may go through a chain that is of this list from its beginning.
    fileprivate func leadsAnywhere(list: Int) -> Bool {
        list == 0 || rules.contains { $0.action == .proxy(list: list) }
            || !lists.contains { $0.hops.contains(.list(list)) }
    }
}
