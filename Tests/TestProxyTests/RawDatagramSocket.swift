import Glibc

/// A blocking UDP socket of a test at 127.0.0.1, or at another address of this machine.
final class RawDatagramSocket {
    private let descriptor: CInt
    let port: Int

    /// `address` is the IPv4 address as a number.
    init(address: UInt32 = 0x7f00_0001) throws {
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        TimedOut.limitCalls(on: descriptor)
        var room: CInt = 8 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<CInt>.size))
        var name = Self.name(address, 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw RawClient.Failure(code: errno) }
        port = Int(UInt16(bigEndian: name.sin_port))
    }

    deinit { close(descriptor) }

    /// Sends a datagram to a port of 127.0.0.1.
    func send(_ bytes: [UInt8], to port: Int) throws {
        var name = Self.name(0x7f00_0001, port)
        let sent = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == bytes.count else { throw RawClient.Failure(code: errno) }
    }

    /// The next datagram, and the port that it comes from.
    func receive() throws -> (bytes: [UInt8], port: Int) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else {
            throw errno == EAGAIN ? TimedOut(awaited: "a datagram at port \(port)") : RawClient.Failure(code: errno)
        }
        return (Array(buffer[..<count]), Int(UInt16(bigEndian: name.sin_port)))
    }

    private static func name(_ address: UInt32, _ port: Int) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = address.bigEndian
        return name
    }
}
