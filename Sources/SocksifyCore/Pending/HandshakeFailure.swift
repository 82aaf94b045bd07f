import CPreload
import Synchronization

/// How a connection has failed, as far as the program does not know it yet.
enum HandshakeFailure {
    /// The error to report.
    case errno(Errno)
    /// The kernel could not connect to the proxy; it has the error itself.
    case ofKernel
    /// The program has learned the error by another call than connect(2), which has to fail once more (ECONNABORTED)
    /// before the socket can connect again.
    case told
}
