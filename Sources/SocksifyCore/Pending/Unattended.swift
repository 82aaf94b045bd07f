import CPreload
import SharedTables

/// The program's connections after a non-blocking connect(2). The kernel would advance them by itself; here every
/// waiting call advances them, whatever it waits for.
public enum Unattended {
    /// The most slots that one call looks at: with thousands of connections the program waits for most of them, and a
    /// call that waits for something else must not get slower with each.
    private static var most: Int { 512 }

    /// Epolls that report the connections which they watch: these need no look.
    public enum Epolls {
        case none
        case one(Int32)
        case all

        /// From the number in CInterpose.h.
        public init(_ number: Int32) {
            self = number >= 0 ? .one(number) : number == -1 ? .none : .all
        }
    }

    /// Fills in what they wait for; returns their number.
    ///
    /// - Parameter epolls: connections that these watch are omitted.
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

    /// Steps them as far as they can without waiting.
    @inline(never)
    static func step(_ connections: UnsafePointer<Connections>) {
        forEach(connections, besides: .none) { pending in
            pending.step()
            return true
        }
    }

    /// Calls `body` for one after the other until it returns false; each call continues where the last one ended.
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
