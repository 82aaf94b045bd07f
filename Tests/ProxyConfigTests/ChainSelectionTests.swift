import Testing

@testable import ProxyConfig

/// A configuration of lists; proxies have numbers in their order in `proxies`.
private func configuration(_ lists: ProxyList..., proxies: Int = 8, type: ProxyType = .socks5) -> Configuration {
    var configuration = Configuration()
    configuration.proxies = (0..<proxies).map { _ in
        Proxy(type: type, location: .unixSocket(Array("/p".utf8)))
    }
    configuration.lists = lists
    return configuration
}

private func list(_ mode: ChainMode, _ length: Int = 1, _ hops: ProxyList.Hop...) -> ProxyList {
    ProxyList(mode: mode, length: length, hops: hops)
}

private func proxies(_ indices: Range<Int>) -> [ProxyList.Hop] { indices.map { .proxy($0) } }

/// An environment that a test controls.
private final class Memory {
    /// The results of `random`, in turn, and the bounds that it was called with.
    var numbers: [Int] = []
    var bounds: [Int] = []
    var turns: [Int: UInt64] = [:]
    /// How often the first chain is another one.
    var rivals = 0
}

private struct Given: ChainCircumstances {
    var dead = ProxySet()
    var excluded = ProxySet()
    let memory: Memory

    mutating func random(below bound: Int) -> Int {
        memory.bounds.append(bound)
        return memory.numbers.isEmpty ? 0 : memory.numbers.removeFirst()
    }
    func turn(of list: Int) -> UInt64 { memory.turns[list] ?? 0 }
    mutating func takeTurn(of list: Int, from turn: UInt64, to next: UInt64) -> Bool {
        if memory.rivals > 0 {
            memory.rivals -= 1
            memory.turns[list] = turn + 1
            return false
        }
        memory.turns[list] = next
        return true
    }
}

private func chain(
    _ configuration: Configuration, list: Int = 0, dead: [Int] = [], excluded: [Int] = [],
    _ memory: Memory = Memory()
) -> [Int]? {
    var given = Given(memory: memory)
    for index in dead { given.dead.insert(index) }
    for index in excluded { given.excluded.insert(index) }
    return ChainSelection.chain(of: list, configuration, given).map { chain in
        (0..<chain.count).compactMap { chain[$0] }
    }
}

@Suite struct ChainSelectionTests {
    // MARK: Strict

    @Test func `a strict chain is all of the list, in order, dead or not`() {
        let three = configuration(list(.strict, 1, .proxy(2), .proxy(0), .proxy(1)))
        #expect(chain(three) == [2, 0, 1])
        #expect(chain(three, dead: [0, 2]) == [2, 0, 1])
    }

    @Test func `a strict chain is not without one of its proxies`() {
        let three = configuration(list(.strict, 1, .proxy(0), .proxy(1), .proxy(2)))
        #expect(chain(three, excluded: [1]) == nil)
    }

    // MARK: Dynamic

    @Test func `a dynamic chain is all that are alive, in order`() {
        let three = configuration(ProxyList(mode: .dynamic, hops: proxies(0..<3)))
        #expect(chain(three) == [0, 1, 2])
        #expect(chain(three, dead: [1]) == [0, 2])
        #expect(chain(three, excluded: [0]) == [1, 2])
    }

    @Test func `where all are dead, all are used that were not tried`() {
        let three = configuration(ProxyList(mode: .dynamic, hops: proxies(0..<3)))
        #expect(chain(three, dead: [0, 1, 2]) == [0, 1, 2])
        #expect(chain(three, dead: [0, 1, 2], excluded: [0]) == [1, 2])
        #expect(chain(three, excluded: [0, 1, 2]) == nil)
    }

    // MARK: Random

    @Test func `the numbers say which are drawn, each at most once`() {
        let five = configuration(ProxyList(mode: .random, length: 3, hops: proxies(0..<5)))
        let memory = Memory()
        memory.numbers = [4, 0, 2]
        #expect(chain(five, memory) == [4, 0, 3])
        #expect(memory.bounds == [5, 4, 3])
    }

    @Test func `every ordered choice is as likely as the others`() {
        let four = configuration(ProxyList(mode: .random, length: 2, hops: proxies(0..<4)))
        var seen: [[Int]] = []
        for first in 0..<4 {
            for second in 0..<3 {
                let memory = Memory()
                memory.numbers = [first, second]
                seen.append(chain(four, memory) ?? [])
            }
        }
        #expect(Set(seen).count == 12)
    }

