import CPreload
import SharedTables

// MARK: Sockets that are about to connect

/// What the program's epolls watched of a socket whose place another takes. The kernel knows a registration by the number
/// and by what that stands for: it has to go before that changes.
struct TakenRegistrations {
    private var registrations = InlineArray<8, RecordedRegistration>(repeating: RecordedRegistration())
    private var count = 0

    init(of socket: Socket, _ connections: UnsafePointer<Connections>) {
        guard descriptor_mark(socket.descriptor) & UInt32(DESCRIPTOR_WATCHED | DESCRIPTOR_DUPLICATED) != 0
        else { return }
        var (found, end) = (registrations, 0)
        EpollInventory(connections).forEachRegistration(of: socket) { asked, epoll in
            guard end < found.count else { return }
            found[end] = RecordedRegistration(epoll: epoll, asked: asked)
            end += 1
        }
        for index in 0..<end {
            let (epoll, asked) = (found[index].epoll, found[index].asked)
            guard kernel_epoll_ctl(epoll, EPOLL_CTL_DEL, asked.target, 0, 0) == 0 else { continue }
            registrations[count] = found[index]
            count += 1
        }
    }

    /// Has the program's epolls watch the socket that stands there now.
    ///
    /// - Parameter pending: the socket's handshake, until the end of which they tell nothing.
    func restore(by pending: PendingHandle) {
        for index in 0..<count {
            let (epoll, asked) = (registrations[index].epoll, registrations[index].asked)
            _ = pending.control(epoll, EPOLL_CTL_ADD, asked.target, events: asked.events, data: asked.data)
        }
    }

    func restore() {
        for index in 0..<count {
            let (epoll, asked) = (registrations[index].epoll, registrations[index].asked)
            _ = kernel_epoll_ctl(epoll, EPOLL_CTL_ADD, asked.target, asked.events, asked.data)
        }
    }
}
