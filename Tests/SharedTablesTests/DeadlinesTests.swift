import Dispatch
import Foundation
import SharedTables
import Testing

@Suite struct DeadlinesTests {
    let deadlines = Deadlines(memory: zeroedMemory(Deadlines.size(capacity: 64)))

    @Test func `at first there is none`() {
        #expect(deadlines.next == nil)
        #expect(over(at: .max) == [])
        #expect(deadlines.next == nil)
    }

    @Test func `the next is no later than the first`() {
        deadlines.set(300, for: 3)
        #expect(deadlines.next == 300)
        deadlines.set(400, for: 4)
        #expect(deadlines.next == 300)
        deadlines.set(200, for: 2)
        #expect(deadlines.next == 200)
        // The first deadline is removed: the next may be too early, never too late.
        deadlines.set(500, for: 2)
        #expect(deadlines.next.map { $0 <= 300 } == true)
        deadlines.set(nil, for: 2)
        #expect(deadlines.next.map { $0 <= 300 } == true)
    }

    @Test func `a look puts the next right`() {
        deadlines.set(200, for: 2)
        deadlines.set(300, for: 3)
        deadlines.set(400, for: 4)
        deadlines.set(nil, for: 2)
        #expect(over(at: 250) == [])
        #expect(deadlines.next == 300)
        deadlines.set(nil, for: 3)
        deadlines.set(nil, for: 4)
        #expect(over(at: 300) == [])
        #expect(deadlines.next == nil)
    }

    @Test(arguments: [nil, 0, -1, Int.min]) func `none is set by nil, and by what is no time`(none: Int?) {
        deadlines.set(none, for: 1)
        #expect(deadlines.next == nil)
        deadlines.set(100, for: 1)
        deadlines.set(none, for: 1)
        #expect(over(at: 1000) == [])
        #expect(deadlines.next == nil)
    }

    @Test func `those that are over are called, and no others`() {
        deadlines.set(100, for: 0)
        deadlines.set(101, for: 1)
        deadlines.set(99, for: 2)
        deadlines.set(1, for: 5)
        deadlines.set(102, for: 63)
        #expect(over(at: 0) == [])
        #expect(over(at: 100) == [0, 2, 5])
        #expect(deadlines.next == 101)
        #expect(over(at: 100) == [])
        #expect(over(at: 102) == [1, 63])
        #expect(deadlines.next == nil)
    }

    @Test func `nobody looks before the next moment`() {
        var isAsked = false
        func end() -> Int {
            isAsked = true
            return 64
        }
        deadlines.forEachOver(now: .max, end: end()) { _ in }
        deadlines.set(100, for: 0)
        deadlines.forEachOver(now: 99, end: end()) { _ in }
        #expect(!isAsked)
        deadlines.forEachOver(now: 100, end: end()) { _ in }
        #expect(isAsked)
    }

    @Test func `slots from the end on are not looked at`() {
        deadlines.set(100, for: 2)
        deadlines.set(100, for: 3)
        #expect(over(at: 100, end: 3) == [2])
    }

    @Test func `the end is asked for when the bound is unknown already`() {
        deadlines.set(100, for: 0)
        var called: [Int] = []
        func end() -> Int {
            // A deadline that is set now is kept, whether or not a look has read it.
            #expect(deadlines.next == 1)
            deadlines.set(150, for: 9)
            return 1
        }
        deadlines.forEachOver(now: 100, end: end()) { slot in
            called.append(slot)
            deadlines.set(200, for: slot)
        }
        #expect(called == [0])
        #expect(deadlines.next == 150)
    }

    @Test func `the body sets a deadline anew`() {
        for slot in 0..<4 { deadlines.set(100 + slot, for: slot) }
        deadlines.forEachOver(now: 110, end: 64) { slot in
            switch slot {
            case 0: deadlines.set(400, for: 0)
            case 1: deadlines.set(300, for: 1)
            case 2: deadlines.set(nil, for: 2)
            default: deadlines.set(500, for: slot)
            }
        }
        #expect(deadlines.next == 300)
        #expect(over(at: 400) == [0, 1])
        #expect(deadlines.next == 500)
    }

