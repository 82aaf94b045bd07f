import Addressing
import ProxyConfig
import SeededGenerator
import Testing

/// The index finds exactly the rule that a walk over all rules finds.
@Suite struct RuleIndexTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func findsWhatAWalkFinds(seed: UInt64) {
        var generator = SplitMix(state: seed)
        for round in 0..<16 {
            var configuration = Configuration()
            let count = round % 4 == 0 ? 400 : Int(generator.next() % 40)
            configuration.rules = (0..<count).map { _ in generator.rule() }
            for _ in 0..<100 {
                let address = generator.address()
                let name = generator.chance(3) ? "" : generator.name()
                let port = generator.port()
                let expected = walk(configuration.rules, address, name, port, isDatagram: false)
                let bytes = Array(name.utf8)
                let stream = configuration.streamDecision(to: address, port: port, name: bytes.span)
                #expect(rule(stream.reason) == expected)

                let expectedOfDatagram = walk(configuration.rules, address, name, port, isDatagram: true)
                let datagram = configuration.datagramDecision(to: address, port: port, name: bytes.span)
                #expect(rule(datagram.reason) == expectedOfDatagram)

                guard !name.isEmpty else { continue }
                let named = configuration.nameDecision(bytes.span, port: port, command: .connect)
                #expect(rule(named.reason) == walk(configuration.rules, nil, name, port, isDatagram: false))
            }
        }
    }

    /// A line may have any number of values, and several rules may have the same value.
    @Test func manyValues() {
        let hosts = (0..<5_000).map { "host\($0).example" }
        let configuration = flawless(
            "[Rules]\nblock host \(hosts.joined(separator: ",")) port 1\ndirect host .example\nblock host host7.example"
        )
        #expect(reason("host4999.example", 1, configuration) == .rule(0))
        #expect(reason("HOST4999.Example.", 1, configuration) == .rule(0))
        #expect(reason("host7.example", 2, configuration) == .rule(1))
        #expect(reason("host5000.example", 1, configuration) == .rule(1))
        #expect(reason("example", 1, configuration) == .rule(1))
        #expect(reason("xexample", 1, configuration) == .defaultChain)
    }

    /// The index also finds a network whose mask is not a prefix.
    @Test func masksWithHoles() {
        var configuration = Configuration()
        var criteria = Rule.Criteria()
        criteria.networks = [.v4(address: IPv4Address(10, 0, 0, 1), mask: 0xff00_00ff)]
        configuration.rules = [Rule(.direct, criteria)]
        #expect(configuration.route(to: IPAddress("10.9.9.1")!, port: 1) == .direct)
        #expect(configuration.route(to: IPAddress("10.9.9.2")!, port: 1) != .direct)
    }

    private func reason(_ name: String, _ port: UInt16, _ configuration: Configuration?) -> Reason? {
        configuration?.nameDecision(Array(name.utf8).span, port: port, command: .connect).reason
    }

    private func rule(_ reason: Reason) -> Int? {
        if case .rule(let index) = reason { return index }
        return nil
    }
}

/// Checks one rule after the other, in the simplest way.
private func walk(
    _ rules: [Rule], _ address: IPAddress?, _ name: String, _ port: UInt16, isDatagram: Bool
) -> Int? {
    rules.firstIndex { rule in
        let criteria = rule.criteria
        let commands = criteria.commands.isEmpty ? [Rule.Command.connect, .udp] : criteria.commands
        let transports = criteria.transports.isEmpty ? [Transport.tcp, .udp] : criteria.transports
        return commands.contains(isDatagram ? .udp : .connect) && transports.contains(isDatagram ? .udp : .tcp)
            && (criteria.ports.isEmpty || criteria.ports.contains { $0.contains(port) })
            && (criteria.networks.isEmpty
                || criteria.networks.contains { network in
                    address.map(network.contains) ?? false
                })
            && (criteria.hosts.isEmpty || criteria.hosts.contains { matches($0, name) })
    }
}

