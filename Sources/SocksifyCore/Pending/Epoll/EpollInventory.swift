import Addressing
import CPreload
import SharedTables

/// The registrations of the program's epolls: as they were seen, or from /proc/self/fdinfo, which is exact, and slow
/// for an epoll with thousands.
struct EpollInventory {
    private let connections: UnsafePointer<Connections>

    init(_ connections: UnsafePointer<Connections>) {
        self.connections = connections
    }

    /// Takes over the registrations of a socket that is about to connect.
    func adoptRegistrations(of pending: PendingHandle) {
        forEachRegistration(of: pending.socket) { pending.adopt($0, by: $1) }
    }

    /// Calls `body` with each registration of a socket, and its epoll.
    func forEachRegistration(of socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        let descriptor = socket.descriptor
        var seen = InlineArray<3, watched_registration>(repeating: watched_registration())
        let count = withUnsafeMutableBytes(of: &seen) { bytes in
            let found = bytes.bindMemory(to: watched_registration.self)
            return found.baseAddress.map { watched_registrations(descriptor, $0) } ?? -1
        }
        guard count >= 0, descriptor_mark(descriptor) & UInt32(DESCRIPTOR_DUPLICATED) == 0 else {
            return askEveryEpoll(for: socket, body)
        }
        for index in 0..<min(Int(count), seen.count) {
            let found = seen[index]
            if found.events & EpollEvents.oneShot != 0 {
                // Only the kernel knows whether it is used up.
                ask(found.epoll, for: socket, body)
            } else {
                body(
                    EpollRegistration(target: descriptor, events: found.events, data: found.data), found.epoll)
            }
        }
    }

    private func askEveryEpoll(for socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        for descriptor in 0..<descriptor_end()
        where descriptor_mark(descriptor) & UInt32(DESCRIPTOR_EPOLL) != 0 {
            ask(descriptor, for: socket, body)
        }
    }

    private func ask(_ epoll: Int32, for socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        let cookie = socket.cookie
        forEachRegistration(with: epoll) { registration in
            guard registration.target == socket.descriptor || Socket(descriptor: registration.target).cookie == cookie
            else { return }
            body(registration, epoll)
        }
    }

    /// Takes over an epoll's registrations of pending sockets that may not have been seen.
    func audit(_ epoll: Int32) {
        let table = connections.pointee.pendingTable
        guard table.audits.isDue(epoll) else { return }
        forEachRegistration(with: epoll) { registration in
            guard table.marker.slot(of: registration.data) == nil,
                case .entered(let pending) = PendingHandle.of(registration.target, connections)
            else { return }
            if pending.standing == .underWay { pending.adopt(registration, by: epoll) }
            pending.leave()
        }
    }

    /// Notes all registrations of an epoll that came from another program.
    func note(_ epoll: Int32) {
        guard process_is_confined() == 0 else { return }
        let marker = connections.pointee.pendingTable.marker
        forEachRegistration(with: epoll) { registration in
            guard marker.slot(of: registration.data) == nil else { return }
            watched_note(registration.target, epoll, registration.events, registration.data)
        }
        descriptor_set_mark(epoll, UInt32(DESCRIPTOR_NOTED_EPOLL))
    }

    private func forEachRegistration(with epoll: Int32, _ body: (EpollRegistration) -> Void) {
        guard var list = RegistrationList(of: epoll) else { return }
        defer { list.close() }
        while let registration = list.next() { body(registration) }
    }
}