    @Test func `the body sets deadlines of other slots, before and behind its own`() {
        deadlines.set(100, for: 5)
        deadlines.set(900, for: 6)
        deadlines.forEachOver(now: 100, end: 64) { _ in
            deadlines.set(nil, for: 5)
            deadlines.set(300, for: 1)
            deadlines.set(250, for: 9)
        }
        #expect(deadlines.next == 250)
        #expect(over(at: 300) == [1, 9])
        #expect(deadlines.next == 900)
    }

    @Test func `what the body does not set anew stays over`() {
        deadlines.set(100, for: 5)
        for _ in 0..<2 {
            var called: [Int] = []
            deadlines.forEachOver(now: 100, end: 64) { called.append($0) }
            #expect(called == [5])
            #expect(deadlines.next == 100)
        }
    }

    @Test func `during a look the next is no later than the first, too`() {
        deadlines.set(100, for: 5)
        deadlines.set(900, for: 6)
        deadlines.set(200, for: 7)
        var isAsked = false
        deadlines.forEachOver(now: 100, end: 64) { slot in
            isAsked = true
            #expect(deadlines.next == 1)
            deadlines.set(nil, for: slot)
            #expect(deadlines.next == 1)
        }
        #expect(isAsked)
        #expect(deadlines.next == 200)
    }

    @Test func `another look makes up for one that is not over`() {
        deadlines.set(100, for: 5)
        deadlines.set(900, for: 6)
        deadlines.set(800, for: 2)
        deadlines.forEachOver(now: 100, end: 64) { _ in
            // Acts like another thread, while this one is stopped.
            #expect(over(at: 100) == [5])
            #expect(deadlines.next == 800)
            deadlines.set(700, for: 3)
            #expect(over(at: 750) == [3])
            #expect(deadlines.next == 800)
            deadlines.set(850, for: 5)
        }
        #expect(deadlines.next == 800)
        #expect(over(at: 900) == [2, 5, 6])
        #expect(deadlines.next == nil)
    }

    @Test func `a look does not end the next one`() {
        let deadlines = deadlines
        let isInside = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let isOver = DispatchSemaphore(value: 0)
        deadlines.set(100, for: 5)
        deadlines.set(900, for: 6)
        deadlines.forEachOver(now: 100, end: 64) { _ in
            // Another thread takes this look, and begins the next.
            Thread.detachNewThread {
                deadlines.forEachOver(now: 100, end: 64) { deadlines.set(nil, for: $0) }
                deadlines.set(200, for: 3)
                deadlines.forEachOver(now: 200, end: 64) { slot in
                    isInside.signal()
                    goOn.wait()
                    deadlines.set(950, for: slot)
                }
                isInside.signal()
                isOver.signal()
            }
            isInside.wait()
        }
        #expect(deadlines.next == 1)
        goOn.signal()
        isOver.wait()
        #expect(deadlines.next == 900)
    }

    @Test func `far deadlines are no exception`() {
        deadlines.set(.max, for: 1)
        #expect(deadlines.next.map { $0 > 1 << 40 } == true)
        #expect(over(at: 1 << 40) == [])
        deadlines.set(1 << 40, for: 2)
        #expect(deadlines.next == 1 << 40)
        #expect(over(at: 1 << 50) == [2])
        #expect(over(at: .max - 1) == [])
        #expect(over(at: .max) == [1])
        #expect(deadlines.next == nil)
    }

    @Test func `deadlines in the same memory are the same, and stay in it`() {
        let size = Deadlines.size(capacity: 8)
        let memory = zeroedMemory(size + 64)
        let behind = UnsafeMutableRawBufferPointer(start: memory + size, count: 64)
        behind.initializeMemory(as: UInt8.self, repeating: 0xa5)
        let one = Deadlines(memory: memory)
        let other = Deadlines(memory: memory)
        for slot in 0..<8 { one.set(100 + slot, for: slot) }
        #expect(other.next == 100)
        other.forEachOver(now: 106, end: 8) { other.set(nil, for: $0) }
        #expect(one.next == 107)
        #expect(behind.allSatisfy { $0 == 0xa5 })
    }