private func matches(_ pattern: HostPattern, _ name: String) -> Bool {
    var name = name.lowercased()
    if name.hasSuffix(".") { name.removeLast() }
    guard !name.isEmpty else { return false }
    switch pattern {
    case .name(let bytes): return name == String(decoding: bytes, as: UTF8.self)
    case .domain(let bytes):
        let domain = String(decoding: bytes, as: UTF8.self)
        return name == domain || name.hasSuffix("." + domain)
    case .glob(let bytes): return matches(bytes[...], Array(name.utf8)[...])
    }
}

private func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
        return matches(pattern.dropFirst(), text) || (!text.isEmpty && matches(pattern, text.dropFirst()))
    }
    guard let byte = text.first, first == UInt8(ascii: "?") || first == byte else { return false }
    return matches(pattern.dropFirst(), text.dropFirst())
}

extension SplitMix {
    fileprivate mutating func chance(_ one: UInt64) -> Bool { next() % one == 0 }

    fileprivate mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(next() % UInt64(elements.count))]
    }

    fileprivate mutating func label() -> String { pick(["a", "b", "ab", "www", "example", "corp", "xcorp"]) }

    fileprivate mutating func name() -> String {
        let labels = (0..<(1 + next() % 4)).map { _ in label() }
        let name = labels.joined(separator: ".") + (chance(8) ? "." : "")
        return chance(4) ? name.uppercased() : name
    }

    fileprivate mutating func address() -> IPAddress {
        switch next() % 4 {
        case 0: .v6(IPv6Address(high: 0x2001_0db8_0000_0000 | next() % 4, low: next() % 3 << 60 | next() % 3))
        case 1: .v6(IPv6Address(mapping: addressV4()))
        default: .v4(addressV4())
        }
    }

    private mutating func addressV4() -> IPv4Address {
        IPv4Address(pick([1, 10, 192]), pick([0, 1, 168]), pick([0, 1, 255]), pick([1, 2, 3]))
    }

    fileprivate mutating func port() -> UInt16 { pick([1, 22, 53, 80, 443, 65535]) }

    fileprivate mutating func rule() -> Rule {
        var criteria = Rule.Criteria()
        if chance(2) {
            criteria.hosts = (0..<(1 + next() % 3)).map { _ in hostPattern() }
        }
        if chance(3) {
            criteria.networks = (0..<(1 + next() % 3)).map { _ in network() }
        }
        if chance(3) {
            criteria.ports = (0..<(1 + next() % 2)).map { _ in
                let (first, second) = (port(), port())
                return min(first, second)...max(first, second)
            }
        }
        if chance(5) { criteria.transports = [pick([.tcp, .udp])] }
        if chance(5) { criteria.commands = (0..<(1 + next() % 2)).map { _ in pick([.connect, .udp, .bind]) } }
        // A rule without criteria would hide all rules after it.
        if criteria.isEmpty { criteria.ports = [22...22] }
        let actions: [Rule.Action] = [.direct, .block(.refused), .block(.unreachable), .proxy(list: 0)]
        return Rule(pick(actions), criteria)
    }

    private mutating func hostPattern() -> HostPattern {
        var name = self.name().lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        switch next() % 8 {
        case 0: return .glob(Array(chance(2) ? "*".utf8 : "*.\(label())".utf8))
        case 1: return .glob(Array("\(label())*\(label())?*".utf8))
        case 2, 3, 4: return .domain(Array(name.utf8))
        default: return .name(Array(name.utf8))
        }
    }

    private mutating func network() -> IPNetwork {
        switch address().unmapped {
        case .v4(let address): IPNetwork(address, prefixLength: pick([0, 8, 16, 24, 31, 32]))
        case .v6(let address): IPNetwork(address, prefixLength: pick([0, 32, 64, 65, 128]))
        }
    }
}
