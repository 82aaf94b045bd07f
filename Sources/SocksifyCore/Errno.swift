import CLibC

/// An error number of errno(3).
public struct Errno: Error, Equatable {
    public let code: Int32

    init(_ code: Int32) {
        self.code = code
    }

    /// From a system call's negative result.
    init(result: Int) {
        code = Int32(truncatingIfNeeded: -result)
    }

    static var accessDenied: Errno { Errno(EACCES) }
    static var again: Errno { Errno(EAGAIN) }
    static var alreadyInProgress: Errno { Errno(EALREADY) }
    static var connectionRefused: Errno { Errno(ECONNREFUSED) }
    static var connectionReset: Errno { Errno(ECONNRESET) }
    static var brokenPipe: Errno { Errno(EPIPE) }
    static var hostUnreachable: Errno { Errno(EHOSTUNREACH) }
    static var inProgress: Errno { Errno(EINPROGRESS) }
    static var interrupted: Errno { Errno(EINTR) }
    static var networkUnreachable: Errno { Errno(ENETUNREACH) }
    static var timedOut: Errno { Errno(ETIMEDOUT) }
}
