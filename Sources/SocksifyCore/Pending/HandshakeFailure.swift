import CPreload
import Synchronization

/// How a handshake has failed, of which the program may have yet to learn.
enum HandshakeFailure {
    /// The error to tell.
    case errno(Errno)
    /// The kernel could not connect to the proxy; it has the error itself.
    case ofKernel
    /// The program has learned the error otherwise than by connect(2), which is to fail once more (ECONNABORTED) before
    /// the socket can connect anew.
    case told
}