    @Test func `the living are drawn first, and the dead only where these are too few`() {
        let four = configuration(ProxyList(mode: .random, length: 2, hops: proxies(0..<4)))
        let memory = Memory()
        memory.numbers = [1, 0]
        #expect(chain(four, dead: [0, 1], memory) == [3, 2])
        memory.numbers = [0, 1]
        #expect(chain(four, dead: [0, 1, 3], memory) == [2, 1])
        memory.bounds = []
        #expect(chain(four, dead: [0, 1, 3], excluded: [1], memory) == [2, 0])
        #expect(memory.bounds == [1, 2])
        #expect(chain(four, excluded: [0, 1, 2]) == nil)
    }

    // MARK: Failover

    @Test func `the first that are alive make the chain, and the others stand by`() {
        let four = configuration(ProxyList(mode: .failover, length: 2, hops: proxies(0..<4)))
        #expect((0..<2).map { _ in chain(four) } == [[0, 1], [0, 1]])
        #expect(chain(four, dead: [0]) == [1, 2])
        #expect(chain(four, excluded: [1]) == [0, 2])
        #expect(chain(four, dead: [0, 1, 2]) == [3, 0])
        #expect(chain(four, dead: [0, 1, 2], excluded: [0, 1]) == [3, 2])
        #expect(chain(four, excluded: [0, 1, 2]) == nil)
    }

    // MARK: Round robin

    @Test func `each chain goes on where the last one ended`() {
        let five = configuration(ProxyList(mode: .roundRobin, length: 2, hops: proxies(0..<5)))
        let memory = Memory()
        #expect((0..<4).map { _ in chain(five, memory) } == [[0, 1], [2, 3], [4, 0], [1, 2]])
    }

    @Test func `dead ones are passed over`() {
        let four = configuration(ProxyList(mode: .roundRobin, length: 1, hops: proxies(0..<4)))
        let memory = Memory()
        #expect((0..<4).map { _ in chain(four, dead: [1, 2], memory) } == [[0], [3], [0], [3]])
        #expect(chain(four, dead: [0, 1, 2, 3], memory) == [0])
        #expect(chain(four, excluded: [0, 1, 2, 3], memory) == nil)
    }

    @Test func `the dead fill up what the living lack`() {
        let three = configuration(ProxyList(mode: .roundRobin, length: 2, hops: proxies(0..<3)))
        #expect(chain(three, dead: [0, 1]) == [2, 0])
    }

    @Test func `who comes second takes the next turn`() {
        let three = configuration(ProxyList(mode: .roundRobin, length: 1, hops: proxies(0..<3)))
        let memory = Memory()
        memory.rivals = 1
        #expect(chain(three, memory) == [1])
        memory.rivals = .max
        #expect(chain(three, memory)?.count == 1)
    }

    @Test func `a turn beyond the list's end is one within it`() {
        let three = configuration(ProxyList(mode: .roundRobin, length: 1, hops: proxies(0..<3)))
        let memory = Memory()
        memory.turns[0] = .max
        #expect(chain(three, memory) == [Int(UInt64.max % 3)])
    }

    // MARK: Nesting

    @Test func `a chain of another list stands where that is named`() {
        let nested = configuration(
            list(.strict, 1, .list(1), .proxy(3)), ProxyList(mode: .random, length: 2, hops: proxies(0..<3)))
        let memory = Memory()
        memory.numbers = [2, 0]
        #expect(chain(nested, memory) == [2, 0, 3])
        #expect(chain(nested, list: 1) == [0, 1])
    }

    @Test func `a list is dead when no chain of it is alive`() {
        let nested = configuration(
            list(.dynamic, 1, .list(1), .list(2)), list(.strict, 1, .proxy(0), .proxy(1)),
            list(.strict, 1, .proxy(2)))
        #expect(chain(nested) == [0, 1, 2])
        #expect(chain(nested, dead: [1]) == [2])
        #expect(chain(nested, dead: [1, 2]) == [0, 1, 2])
        #expect(chain(nested, excluded: [0]) == [2])
        let rotating = configuration(
            list(.roundRobin, 1, .list(1), .list(2)), list(.strict, 1, .proxy(0), .proxy(1)),
            list(.strict, 1, .proxy(2)))
        let memory = Memory()
        #expect((0..<3).map { _ in chain(rotating, memory) } == [[0, 1], [2], [0, 1]])
        #expect(chain(rotating, dead: [0], memory) == [2])
    }

    @Test func `a fixed first hop before a choice goes on by the choice`() {
        let nested = configuration(
            list(.strict, 1, .proxy(0), .list(1)), ProxyList(mode: .roundRobin, hops: proxies(1..<3)))
        #expect(chain(nested, excluded: [1]) == [0, 2])
        #expect(chain(nested, excluded: [0]) == nil)
    }

