import Dispatch
import Foundation
import Synchronization

/// Zero-filled memory that is left to the process: a test's table may outlive the test.
func zeroedMemory(_ size: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    return memory
}

/// Runs `body` in that many threads, which begin together, and waits for them. Returns their complaints.
func complaints(ofThreads count: Int, _ body: @escaping @Sendable (_ thread: Int) -> String?) -> [String] {
    let complaints = Complaints()
    let running = DispatchGroup()
    let begun = Counters(1)
    for thread in 0..<count {
        running.enter()
        Thread.detachNewThread {
            _ = begun.add(1, to: 0)
            while begun[0] < count { sched_yield() }
            if let complaint = body(thread) { complaints.list.withLock { $0.append(complaint) } }
            running.leave()
        }
    }
    running.wait()
    return complaints.list.withLock { $0 }
}

private final class Complaints: Sendable {
    let list = Mutex<[String]>([])
}

/// Counters that threads share.
final class Counters: Sendable {
    private let memory: Memory

    private struct Memory: @unchecked Sendable {
        let words: UnsafeMutablePointer<Atomic<Int>>
    }

    init(_ count: Int) {
        memory = Memory(words: zeroedMemory(count * 8).assumingMemoryBound(to: Atomic<Int>.self))
    }

    subscript(index: Int) -> Int {
        get { memory.words[index].load(ordering: .sequentiallyConsistent) }
        set { memory.words[index].store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Adds to a counter, and returns its former value.
    func add(_ value: Int, to index: Int) -> Int {
        memory.words[index].wrappingAdd(value, ordering: .sequentiallyConsistent).oldValue
    }

    /// Stores `value`, and returns the former value.
    func exchange(_ index: Int, _ value: Int) -> Int {
        memory.words[index].exchange(value, ordering: .sequentiallyConsistent)
    }
}
