/// Chooses the chain of a connection. Allocates nothing.
public struct ChainSelection<Circumstances: ChainCircumstances> {
    private var circumstances: Circumstances
    /// The standing of each list, cached: many lists may refer to the same one.
    private var standings = InlineArray<64, Standing>(repeating: .unknown)

    /// How far a hop or a list can be used.
    private enum Standing: UInt8 {
        case unknown
        /// No chain can go through it.
        case unusable
        /// Only chains with dead proxies can go through it.
        case dead
        case alive
    }

    public init(_ circumstances: Circumstances) {
        self.circumstances = circumstances
    }

    /// Chooses a chain of `Configuration.lists[list]`; nil if there is none.
    public static func chain(
        of list: Int, _ configuration: Configuration, _ circumstances: Circumstances
    ) -> Chain? {
        var selection = ChainSelection(circumstances)
        var chain = Chain()
        guard configuration.lists.indices.contains(list),
            selection.append(list, configuration, to: &chain, depth: 0), chain.count > 0
        else { return nil }
        return chain
    }

    /// The maximum nesting of lists, as in the grammar.
    private static var greatestDepth: Int { 8 }

    // MARK: Standing

    @inline(never)
    private mutating func standing(_ hop: ProxyList.Hop, _ configuration: Configuration, depth: Int) -> Standing {
        switch hop {
        case .proxy(let index):
            guard index < configuration.proxies.count, !circumstances.excluded.contains(index) else {
                return .unusable
            }
            return circumstances.dead.contains(index) ? .dead : .alive
        case .list(let list):
            guard list < standings.count, list < configuration.lists.count else { return .unusable }
            if standings[list] == .unknown {
                // Ends the recursion for a list that contains itself.
                standings[list] = .unusable
                standings[list] = standing(ofList: list, configuration, depth: depth)
            }
            return standings[list]
        }
    }

    private mutating func standing(ofList list: Int, _ configuration: Configuration, depth: Int) -> Standing {
        guard depth < ChainSelection.greatestDepth else { return .unusable }
        let count = configuration.lists[list].hops.count
        var (alive, dead) = (0, 0)
        for index in 0..<count {
            switch standing(configuration.lists[list].hops[index], configuration, depth: depth + 1) {
            case .alive: alive += 1
            case .dead: dead += 1
            case .unusable, .unknown: break
            }
        }
        let needed: Int
        switch configuration.lists[list].mode {
        case .strict: needed = count
        case .dynamic: needed = 1
        case .failover, .random, .roundRobin: needed = configuration.lists[list].length
        }
        if alive >= max(needed, 1) { return .alive }
        return alive + dead >= max(needed, 1) ? .dead : .unusable
    }

    // MARK: Choosing

    /// Appends a chain of a list; false if there is none, or it has too many hops.
    @inline(never)
    private mutating func append(
        _ list: Int, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        let own = standing(.list(list), configuration, depth: depth)
        guard own == .alive || own == .dead else { return false }
        switch configuration.lists[list].mode {
        case .strict:
            for hop in configuration.lists[list].hops {
                guard append(hop, configuration, to: &chain, depth: depth) else { return false }
            }
            return true
        case .dynamic:
            for hop in configuration.lists[list].hops where standing(hop, configuration, depth: depth + 1) == own {
                guard append(hop, configuration, to: &chain, depth: depth) else { return false }
            }
            return true
        case .failover:
            return appendFirst(list, configuration, to: &chain, depth: depth)
        case .random:
            return appendRandom(list, configuration, to: &chain, depth: depth)
        case .roundRobin:
            return appendNext(list, configuration, to: &chain, depth: depth)
        }
    }

    private mutating func append(
        _ hop: ProxyList.Hop, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        switch hop {
        case .proxy(let index): chain.append(index)
        case .list(let list): append(list, configuration, to: &chain, depth: depth + 1)
        }
    }

    /// The chosen hops of a list, by their indices.
    private struct Choice {
        var indices = InlineArray<32, Int>(repeating: 0)
        var count = 0

