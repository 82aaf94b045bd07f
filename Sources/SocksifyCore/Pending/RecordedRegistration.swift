import CPreload
import SharedTables
import Synchronization

/// What the program asked of an epoll about a pending socket.
struct RecordedRegistration {
    var epoll: Int32 = -1
    /// The process that has registered it; 0: one that told of it.
    var process: Int32 = 0
    var asked = EpollRegistration(target: -1, events: 0, data: 0)

    /// Whether this process has registered it.
    var isOwn: Bool { process == process_own_id() }
}
