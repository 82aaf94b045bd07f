import Addressing
import CKernel
import SharedTables

/// poll(2), select(2) and epoll(7): a pending socket shows no events, and its own events advance it.
public enum Readiness {
    /// The events to poll for instead of the program's; 0 if the socket is not pending, or has failed.
    public static func interest(of descriptor: Int32) -> Int16 {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return 0 }
        defer { pending.leave() }
        guard pending.standing == .underWay else { return 0 }
        pending.isWatched()
        return pending.readiness.events
    }

    /// Advances a socket for which poll(2) returned `events`. False if it is not pending any more.
    public static func advance(_ descriptor: Int32, events: Int16) -> Bool {
        guard let runtime = Runtime.existing,
            case .entered(var pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return false }
        defer { pending.leave() }
        return pending.step(events: events) == .underWay
    }

    /// Advances the socket of a marked event and returns true; false for an event of the program's.
    public static func take(eventData data: UInt64, events: UInt32) -> Bool {
        guard let runtime = Runtime.existing, let slot = runtime.pointee.pendingTable.marker.slot(of: data)
        else { return false }
        if var pending = PendingHandle.at(slot, runtime.pointee.connections) {
            // The events that poll(2) has too, with the same numbers.
            pending.step(events: Int16(truncatingIfNeeded: events & 0x1f))
            pending.leave()
        }
        return true
    }

    /// Fails the connections whose deadline is over. Returns the milliseconds until the next deadline; nil without one.
    public static func inspect() -> Int? {
        guard let runtime = Runtime.existing else { return nil }
        let table = runtime.pointee.pendingTable
        guard table.deadlines.next != nil else {
            table.correctCount()
            return nil
        }
        let now = Clock.now
        table.deadlines.forEachOver(now: now, end: table.slots.end) { slot in
            guard var pending = PendingHandle.at(slot, runtime.pointee.connections) else {
                // Another thread has it, and may set another deadline.
                if table.slots.cookie(of: slot) != 0 { table.deadlines.set(now + 1, for: slot) }
                return
            }
            pending.inspect(now: now)
            pending.leave()
        }
        return table.deadlines.next.map { max($0 - now, 0) }
    }

    /// Before a wait on an epoll: makes sure that all its registrations are known.
    public static func audit(epoll: Int32) {
        guard let runtime = Runtime.existing else { return }
        EpollInventory(runtime.pointee.connections).audit(epoll)
    }

    /// Before a wait on an epoll with unknown registrations, while datagrams are relayed.
    public static func note(epoll: Int32) {
        guard let runtime = Runtime.existing else { return }
        EpollInventory(runtime.pointee.connections).note(epoll)
    }

    /// epoll_ctl(2) on a socket that may be pending.
    public static func control(
        _ epoll: Int32, _ operation: Int32, _ descriptor: Int32, events: UInt32, data: UInt64
    ) -> HookResult {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return .pass }
        defer { pending.leave() }
        guard pending.standing == .underWay else { return .pass }
        if let error = pending.control(epoll, operation, descriptor, events: events, data: data) {
            return .failed(error)
        }
        return .succeeded
    }

    /// Takes over a registration that was made just when the socket began to connect.
    public static func adopt(_ epoll: Int32, _ descriptor: Int32, events: UInt32, data: UInt64) {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return }
        if pending.standing == .underWay {
            pending.adopt(EpollRegistration(target: descriptor, events: events, data: data), by: epoll)
        }
        pending.leave()
    }
}
