import Foundation
import Glibc

/// A UDP socket of this process, such as the test proxy's relays.
///
/// Found through the process's descriptors, because /proc/net/udp may omit sockets while others are closed.
enum OwnDatagramSocket {
    /// The inode of the socket at a port of 127.0.0.1, which differs for a later socket at the port; nil when there is
    /// none.
    static func inode(port: Int) throws -> UInt64? {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            var type: Int32 = 0
            var typeLength = socklen_t(MemoryLayout<Int32>.size)
            var file = stat()
            guard let descriptor = Int32(name),
                getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &typeLength) == 0,
                type == Int32(SOCK_DGRAM.rawValue),
                withUnsafeMutablePointer(
                    to: &address,
                    { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            getsockname(descriptor, $0, &length)
                        }
                    }) == 0,
                address.sin_family == sa_family_t(AF_INET), address.sin_port == UInt16(port).bigEndian,
                address.sin_addr.s_addr == UInt32(0x7f00_0001).bigEndian, fstat(descriptor, &file) == 0
            else { continue }
            return UInt64(file.st_ino)
        }
        return nil
    }
}
