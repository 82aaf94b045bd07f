import SeededGenerator
import TableMemory
import Testing

@testable import SharedTables

@Suite struct SlotTableTests {
    let table = Self.newTable(capacity: 64)

    private static func newTable(capacity: Int) -> SlotTable<ReadyMemory> {
        let memory = zeroedMemory(SlotTable<ReadyMemory>.size(capacity: capacity))
        return SlotTable(memory: ReadyMemory(base: memory), capacity: capacity)
    }

    @Test func `whatever a word of the table becomes, no slot is outside of it, and none in use is given out`() throws {
        let size = SlotTable<ReadyMemory>.size(capacity: 64)
        let memory = zeroedMemory(size)
        let table = SlotTable(memory: ReadyMemory(base: memory), capacity: 64)
        let slots = try (0..<20).map { _ in try #require(table.take()) }
        for slot in slots[..<15] { #expect(table.publish(slot, cookie: UInt64(slot) + 100)) }
        for slot in slots[15...] { table.giveBack(slot) }
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
                // As many as there are slots, so every free list is used up.
                for _ in 0..<70 {
                    guard let slot = table.take() else { break }
                    #expect((0..<64).contains(slot) && table.cookie(of: slot) == 0, "\(word) as \(value)")
                    _ = table.publish(slot, cookie: 1000 + UInt64(slot))
                }
                memory.copyMemory(from: original, byteCount: size)
            }
        }
    }

    @Test func `a slot is found by its cookie, from publish to withdraw`() throws {
        let slot = try #require(table.take())
        #expect(table.find(cookie: 7) == nil)
        #expect(table.cookie(of: slot) == 0)
        #expect(table.publish(slot, cookie: 7))
        #expect(table.find(cookie: 7) == slot)
        #expect(table.cookie(of: slot) == 7)
        table.withdraw(slot)
        #expect(table.find(cookie: 7) == nil)
        #expect(table.cookie(of: slot) == 0)
        table.giveBack(slot)
    }

