import CPreload
import SharedTables

// MARK: Sockets that are about to connect

/// The epoll registrations of a socket whose descriptors a substitute takes. The kernel finds a registration by number
/// and file: it has to be removed before the file changes.
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

    /// Registers the substitute with the program's epolls.
    ///
    /// - Parameter pending: the socket's connection, until whose end the epolls report nothing.
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
