import Addressing
import CKernel

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

    /// The possible error numbers (MAX_ERRNO of the kernel).
    static var words: ClosedRange<UInt32> { 1...4095 }

    /// Whether connect(2) returns it if there is no reachable stream socket at a path (unix(7)).
    var isOfPath: Bool {
        switch code {
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENOTSOCK, EPROTOTYPE, EACCES, EAGAIN: true
        default: false
        }
    }

    /// Whether it is a temporary shortage of descriptors or memory.
    var isShortage: Bool {
        switch code {
        case EMFILE, ENFILE, ENOMEM, ENOBUFS: true
        default: false
        }
    }

    /// Writes its meaning for a log line; for an uncommon error of connections, the number.
    func write(to sink: inout some ByteSink) {
        switch self {
        case .connectionRefused: sink.append("connection refused; is the proxy running?")
        case .accessDenied: sink.append("permission denied")
        case .connectionReset: sink.append("connection reset")
        case .hostUnreachable: sink.append("no route to host")
        case Errno(ENOENT): sink.append("no such file or directory")
        case Errno(ELOOP): sink.append("too many symbolic links")
        case Errno(EIO): sink.append("input/output error")
        case .networkUnreachable: sink.append("network is unreachable")
        case .timedOut: sink.append("timed out")
        case .again: sink.append("too many connections wait for it")
        default:
            sink.append("error ")
            sink.append(decimal: code)
        }
    }

    static var aborted: Errno { Errno(ECONNABORTED) }
    static var accessDenied: Errno { Errno(EACCES) }
    static var addressNotAvailable: Errno { Errno(EADDRNOTAVAIL) }
    static var again: Errno { Errno(EAGAIN) }
    static var alreadyInProgress: Errno { Errno(EALREADY) }
    static var connectionRefused: Errno { Errno(ECONNREFUSED) }
    static var connectionReset: Errno { Errno(ECONNRESET) }
    static var brokenPipe: Errno { Errno(EPIPE) }
    static var hostUnreachable: Errno { Errno(EHOSTUNREACH) }
    static var inProgress: Errno { Errno(EINPROGRESS) }
    static var interrupted: Errno { Errno(EINTR) }
    static var invalidArgument: Errno { Errno(EINVAL) }
    static var isConnected: Errno { Errno(EISCONN) }
    static var notPermitted: Errno { Errno(EPERM) }
    static var outOfMemory: Errno { Errno(ENOMEM) }
    static var outOfBuffers: Errno { Errno(ENOBUFS) }
    static var networkUnreachable: Errno { Errno(ENETUNREACH) }
    static var timedOut: Errno { Errno(ETIMEDOUT) }
}