    @Test func `each cookie has its own slot`() throws {
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

    @Test func `a socket that has no slot more can have another`() throws {
        let first = try #require(table.take())
        let second = try #require(table.take())
        #expect(table.publish(first, cookie: 7))
        table.withdraw(first)
        #expect(table.publish(second, cookie: 7))
        #expect(table.find(cookie: 7) == second)
        // The slot is free.
        table.withdraw(first)
        #expect(table.find(cookie: 7) == second)
    }

    @Test func `as many slots are taken as there are, none twice`() {
        var taken = Set<Int>()
        for _ in 0..<64 { if let slot = table.take() { taken.insert(slot) } }
        #expect(taken == Set(0..<64))
        #expect(table.take() == nil)
        #expect(table.take() == nil)
    }

    @Test func `a slot that is given back is taken again, before new ones`() throws {
        let slots = try (0..<3).map { _ in try #require(table.take()) }
        table.giveBack(slots[0])
        table.giveBack(slots[2])
        #expect(Set([table.take(), table.take()]) == [slots[0], slots[2]])
        #expect(table.take() == 3)
    }

    @Test func `a full table has room for as many as were given back`() throws {
        for _ in 0..<64 { _ = try #require(table.take()) }
        for slot in [0, 63, 5] { table.giveBack(slot) }
        #expect(Set([table.take(), table.take(), table.take()]) == [0, 63, 5])
        #expect(table.take() == nil)
    }

    @Test func `a slot can be taken, published and given back any number of times`() throws {
        for cookie in 1...10_000 as ClosedRange<UInt64> {
            let slot = try #require(table.take())
            try #require(table.publish(slot, cookie: cookie))
            try #require(table.find(cookie: cookie) == slot)
            table.withdraw(slot)
            try #require(table.find(cookie: cookie) == nil)
            table.giveBack(slot)
        }
        #expect(table.end == 1)
    }

    @Test func `the end is behind the slots that were ever taken`() throws {
        #expect(table.end == 0)
        let slots = try (0..<5).map { _ in try #require(table.take()) }
        #expect(table.end == 5)
        for slot in slots { table.giveBack(slot) }
        #expect(table.end == 5)
        for _ in 0..<70 { _ = table.take() }
        #expect(table.end == 64)
    }

    // MARK: Sockets that take the place of others

    @Test func `a slot is found by its first cookie and by the last two`() throws {
        let slot = try #require(table.take())
        try #require(table.publish(slot, cookie: 7))
        for cookie in 100...200 as ClosedRange<UInt64> {
            #expect(table.add(cookie, to: slot))
            #expect(table.find(cookie: 7) == slot)
            #expect(table.find(cookie: cookie) == slot)
            #expect(table.find(cookie: cookie - 1) == (cookie > 100 ? slot : nil))
            #expect(table.find(cookie: cookie - 2) == nil)
            #expect(table.cookie(of: slot) == 7)
        }
        #expect(!table.isFound(slot, by: 198))
        table.withdraw(slot)
        for cookie in [7, 199, 200] as [UInt64] { #expect(table.find(cookie: cookie) == nil) }
        table.giveBack(slot)
    }

    @Test func `what a slot was found by leaves no bucket taken`() throws {
        let slot = try #require(table.take())
        for round in 0..<1000 as Range<UInt64> {
            try #require(table.publish(slot, cookie: round * 10 + 1))
            for cookie in 2...5 as ClosedRange<UInt64> { try #require(table.add(round * 10 + cookie, to: slot)) }
            table.withdraw(slot)
        }
    }

    // MARK: Cookies

    /// Cookies whose search begins at the same bucket.
    private func colliding(_ count: Int, at bucket: Int, in table: SlotTable<ReadyMemory>) -> [UInt64] {
        var cookies: [UInt64] = []
        var cookie: UInt64 = 1
        while cookies.count < count {
            if table.firstBucket(of: cookie) == bucket { cookies.append(cookie) }
            cookie += 1
        }
        return cookies
    }

    // There are 128 buckets; the first follow the last.
    @Test(arguments: [0, 5, 64, 127])
    func `cookies with the same hash are told apart, until their window is full`(bucket: Int) throws {
        let table = Self.newTable(capacity: 64)
        let all = colliding(66, at: bucket, in: table)
        let cookies = all.dropLast(2)
        let slots = try cookies.map { cookie in
            let slot = try #require(table.take())
            #expect(table.publish(slot, cookie: cookie))
            return slot
        }
        for (cookie, slot) in zip(cookies, slots) { #expect(table.find(cookie: cookie) == slot) }
        #expect(table.find(cookie: all[64]) == nil)

        // There is a free slot, but no free bucket: all slots are in the window.
        table.withdraw(slots[20])
        #expect(table.publish(slots[20], cookie: all[64]))
        #expect(!table.publish(slots[20], cookie: all[65]))
        #expect(table.find(cookie: all[65]) == nil)
        #expect(table.find(cookie: all[64]) == slots[20])
        #expect(table.find(cookie: cookies[20]) == nil)

        // Released buckets do not hide the ones after them.
        for slot in slots[..<40] { table.withdraw(slot) }
        for (cookie, slot) in zip(cookies, slots).dropFirst(40) { #expect(table.find(cookie: cookie) == slot) }
        #expect(table.publish(slots[0], cookie: all[65]))
        #expect(table.find(cookie: all[65]) == slots[0])
    }

    @Test func `a full window refuses a slot, which then is still nobody's`() throws {
        let table = Self.newTable(capacity: 128)
        let cookies = colliding(65, at: 9, in: table)
        for cookie in cookies.dropLast() { #expect(table.publish(try #require(table.take()), cookie: cookie)) }
        let slot = try #require(table.take())
        #expect(!table.publish(slot, cookie: cookies[64]))
        #expect(table.find(cookie: cookies[64]) == nil)
        #expect(table.cookie(of: slot) == 0)
        // Other windows have room.
        let other = colliding(1, at: 100, in: table)[0]
        #expect(table.publish(slot, cookie: other))
        #expect(table.find(cookie: other) == slot)
    }

    @Test func `cookies of several processors that count up side by side all have room`() throws {
        let table = Self.newTable(capacity: 16_384)
        for index in 0..<16_384 as Range<UInt64> {
            let cookie = 1 + index % 4 << 16 + index / 4
            let slot = try #require(table.take())
            try #require(table.publish(slot, cookie: cookie))
            try #require(table.find(cookie: cookie) == slot)
        }
    }

    @Test func `what is no cookie is never found`() throws {
        for cookie in [0] as [UInt64] {
            #expect(table.find(cookie: cookie) == nil)
            let slot = try #require(table.take())
            _ = table.publish(slot, cookie: cookie)
            #expect(table.find(cookie: cookie) == nil)
        }
    }

    @Test func `a bucket that a thread left behind which ended in the middle hides no slot`() throws {
        let first = try #require(table.take())
        let second = try #require(table.take())
        #expect(table.publish(first, cookie: 7))
        // The slot now has another owner; the bucket was never released.
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
        let memory = zeroedMemory(SlotTable<ReadyMemory>.size(capacity: 64))
        let one = SlotTable(memory: ReadyMemory(base: memory), capacity: 64)
        let other = SlotTable(memory: ReadyMemory(base: memory), capacity: 64)
        let slot = try #require(one.take())
        #expect(one.publish(slot, cookie: 7))
        #expect(other.find(cookie: 7) == slot)
        #expect(other.cookie(of: slot) == 7)
        #expect(other.end == 1)
        #expect(other.take() == 1)
        other.withdraw(slot)
        #expect(one.find(cookie: 7) == nil)
        other.giveBack(slot)
        #expect(one.take() == slot)
    }

    @Test(arguments: [
        (-1, 64), (0, 64), (1, 64), (64, 64), (65, 128), (1000, 1024), (16_384, 16_384), (65_535, 65_536),
        (65_536, 65_536), (65_537, 65_536), (Int.max, 65_536),
    ])
    func `the capacity is a power of two, and no more than a marker can name`(asked: Int, capacity: Int) {
        #expect(SlotTable(memory: ReadyMemory(base: zeroedMemory(64)), capacity: asked).capacity == capacity)
        #expect(SlotTable<ReadyMemory>.size(capacity: asked) == SlotTable<ReadyMemory>.size(capacity: capacity))
    }

    @Test(arguments: [64, 128]) func `a table stays in its memory`(capacity: Int) throws {
        let size = SlotTable<ReadyMemory>.size(capacity: capacity)
        let memory = zeroedMemory(size + 4096)
        let behind = UnsafeMutableRawBufferPointer(start: memory + size, count: 4096)
        behind.initializeMemory(as: UInt8.self, repeating: 0xa5)
        let table = SlotTable(memory: ReadyMemory(base: memory), capacity: capacity)
        // Cookies of every bucket, twice as many as there are slots.
        for round in 0..<2 as Range<UInt64> {
            let first = round * UInt64(capacity) + 1
            var slots: [Int] = []
            for cookie in first..<first + UInt64(capacity) {
                slots.append(try #require(table.take()))
                #expect(table.publish(slots[slots.count - 1], cookie: cookie))
            }
            for (index, slot) in slots.enumerated() {
                #expect(table.find(cookie: first + UInt64(index)) == slot)
                table.withdraw(slot)
                table.giveBack(slot)
            }
        }
        #expect(behind.allSatisfy { $0 == 0xa5 })
    }

    @Test func `a shortage of memory loses no slot`() throws {
        let memory = CountingMemory(size: SlotTable<CountingMemory>.size(capacity: 64))
        let table = SlotTable(memory: memory, capacity: 64)
        let slots = try (0..<3).map { _ in try #require(table.take()) }
        #expect(table.publish(slots[1], cookie: 7))
        table.giveBack(slots[0])
        table.giveBack(slots[2])

        memory.isFull = true
        #expect(table.take() == nil)
        #expect(table.find(cookie: 7) == nil)
        #expect(!table.publish(slots[0], cookie: 8))
        #expect(!table.add(9, to: slots[1]))
        #expect(table.cookie(of: slots[1]) == 0)

        memory.isFull = false
        #expect(table.find(cookie: 7) == slots[1])
        #expect(Set([table.take(), table.take()]) == [slots[0], slots[2]])
        memory.isFull = true
        #expect(table.take() == nil)
        memory.isFull = false
        #expect(table.take() == 3)
    }

    @Test func `a few slots of many lie together`() throws {
        let memory = CountingMemory(size: SlotTable<CountingMemory>.size(capacity: 32_768))
        let table = SlotTable(memory: memory, capacity: 32_768)
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
                    guard let slot = table.take() else { return "a slot is lost" }
                    if takers.add(1, to: index * 64 + slot) != 0 { return "a slot was taken twice" }
                }
            }
            return nil
        }
        #expect(complaints == [])
        for table in tables { #expect(table.take() == nil) }
    }

    @Test func `threads that give slots back while others take them have none in common`() {
        let table = table
        let holders = Counters(64)
        let complaints = complaints(ofThreads: 4) { _ in
            for _ in 0..<50_000 {
                // The first is released before the second: a thread that saw it as the next one before must not believe
                // that nothing has happened since.
                guard let first = table.take(), let second = table.take() else { return "a slot is lost" }
                if holders.add(1, to: first) != 0 || holders.add(1, to: second) != 0 {
                    return "a slot was taken twice"
                }
                for slot in [first, second] {
                    _ = holders.add(-1, to: slot)
                    table.giveBack(slot)
                }
            }
            return nil
        }
        #expect(complaints == [])
        #expect(Set((0..<64).compactMap { _ in table.take() }) == Set(0..<64))
        #expect(table.take() == nil)
    }

    @Test func `threads have no slot in common, find no foreign one, and lose none`() {
        let table = table
        let threads = 4
        let rounds = 20_000
        let holders = Counters(64)
        // The slot of each cookie, plus 1. No cookie has two of them.
        let slotOfCookie = Counters(threads * rounds)
        // The cookies of all threads, for look-ups.
        let published = Counters(16)

        let complaints = complaints(ofThreads: threads) { thread in
            var random = SplitMix(state: UInt64(thread))
            var held: [(slot: Int, cookie: UInt64)] = []
            func end(_ index: Int) -> String? {
                let (slot, cookie) = held.remove(at: index)
                table.withdraw(slot)
                if table.find(cookie: cookie) != nil { return "a slot is found after withdraw" }
                if holders.exchange(slot, 0) != thread + 1 { return "a slot changed hands" }
                table.giveBack(slot)
                return nil
            }
            for round in 0..<rounds {
                // The four threads together ask for more slots than there are.
                if held.count < 20, round % 3 > 0, let slot = table.take() {
                    guard 0..<64 ~= slot else { return "slot \(slot) of 64" }
                    if holders.exchange(slot, thread + 1) != 0 { return "a slot was taken twice" }
                    let serial = thread * rounds + round
                    let cookie = UInt64(serial + 1) << 7 | UInt64.random(in: 0..<8, using: &random)
                    slotOfCookie[serial] = slot + 1
                    if table.publish(slot, cookie: cookie) {
                        held.append((slot, cookie))
                        published[Int.random(in: 0..<16, using: &random)] = Int(cookie)
                        if table.find(cookie: cookie) != slot { return "a slot is not found after publish" }
                    } else {
                        // Other threads were faster at every bucket.
                        _ = holders.exchange(slot, 0)
                        table.giveBack(slot)
                    }
                } else if !held.isEmpty {
                    if let complaint = end(Int.random(in: 0..<held.count, using: &random)) { return complaint }
                }
                for _ in 0..<4 {
                    let cookie = published[Int.random(in: 0..<16, using: &random)]
                    guard cookie != 0, let slot = table.find(cookie: UInt64(cookie)) else { continue }
                    if slotOfCookie[(cookie >> 7) - 1] != slot + 1 { return "a foreign slot was found" }
                }
                for (slot, cookie) in held where table.find(cookie: cookie) != slot {
                    return "a slot is lost"
                }
            }
            while !held.isEmpty { if let complaint = end(0) { return complaint } }
            return nil
        }
        #expect(complaints == [])

        // The table is empty again: every slot can be taken, and every bucket of a window filled.
        #expect((0..<64).allSatisfy { table.cookie(of: $0) == 0 })
        var taken = Set<Int>()
        for cookie in colliding(64, at: 3, in: table) {
            guard let slot = table.take() else { break }
            taken.insert(slot)
            #expect(table.publish(slot, cookie: cookie))
        }
        #expect(taken == Set(0..<64))
        #expect(table.take() == nil)
        #expect(table.end == 64)
    }
}
