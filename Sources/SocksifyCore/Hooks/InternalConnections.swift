import CPreload

/// What goes on beside the calls of the program, on descriptors of the library's own.
public enum InternalConnections {
    /// Fills in what the internal connections of this process wait for; returns how many there are.
    public static func fill(_ descriptors: UnsafeMutableBufferPointer<pollfd>) -> Int {
        guard let runtime = Runtime.existing else { return 0 }
        var count = 0
        runtime.pointee.pendingTable.forEachInternal(runtime.pointee.connections) { pending in
            guard count < descriptors.count, pending.hasSocket, !pending.isLingering else { return }
            descriptors[count] = pollfd(fd: pending.socket.descriptor, events: pending.readiness.events, revents: 0)
            count += 1
        }
        return count
    }

    /// Has an epoll tell of them. Returns milliseconds after which to look at those that it does not tell of, which are
    /// looked at now, too; nil when there are none of these.
    public static func watch(by epoll: Int32) -> Int? {
        guard let runtime = Runtime.existing else { return nil }
        var isComplete = true
        runtime.pointee.pendingTable.forEachInternal(runtime.pointee.connections) { pending in
            if pending.isLingering || pending.watch(by: epoll) { return }
            isComplete = false
            pending.step()
        }
        return isComplete ? nil : interval
    }

    private static var interval: Int { 5 }

    /// The program ends: what it has sent last is not to be lost by that. Natively it would be on its way.
    public static func settle() {
        guard let runtime = Runtime.existing, process_is_own() != 0 else { return }
        let end = Clock.now + longestSettling
        while Clock.now < end, isLingering(runtime) || runtime.pointee.relayed.isAnySendFresh() {
            guard interruptible_sleep(1_000_000) else { return }
            runtime.pointee.pendingTable.stepInternal(runtime.pointee.connections)
            _ = Readiness.inspect()
        }
    }

    /// An association that a datagram waits for may take so long; milliseconds.
    private static var longestSettling: Int { 2000 }

    private static func isLingering(_ runtime: UnsafePointer<Runtime>) -> Bool {
        var isLingering = false
        runtime.pointee.pendingTable.forEachInternal(runtime.pointee.connections) {
            if $0.isLingering { isLingering = true }
        }
        return isLingering
    }
}

extension Unattended {
    /// Fills in what they wait for; returns how many were.
    ///
    /// - Parameter epolls: connections that these watch are left out.
    public static func fill(_ descriptors: UnsafeMutableBufferPointer<pollfd>, besides epolls: Epolls) -> Int {
        guard let runtime = Runtime.existing else { return 0 }
        return fill(descriptors, besides: epolls, runtime.pointee.connections)
    }
}