        func contains(_ position: Int) -> Bool {
            for index in 0..<count where indices[index] == position { return true }
            return false
        }

        mutating func insert(_ index: Int) {
            indices[count] = index
            count += 1
        }
    }

    private mutating func appendFirst(
        _ list: Int, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        var next = 0
        let choice = choose(from: list, &next, configuration, depth: depth)
        return append(choice, of: list, configuration, to: &chain, depth: depth)
    }

    private mutating func appendRandom(
        _ list: Int, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        let length = configuration.lists[list].length
        guard length <= Chain.capacity else { return false }
        var choice = Choice()
        while choice.count < length {
            let hop =
                draw(.alive, from: list, besides: choice, configuration, depth: depth)
                ?? draw(.dead, from: list, besides: choice, configuration, depth: depth)
            guard let hop else { return false }
            choice.insert(hop)
            guard append(configuration.lists[list].hops[hop], configuration, to: &chain, depth: depth) else {
                return false
            }
        }
        return true
    }

    /// Draws a hop with this standing that is not in `choice`; nil if there are no more.
    @inline(never)
    private mutating func draw(
        _ wanted: Standing, from list: Int, besides choice: Choice, _ configuration: Configuration, depth: Int
    ) -> Int? {
        let hops = configuration.lists[list].hops
        var candidates = 0
        for index in hops.indices
        where !choice.contains(index) && standing(hops[index], configuration, depth: depth + 1) == wanted {
            candidates += 1
        }
        guard candidates > 0 else { return nil }
        var left = circumstances.random(below: candidates)
        for index in hops.indices
        where !choice.contains(index) && standing(hops[index], configuration, depth: depth + 1) == wanted {
            if left == 0 { return index }
            left -= 1
        }
        return nil
    }

    /// The number of attempts to advance a list. If all fail, the connection uses the same chain as another one.
    private static var attempts: Int { 16 }

    private mutating func appendNext(
        _ list: Int, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        let count = configuration.lists[list].hops.count
        guard count > 0 else { return false }
        var choice = Choice()
        for _ in 0..<ChainSelection.attempts {
            let turn = circumstances.turn(of: list)
            var next = Int(truncatingIfNeeded: turn % UInt64(count))
            choice = choose(from: list, &next, configuration, depth: depth)
            if circumstances.takeTurn(of: list, from: turn, to: UInt64(next)) { break }
        }
        return append(choice, of: list, configuration, to: &chain, depth: depth)
    }

    @inline(never)
    private mutating func append(
        _ choice: Choice, of list: Int, _ configuration: Configuration, to chain: inout Chain, depth: Int
    ) -> Bool {
        guard choice.count == configuration.lists[list].length else { return false }
        for index in 0..<choice.count {
            let hop = configuration.lists[list].hops[choice.indices[index]]
            guard append(hop, configuration, to: &chain, depth: depth) else { return false }
        }
        return true
    }

    /// Chooses the hops of a chain, starting at hop `next`; takes dead ones only if there are too few others.
    private mutating func choose(
        from list: Int, _ next: inout Int, _ configuration: Configuration, depth: Int
    ) -> Choice {
        var choice = Choice()
        let length = configuration.lists[list].length
        guard length <= Chain.capacity else { return choice }
        choose(.alive, from: list, upTo: length, &choice, &next, configuration, depth: depth)
        choose(.dead, from: list, upTo: length, &choice, &next, configuration, depth: depth)
        return choice
    }

    /// Goes once around a list from hop `next`, and sets `next` to the hop after the last chosen one.
    @inline(never)
    private mutating func choose(
        _ wanted: Standing, from list: Int, upTo length: Int, _ choice: inout Choice, _ next: inout Int,
        _ configuration: Configuration, depth: Int
    ) {
        let hops = configuration.lists[list].hops
        let start = next
        for step in 0..<hops.count where choice.count < length {
            let index = (start + step) % hops.count
            guard !choice.contains(index),
                standing(hops[index], configuration, depth: depth + 1) == wanted
            else { continue }
            choice.insert(index)
            next = (index + 1) % hops.count
        }
    }
}