    @Test func `lists may lie eight deep, and no deeper`() {
        func tower(_ height: Int) -> Configuration {
            var lists = (1..<height).map { list(.strict, 1, .list($0)) }
            lists.append(list(.strict, 1, .proxy(0)))
            var configuration = configuration(list(.strict))
            configuration.lists = lists
            return configuration
        }
        #expect(chain(tower(8)) == [0])
        #expect(chain(tower(9)) == nil)
    }

    @Test func `what no grammar lets through ends without a chain`() {
        #expect(chain(configuration(list(.strict))) == nil)
        #expect(chain(configuration(list(.dynamic, 1, .list(0)))) == nil)
        #expect(chain(configuration(list(.strict, 1, .proxy(9)))) == nil)
        #expect(chain(configuration(list(.strict, 1, .list(7)))) == nil)
        #expect(chain(configuration(list(.strict, 1, .proxy(0))), list: 5) == nil)
        #expect(chain(configuration(ProxyList(mode: .random, length: 3, hops: proxies(0..<2)))) == nil)
        #expect(chain(configuration(ProxyList(hops: proxies(0..<33)), proxies: 33)) == nil)
        #expect(chain(configuration(ProxyList(hops: proxies(0..<32)), proxies: 32))?.count == 32)
    }

    @Test func `lists that many others name are looked at once`() {
        // Without that: ten to the power of eight.
        var lists = (1..<8).map { next in
            ProxyList(mode: .random, hops: Array(repeating: .list(next), count: 10))
        }
        lists.append(ProxyList(mode: .random, hops: proxies(0..<8)))
        var configuration = configuration(list(.strict))
        configuration.lists = lists
        #expect(chain(configuration) == [0])
    }

    // MARK: First hops

    @Test func `first hops are those that stand first in some chain`() {
        func first(_ configuration: Configuration) -> [Int] {
            (0..<ProxySet.capacity).filter { configuration.possibleFirstHops.contains($0) }
        }
        #expect(first(configuration(list(.strict, 1, .proxy(1), .proxy(0)))) == [1])
        #expect(first(configuration(list(.dynamic, 1, .proxy(1), .proxy(0)))) == [0, 1])
        let nested = list(.strict, 1, .list(1), .proxy(0))
        let inner = ProxyList(mode: .random, hops: proxies(2..<4))
        #expect(first(configuration(nested, inner)) == [2, 3])
        var ruled = configuration(list(.strict, 1, .proxy(0)), inner, list(.strict, 1, .proxy(5)))
        #expect(first(ruled) == [0])
        ruled.rules = [Rule(.proxy(list: 1)), Rule(.direct)]
        #expect(first(ruled) == [0, 2, 3])
    }

    @Test func `datagrams go through one SOCKS5 proxy`() {
        func carries(_ list: ProxyList..., types: ProxyType...) -> Bool {
            var configuration = configuration(list[0], proxies: types.count)
            configuration.lists = list
            for index in types.indices { configuration.proxies[index].type = types[index] }
            return configuration.carriesDatagrams(throughList: 0)
        }
        #expect(carries(list(.strict, 1, .proxy(0)), types: .socks5))
        #expect(carries(list(.dynamic, 1, .list(1)), list(.strict, 1, .proxy(0)), types: .socks5))
        #expect(carries(list(.random, 1, .proxy(0), .proxy(1)), types: .http, .socks5))
        #expect(carries(list(.failover, 1, .proxy(0), .proxy(1)), types: .socks5, .socks5))
        #expect(!carries(list(.failover, 2, .proxy(0), .proxy(1)), types: .socks5, .socks5))
        #expect(!carries(list(.roundRobin, 2, .proxy(0), .proxy(1)), types: .socks5, .socks5))
        #expect(!carries(list(.strict, 1, .proxy(0), .proxy(1)), types: .socks5, .socks5))
        #expect(!carries(list(.strict, 1, .proxy(0)), types: .socks4))
        var mixed = configuration(list(.strict), proxies: 3)
        mixed.proxies[1].type = .http
        #expect((0..<4).map { mixed.withoutDatagrams.contains($0) } == [false, true, false, false])
    }

    @Test func `a set of proxies keeps every place that there is, and no other`() {
        var set = ProxySet()
        for index in [-1, 0, 63, 64, 511, 512] { set.insert(index) }
        #expect((-2..<520).filter { set.contains($0) } == [0, 63, 64, 511])
    }
}