    // MARK: Threads

    @Test func `no deadline is lost while other threads look`() {
        let deadlines = Deadlines(memory: zeroedMemory(Deadlines.size(capacity: 1024)))
        let running = Counters(1)
        running[0] = 2
        let complaints = complaints(ofThreads: 4) { thread in
            // Two threads look, each because of its own slot; each reaches the other's slot last.
            guard thread < 2 else {
                defer { _ = running.add(-1, to: 0) }
                return setDeadlines(of: { 1020 + thread }, deadlines)
            }
            repeat { look(because: thread, end: 1024, deadlines) } while running[0] > 0
            return nil
        }
        #expect(complaints == [])
        var slots: [Int] = []
        deadlines.forEachOver(now: 2000, end: 1024) { slot in
            slots.append(slot)
            deadlines.set(nil, for: slot)
        }
        #expect(slots == [0, 1])
        #expect(deadlines.next == nil)
    }

    @Test func `no deadline is lost of a slot that is taken while other threads look`() {
        let rounds = 20_000
        let deadlines = Deadlines(memory: zeroedMemory(Deadlines.size(capacity: 2 + rounds * 2)))
        let end = Counters(1)
        end[0] = 2
        let running = Counters(1)
        running[0] = 2
        let complaints = complaints(ofThreads: 4) { thread in
            guard thread < 2 else {
                defer { _ = running.add(-1, to: 0) }
                return setDeadlines(of: { end.add(1, to: 0) }, deadlines)
            }
            repeat { look(because: thread, end: end[0], deadlines) } while running[0] > 0
            return nil
        }
        #expect(complaints == [])
    }

    @Test func `threads that look at the same time all find what is over`() {
        let deadlines = deadlines
        let complaints = complaints(ofThreads: 4) { thread in
            for now in 1...5_000 {
                let own = thread * 16 + now % 16
                var calls = 0
                deadlines.set(now, for: own)
                deadlines.forEachOver(now: now, end: 64) { slot in
                    // The other threads set their own deadlines again.
                    guard slot == own else { return }
                    calls += 1
                    deadlines.set(nil, for: own)
                }
                if calls != 1 { return "a slot was called \(calls) times" }
            }
            return nil
        }
        #expect(complaints == [])
        deadlines.set(10_000, for: 1)
        #expect(over(at: 9_999) == [])
        #expect(deadlines.next == 10_000)
    }

    /// The slots whose deadlines are over; afterwards they have none.
    private func over(at now: Int, end: Int = 64) -> [Int] {
        var slots: [Int] = []
        deadlines.forEachOver(now: now, end: end) { slot in
            slots.append(slot)
            deadlines.set(nil, for: slot)
        }
        return slots
    }
}

/// Sets deadlines between 1000 and 2000, and checks that the next one is not later.
private func setDeadlines(of slot: () -> Int, _ deadlines: Deadlines) -> String? {
    for round in 0..<20_000 {
        let slot = slot()
        let deadline = 1000 + round % 900
        deadlines.set(deadline, for: slot)
        for _ in 0..<10 {
            guard let next = deadlines.next else { return "none is the next" }
            if next > deadline { return "the next is \(next), and one is \(deadline)" }
        }
        deadlines.set(nil, for: slot)
    }
    return nil
}

/// Makes a look necessary, and performs it. Afterwards the slot's own deadline is later than all others.
private func look(because slot: Int, end: @autoclosure () -> Int, _ deadlines: Deadlines) {
    deadlines.set(5, for: slot)
    deadlines.forEachOver(now: 10, end: end()) { deadlines.set(2000, for: $0) }
}
