import CPreload
import Synchronization

/// In which calls a handshake goes on.
enum Attendance {
    /// In that of connect(2) which waits for it; or it is over.
    case call
    /// In all that wait.
    case anyCall
    /// In those on the epolls that watch it; and in all others, as nobody may wait on these.
    case epolls
}
