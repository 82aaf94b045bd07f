import NIOCore

#if canImport(Glibc)
import Glibc
#endif

/// A reserved TCP port at which nobody listens.
///
/// Another process can bind a port that was free a moment ago. This type reserves one with a socket that is bound and
/// does not listen. A server with SO_REUSEADDR, as the servers here have, can still listen at it; when it stops, the
/// port is closed again.
public final class ClosedPort: Sendable {
    private let descriptor: CInt
    public let port: Int

    /// Takes the port of an address; 0 takes any that is free.
    init(at address: SocketAddress) throws {
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        descriptor = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        var reuses: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuses, socklen_t(MemoryLayout<CInt>.size))
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                address.withSockAddr { bind(descriptor, $0, socklen_t($1)) } == 0
                    ? getsockname(descriptor, name, &length) : -1
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw IOError(errnoCode: code, reason: "bind to \(address)")
        }
        // The port has the same offset in the addresses of both families.
        self.port = withUnsafeBytes(of: name) { Int($0[2]) << 8 | Int($0[3]) }
    }

    deinit { close(descriptor) }

    /// Runs `body` with a port of a numeric address, which is closed until it ends.
    public static func during<Result>(
        host: String = "127.0.0.1", _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let closed = try ClosedPort(at: SocketAddress(ipAddress: host, port: 0))
        defer { withExtendedLifetime(closed) {} }
        return try await body(closed.port)
    }
}
