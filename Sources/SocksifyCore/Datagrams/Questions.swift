import CPreload
import Synchronization

/// The questions to the DNS that have come as datagrams and are put through the proxies. Each is a connection: so many are
/// under way at a time that a program which asks much keeps its descriptors, and the others wait for their turn.
///
/// Written by every thread of the process, without a lock: each word is taken and given back atomically.
struct Questions {
    private let underWay: UnsafeMutablePointer<Atomic<UInt64>>
    /// How many have ended, or have begun to wait.
    private let changes: UnsafeMutablePointer<Atomic<UInt64>>
    /// The thread that starts those that wait (process_owner); 0: none does.
    private let starter: UnsafeMutablePointer<Atomic<UInt64>>
    /// Where the next one is looked for, and where the next one waits.
    private let first: UnsafeMutablePointer<Atomic<UInt64>>
    private let last: UnsafeMutablePointer<Atomic<UInt64>>
    private let slots: UnsafeMutablePointer<UInt64>

    private static var slotCount: Int { Int(QUESTION_WORDS) - 5 }
    /// As many as poll(2) waits for beside the program's own descriptors.
    private static var mostUnderWay: Int { 64 }

    /// Those of this process.
    init() {
        let words = process_question_words()
        underWay = atomic(words)
        changes = atomic(words + 1)
        starter = atomic(words + 2)
        first = atomic(words + 3)
        last = atomic(words + 4)
        slots = words + 5
    }

    /// Whether one more can be under way, which it is then. A small part of the descriptors is enough for that.
    @inline(never)
    func begin() -> Bool {
        let most = UInt64(max(1, min(Questions.mostUnderWay, Int(kernel_descriptor_limit()) / 8)))
        guard underWay.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue < most else {
            underWay.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            return false
        }
        return true
    }

    /// One that has begun has ended.
    @inline(never)
    func end() {
        underWay.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        changes.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }

    /// Has a question wait; false where too many do.
    @inline(never)
    func add(_ transaction: DNSTransaction) -> Bool {
        let start = last.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
        for index in 0..<Questions.slotCount {
            let isTaken = slot(start, index).pointee.compareExchange(
                expected: 0, desired: transaction.address, ordering: .sequentiallyConsistent
            ).exchanged
            guard isTaken else { continue }
            changes.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
            return true
        }
        return false
    }

    /// The one that has waited longest, unless threads interfere; nil if there is none.
    @inline(never)
    private func take() -> DNSTransaction? {
        let start = first.pointee.load(ordering: .relaxed)
        for index in 0..<Questions.slotCount {
            let address = slot(start, index).pointee.exchange(0, ordering: .sequentiallyConsistent)
            guard let transaction = DNSTransaction(at: address) else { continue }
            first.pointee.store(start &+ UInt64(index) &+ 1, ordering: .relaxed)
            return transaction
        }
        return nil
    }

    private func slot(_ start: UInt64, _ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        atomic(slots + Int((start &+ UInt64(index)) % UInt64(Questions.slotCount)))
    }

    /// Starts those that wait, as many as can be under way. One thread does it at a time. Another one that comes to it
    /// meanwhile leaves it to that thread, and so does a question that was started here and has ended at once.
    ///
    /// - Parameter start: says whether it is under way now, in which case its end is told by `end`.
    @inline(never)
    func startWaiting(_ start: (DNSTransaction) -> Bool) {
        while true {
            let seen = changes.pointee.load(ordering: .sequentiallyConsistent)
            guard becomeStarter() else { return }
            while begin() {
                guard let transaction = take() else {
                    underWay.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                    break
                }
                if !start(transaction) { underWay.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
            }
            starter.pointee.store(0, ordering: .sequentiallyConsistent)
            if changes.pointee.load(ordering: .sequentiallyConsistent) == seen { return }
        }
    }

    private func becomeStarter() -> Bool {
        let own = process_owner()
        let (exchanged, other) = starter.pointee.compareExchange(
            expected: 0, desired: own, ordering: .sequentiallyConsistent)
        guard !exchanged, other != own, process_owner_is_gone(other) != 0 else { return exchanged }
        return starter.pointee.compareExchange(expected: other, desired: own, ordering: .sequentiallyConsistent)
            .exchanged
    }
}
