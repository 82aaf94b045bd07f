import CPreload
import SharedTables

/// The program's connections of which connect(2) has returned without having waited. The kernel would go on with them
/// by itself; here they go on in every call by which the program waits, whatever it waits for.
public enum Unattended {
    /// Slots that are looked at in one call: where there are thousands of connections, the program waits for most of
    /// them, and a call that waits for something else is not to take longer with each.
    private static var most: Int { 512 }

    /// Epolls that tell of connections which they watch, so that these need not be looked at.
    public enum Epolls {
        case none
        case one(Int32)
        case all

        /// As CInterpose.h says it.
        public init(_ number: Int32) {
            self = number >= 0 ? .one(number) : number == -1 ? .none : .all
        }
    }

    /// Fills in what they wait for; returns how many were.
    ///
    /// - Parameter epolls: connections that these watch are left out.
    static func fill(
        _ descriptors: UnsafeMutableBufferPointer<pollfd>, besides epolls: Epolls,
        _ connections: UnsafePointer<Connections>
    ) -> Int {
        var count = 0
        forEach(connections, besides: epolls) { pending in
            guard count < descriptors.count else { return false }
            guard pending.hasSocket, pending.standing == .underWay else { return true }
            descriptors[count] = pollfd(fd: pending.socket.descriptor, events: pending.readiness.events, revents: 0)
            count += 1
            return true
        }
        return count
    }

    /// Goes on with them as far as they can without waiting.
    @inline(never)
    static func step(_ connections: UnsafePointer<Connections>) {
        forEach(connections, besides: .none) { pending in
            pending.step()
            return true
        }
    }

    /// Calls `body` with one after the other, until it gives false; each call begins behind the one where the last did.
    private static func forEach(
        _ connections: UnsafePointer<Connections>, besides epolls: Epolls, _ body: (inout PendingHandle) -> Bool
    ) {
        let table = connections.pointee.pendingTable
        let end = table.slots.end
        guard end > 0, unattended_any() != 0 else { return }
        let first = Int(truncatingIfNeeded: unattended_next(UInt64((end + most - 1) / most))) * most
        for number in 0..<min(end, most) {
            let slot = (first + number) % end
            let attendance = table.attendance(slot)
            if case .call = attendance { continue }
            if case .epolls = attendance, case .all = epolls { continue }
            guard var pending = PendingHandle.at(slot, connections) else { continue }
            var goesOn = true
            if case .one(let epoll) = epolls, pending.isRegistered(with: epoll) {} else { goesOn = body(&pending) }
            pending.leave()
            if !goesOn { return }
        }
    }
}
