import CPreload
import Synchronization

/// The calls that advance a connection.
enum Attendance {
    /// The connect(2) that waits for it; or it has ended.
    case call
    /// All waiting calls.
    case anyCall
    /// Those on the epolls that watch it; and all others, as no thread may be waiting on these epolls.
    case epolls
}
