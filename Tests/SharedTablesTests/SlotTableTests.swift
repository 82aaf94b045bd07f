import SeededGenerator
import TableMemory
import Testing

@testable import SharedTables

@Suite struct PlaceTableTests {
    let table = Self.newTable(capacity: 64)

    private static func newTable(capacity: Int) -> PlaceTable<ReadyMemory> {
        let memory = zeroedMemory(PlaceTable<ReadyMemory>.size(capacity: capacity))
        return PlaceTable(memory: ReadyMemory(base: memory), capacity: capacity)
    }

    @Test func `whatever a word of the table becomes, no place is outside of it, and none in use is given out`() throws
    {
        let size = PlaceTable<ReadyMemory>.size(capacity: 64)
        let memory = zeroedMemory(size)
        let table = PlaceTable(memory: ReadyMemory(base: memory), capacity: 64)
        let places = try (0..<20).map { _ in try #require(table.take()) }
        for place in places[..<15] { #expect(table.publish(place, cookie: UInt64(place) + 100)) }
        for place in places[15...] { table.giveBack(place) }
        let original = zeroedMemory(size)
        original.copyMemory(from: memory, byteCount: size)
        for word in 0..<size / 8 {
            for value in [0, 1, 7, 64, 65, 1 << 32 | 3, 0xffff_ffff, 1 << 63, .max] as [UInt64] {
                memory.storeBytes(of: value, toByteOffset: word * 8, as: UInt64.self)
                #expect((0...64).contains(table.end), "\(word) as \(value)")
                for cookie in [0, 1, 100, 114, value] as [UInt64] {
                    let found = table.find(cookie: cookie)
                    #expect(found.map { (0..<64).contains($0) } != false, "\(word) as \(value)")
                }
                // As many as there are, so that every list comes to its end.
                for _ in 0..<70 {
                    guard let place = table.take() else { break }
                    #expect((0..<64).contains(place) && table.cookie(of: place) == 0, "\(word) as \(value)")
                    _ = table.publish(place, cookie: 1000 + UInt64(place))
                }
                memory.copyMemory(from: original, byteCount: size)
            }
        }
    }

    @Test func `a place is found by its cookie, from publish to withdraw`() throws {
        let place = try #require(table.take())
        #expect(table.find(cookie: 7) == nil)
        #expect(table.cookie(of: place) == 0)
        #expect(table.publish(place, cookie: 7))
        #expect(table.find(cookie: 7) == place)
        #expect(table.cookie(of: place) == 7)
        table.withdraw(place)
        #expect(table.find(cookie: 7) == nil)
        #expect(table.cookie(of: place) == 0)
        table.giveBack(place)
    }

    @Test func `each cookie has its own place`() throws {
        for cookie in 1...64 as ClosedRange<UInt64> {
            #expect(table.publish(try #require(table.take()), cookie: cookie))
        }
        let found = (1...64 as ClosedRange<UInt64>).compactMap { table.find(cookie: $0) }
        #expect(Set(found) == Set(0..<64))
        for cookie in 1...64 as ClosedRange<UInt64> {
            #expect(table.cookie(of: try #require(table.find(cookie: cookie))) == cookie)
        }
        #expect(table.find(cookie: 65) == nil)
    }

    @Test func `a socket that has no place more can have another`() throws {
        let first = try #require(table.take())
        let second = try #require(table.take())
        #expect(table.publish(first, cookie: 7))
        table.withdraw(first)
        #expect(table.publish(second, cookie: 7))
        #expect(table.find(cookie: 7) == second)
        // It is nobody's.
        table.withdraw(first)
        #expect(table.find(cookie: 7) == second)
    }

    @Test func `as many places are taken as there are, none twice`() {
        var taken = Set<Int>()
        for _ in 0..<64 { if let place = table.take() { taken.insert(place) } }
        #expect(taken == Set(0..<64))
        #expect(table.take() == nil)
        #expect(table.take() == nil)
    }

    @Test func `a place that is given back is taken again, before new ones`() throws {
        let places = try (0..<3).map { _ in try #require(table.take()) }
        table.giveBack(places[0])
        table.giveBack(places[2])
        #expect(Set([table.take(), table.take()]) == [places[0], places[2]])
        #expect(table.take() == 3)
    }

    @Test func `a full table has room for as many as were given back`() throws {
        for _ in 0..<64 { _ = try #require(table.take()) }
        for place in [0, 63, 5] { table.giveBack(place) }
        #expect(Set([table.take(), table.take(), table.take()]) == [0, 63, 5])
        #expect(table.take() == nil)
    }

    @Test func `a place can be taken, published and given back any number of times`() throws {
        for cookie in 1...10_000 as ClosedRange<UInt64> {
            let place = try #require(table.take())
            try #require(table.publish(place, cookie: cookie))
            try #require(table.find(cookie: cookie) == place)
            table.withdraw(place)
            try #require(table.find(cookie: cookie) == nil)
            table.giveBack(place)
        }
        #expect(table.end == 1)
    }

    @Test func `the end is behind the places that were ever taken`() throws {
        #expect(table.end == 0)
        let places = try (0..<5).map { _ in try #require(table.take()) }
        #expect(table.end == 5)
        for place in places { table.giveBack(place) }
        #expect(table.end == 5)
        for _ in 0..<70 { _ = table.take() }
        #expect(table.end == 64)
    }

    // MARK: Sockets that take the place of others

    @Test func `a place is found by its first cookie and by the last two`() throws {
        let place = try #require(table.take())
        try #require(table.publish(place, cookie: 7))
        for cookie in 100...200 as ClosedRange<UInt64> {
            #expect(table.add(cookie, to: place))
            #expect(table.find(cookie: 7) == place)
            #expect(table.find(cookie: cookie) == place)
            #expect(table.find(cookie: cookie - 1) == (cookie > 100 ? place : nil))
            #expect(table.find(cookie: cookie - 2) == nil)
            #expect(table.cookie(of: place) == 7)
        }
        #expect(!table.isFound(place, by: 198))
        table.withdraw(place)
        for cookie in [7, 199, 200] as [UInt64] { #expect(table.find(cookie: cookie) == nil) }
        table.giveBack(place)
    }

    @Test func `what a place was found by leaves no slot taken`() throws {
        let place = try #require(table.take())
        for round in 0..<1000 as Range<UInt64> {
            try #require(table.publish(place, cookie: round * 10 + 1))
            for cookie in 2...5 as ClosedRange<UInt64> { try #require(table.add(round * 10 + cookie, to: place)) }
            table.withdraw(place)
        }
    }

    // MARK: Cookies

    /// Cookies whose search begins at the same slot.
    private func colliding(_ count: Int, at slot: Int, in table: PlaceTable<ReadyMemory>) -> [UInt64] {
        var cookies: [UInt64] = []
        var cookie: UInt64 = 1
        while cookies.count < count {
            if table.firstSlot(of: cookie) == slot { cookies.append(cookie) }
            cookie += 1
        }
        return cookies
    }

    // The slots are 128: the last are followed by the first.
    @Test(arguments: [0, 5, 64, 127])
    func `cookies with the same hash are told apart, until their window is full`(slot: Int) throws {
        let table = Self.newTable(capacity: 64)
        let all = colliding(66, at: slot, in: table)
        let cookies = all.dropLast(2)
        let places = try cookies.map { cookie in
            let place = try #require(table.take())
            #expect(table.publish(place, cookie: cookie))
            return place
        }
        for (cookie, place) in zip(cookies, places) { #expect(table.find(cookie: cookie) == place) }
        #expect(table.find(cookie: all[64]) == nil)

        // A place for one more, and no slot: every place is in the window.
        table.withdraw(places[20])
        #expect(table.publish(places[20], cookie: all[64]))
        #expect(!table.publish(places[20], cookie: all[65]))
        #expect(table.find(cookie: all[65]) == nil)
        #expect(table.find(cookie: all[64]) == places[20])
        #expect(table.find(cookie: cookies[20]) == nil)

        // The slots that others gave back do not hide those behind them.
        for place in places[..<40] { table.withdraw(place) }
        for (cookie, place) in zip(cookies, places).dropFirst(40) { #expect(table.find(cookie: cookie) == place) }
        #expect(table.publish(places[0], cookie: all[65]))
        #expect(table.find(cookie: all[65]) == places[0])
    }

    @Test func `a full window refuses a place, which then is still nobody's`() throws {
        let table = Self.newTable(capacity: 128)
        let cookies = colliding(65, at: 9, in: table)
        for cookie in cookies.dropLast() { #expect(table.publish(try #require(table.take()), cookie: cookie)) }
        let place = try #require(table.take())
        #expect(!table.publish(place, cookie: cookies[64]))
        #expect(table.find(cookie: cookies[64]) == nil)
        #expect(table.cookie(of: place) == 0)
        // Other windows have room.
        let other = colliding(1, at: 100, in: table)[0]
        #expect(table.publish(place, cookie: other))
        #expect(table.find(cookie: other) == place)
    }

    @Test func `cookies of several processors that count up side by side all have room`() throws {
        let table = Self.newTable(capacity: 16_384)
        for index in 0..<16_384 as Range<UInt64> {
            let cookie = 1 + index % 4 << 16 + index / 4
            let place = try #require(table.take())
            try #require(table.publish(place, cookie: cookie))
            try #require(table.find(cookie: cookie) == place)
        }
    }

    @Test func `what is no cookie is never found`() throws {
        for cookie in [0] as [UInt64] {
            #expect(table.find(cookie: cookie) == nil)
            let place = try #require(table.take())
            _ = table.publish(place, cookie: cookie)
            #expect(table.find(cookie: cookie) == nil)
        }
    }

    @Test func `a slot that a thread left behind which ended in the middle hides no place`() throws {
        let first = try #require(table.take())
        let second = try #require(table.take())
        #expect(table.publish(first, cookie: 7))
        // The place is another's by now; the slot was never given back.
        #expect(table.publish(first, cookie: 8))
        #expect(table.find(cookie: 7) == nil)
        #expect(table.publish(second, cookie: 7))
        #expect(table.find(cookie: 7) == second)
        #expect(table.find(cookie: 8) == first)
        table.withdraw(second)
        #expect(table.find(cookie: 7) == nil)
    }

    // MARK: Memory

    @Test func `tables in the same memory are one table`() throws {
        let memory = zeroedMemory(PlaceTable<ReadyMemory>.size(capacity: 64))
        let one = PlaceTable(memory: ReadyMemory(base: memory), capacity: 64)
        let other = PlaceTable(memory: ReadyMemory(base: memory), capacity: 64)
        let place = try #require(one.take())
        #expect(one.publish(place, cookie: 7))
        #expect(other.find(cookie: 7) == place)
        #expect(other.cookie(of: place) == 7)
        #expect(other.end == 1)
        #expect(other.take() == 1)
        other.withdraw(place)
        #expect(one.find(cookie: 7) == nil)
        other.giveBack(place)
        #expect(one.take() == place)
    }

    @Test(arguments: [
        (-1, 64), (0, 64), (1, 64), (64, 64), (65, 128), (1000, 1024), (16_384, 16_384), (65_535, 65_536),
        (65_536, 65_536), (65_537, 65_536), (Int.max, 65_536),
    ])
    func `the capacity is a power of two, and no more than a marker can name`(asked: Int, capacity: Int) {
        #expect(PlaceTable(memory: ReadyMemory(base: zeroedMemory(64)), capacity: asked).capacity == capacity)
        #expect(PlaceTable<ReadyMemory>.size(capacity: asked) == PlaceTable<ReadyMemory>.size(capacity: capacity))
    }

    @Test(arguments: [64, 128]) func `a table stays in its memory`(capacity: Int) throws {
        let size = PlaceTable<ReadyMemory>.size(capacity: capacity)
        let memory = zeroedMemory(size + 4096)
        let behind = UnsafeMutableRawBufferPointer(start: memory + size, count: 4096)
        behind.initializeMemory(as: UInt8.self, repeating: 0xa5)
        let table = PlaceTable(memory: ReadyMemory(base: memory), capacity: capacity)
        // Cookies of every slot, twice as many as there are places.
        for round in 0..<2 as Range<UInt64> {
            let first = round * UInt64(capacity) + 1
            var places: [Int] = []
            for cookie in first..<first + UInt64(capacity) {
                places.append(try #require(table.take()))
                #expect(table.publish(places[places.count - 1], cookie: cookie))
            }
            for (index, place) in places.enumerated() {
                #expect(table.find(cookie: first + UInt64(index)) == place)
                table.withdraw(place)
                table.giveBack(place)
            }
        }
        #expect(behind.allSatisfy { $0 == 0xa5 })
    }

    @Test func `a shortage of memory loses no place`() throws {
        let memory = CountingMemory(size: PlaceTable<CountingMemory>.size(capacity: 64))
        let table = PlaceTable(memory: memory, capacity: 64)
        let places = try (0..<3).map { _ in try #require(table.take()) }
        #expect(table.publish(places[1], cookie: 7))
        table.giveBack(places[0])
        table.giveBack(places[2])

        memory.isFull = true
        #expect(table.take() == nil)
        #expect(table.find(cookie: 7) == nil)
        #expect(!table.publish(places[0], cookie: 8))
        #expect(!table.add(9, to: places[1]))
        #expect(table.cookie(of: places[1]) == 0)

        memory.isFull = false
        #expect(table.find(cookie: 7) == places[1])
        #expect(Set([table.take(), table.take()]) == [places[0], places[2]])
        memory.isFull = true
        #expect(table.take() == nil)
        memory.isFull = false
        #expect(table.take() == 3)
    }

    @Test func `a few places of many lie together`() throws {
        let memory = CountingMemory(size: PlaceTable<CountingMemory>.size(capacity: 32_768))
        let table = PlaceTable(memory: memory, capacity: 32_768)
        for _ in 0..<100 { _ = try #require(table.take()) }
        #expect(memory.pages.count <= 2)
        #expect(table.publish(0, cookie: 7))
        #expect(table.find(cookie: 7) == 0)
        #expect(memory.pages.count <= 4)
    }

    // MARK: Threads

    @Test func `threads that take new places have none in common`() {
        let tables = (0..<2_000).map { _ in
            Self.newTable(capacity: 64)
        }
        let takers = Counters(tables.count * 64)
        let complaints = complaints(ofThreads: 4) { _ in
            for (index, table) in tables.enumerated() {
                for _ in 0..<16 {
                    guard let place = table.take() else { return "a place is lost" }
                    if takers.add(1, to: index * 64 + place) != 0 { return "a place was taken twice" }
                }
            }
            return nil
        }
        #expect(complaints == [])
        for table in tables { #expect(table.take() == nil) }
    }

    @Test func `threads that give places back while others take them have none in common`() {
        let table = table
        let holders = Counters(64)
        let complaints = complaints(ofThreads: 4) { _ in
            for _ in 0..<50_000 {
                // The first goes back before the second: whoever saw it as the next before must not believe that
                // nothing has happened since.
                guard let first = table.take(), let second = table.take() else { return "a place is lost" }
                if holders.add(1, to: first) != 0 || holders.add(1, to: second) != 0 {
                    return "a place was taken twice"
                }
                for place in [first, second] {
                    _ = holders.add(-1, to: place)
                    table.giveBack(place)
                }
            }
            return nil
        }
        #expect(complaints == [])
        #expect(Set((0..<64).compactMap { _ in table.take() }) == Set(0..<64))
        #expect(table.take() == nil)
    }

    @Test func `threads have no place in common, find no foreign one, and lose none`() {
        let table = table
        let threads = 4
        let rounds = 20_000
        let holders = Counters(64)
        // The place of each cookie, plus 1. No cookie has two of them.
        let placeOfCookie = Counters(threads * rounds)
        // Cookies of all threads, to look for.
        let published = Counters(16)

        let complaints = complaints(ofThreads: threads) { thread in
            var random = SplitMix(state: UInt64(thread))
            var held: [(place: Int, cookie: UInt64)] = []
            func end(_ index: Int) -> String? {
                let (place, cookie) = held.remove(at: index)
                table.withdraw(place)
                if table.find(cookie: cookie) != nil { return "a place is found after withdraw" }
                if holders.exchange(place, 0) != thread + 1 { return "a place changed hands" }
                table.giveBack(place)
                return nil
            }
            for round in 0..<rounds {
                // The four together want more than there are.
                if held.count < 20, round % 3 > 0, let place = table.take() {
                    guard 0..<64 ~= place else { return "place \(place) of 64" }
                    if holders.exchange(place, thread + 1) != 0 { return "a place was taken twice" }
                    let serial = thread * rounds + round
                    let cookie = UInt64(serial + 1) << 7 | UInt64.random(in: 0..<8, using: &random)
                    placeOfCookie[serial] = place + 1
                    if table.publish(place, cookie: cookie) {
                        held.append((place, cookie))
                        published[Int.random(in: 0..<16, using: &random)] = Int(cookie)
                        if table.find(cookie: cookie) != place { return "a place is not found after publish" }
                    } else {
                        // Others were faster at every slot.
                        _ = holders.exchange(place, 0)
                        table.giveBack(place)
                    }
                } else if !held.isEmpty {
                    if let complaint = end(Int.random(in: 0..<held.count, using: &random)) { return complaint }
                }
                for _ in 0..<4 {
                    let cookie = published[Int.random(in: 0..<16, using: &random)]
                    guard cookie != 0, let place = table.find(cookie: UInt64(cookie)) else { continue }
                    if placeOfCookie[(cookie >> 7) - 1] != place + 1 { return "a foreign place was found" }
                }
                for (place, cookie) in held where table.find(cookie: cookie) != place {
                    return "a place is lost"
                }
            }
            while !held.isEmpty { if let complaint = end(0) { return complaint } }
            return nil
        }
        #expect(complaints == [])

        // All is as it was: every place can be taken, and every slot of a window be filled.
        #expect((0..<64).allSatisfy { table.cookie(of: $0) == 0 })
        var taken = Set<Int>()
        for cookie in colliding(64, at: 3, in: table) {
            guard let place = table.take() else { break }
            taken.insert(place)
            #expect(table.publish(place, cookie: cookie))
        }
        #expect(taken == Set(0..<64))
        #expect(table.take() == nil)
        #expect(table.end == 64)
    }
}
