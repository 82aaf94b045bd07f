import Addressing
import Foundation
import Testing

@testable import SocksifyCore

@Suite struct SocketAddressTests {
    private let v4: [UInt8] = [2, 0, 0x01, 0xbb, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    private let v6: [UInt8] =
        [10, 0, 0x00, 0x35, 1, 2, 3, 4] + [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] + [5, 0, 0, 0]

    /// Reads it from an address that is not aligned.
    private func read(_ form: [UInt8], length: Int? = nil) -> SocketAddress? {
        ([0] + form + [UInt8](repeating: 0, count: 128)).withUnsafeBytes { bytes in
            SocketAddress(
                (bytes.baseAddress! + 1).assumingMemoryBound(to: sockaddr.self), length: socklen_t(length ?? form.count)
            )
        }
    }

    private func written(_ address: SocketAddress, room: Int = 40) -> (bytes: [UInt8], length: Int) {
        var bytes = [UInt8](repeating: 0xee, count: room)
        let length = bytes.withUnsafeMutableBytes { address.write(to: $0) }
        return (bytes, length)
    }

    @Test func `either family is read at any alignment`() {
        #expect(read(v4) == SocketAddress(address: address("192.0.2.1"), port: 443))
        #expect(
            read(v6)
                == SocketAddress(address: address("2001:db8::9"), port: 53, flowInfo: 0x0403_0201, scopeID: 5))
    }

    @Test func `a length that the kernel would refuse is refused`() {
        #expect(read(v4, length: 15) == nil)
        #expect(read(v4, length: 128) != nil)
        #expect(read(v4, length: 129) == nil)
        #expect(read(v6, length: 23) == nil)
        // Without the scope.
        #expect(read(v6, length: 24)?.scopeID == 0)
        #expect(read(v6, length: 27)?.scopeID == 0)
        #expect(read([1, 0] + v4.dropFirst(2)) == nil)
        #expect(SocketAddress(nil, length: 16) == nil)
    }

    @Test func `what is read is written the same`() throws {
        for form in [v4, v6] {
            let (bytes, length) = written(try #require(read(form)))
            #expect(length == form.count)
            #expect(Array(bytes.prefix(length)) == form)
            #expect(bytes.dropFirst(length).allSatisfy { $0 == 0xee })
        }
    }

    @Test func `it is written as far as there is room`() throws {
        let (bytes, length) = written(try #require(read(v6)), room: 5)
        #expect(length == 28)
        #expect(bytes == Array(v6.prefix(5)))
        #expect(written(try #require(read(v4)), room: 0).length == 16)
    }

    @Test func `an address takes the form of a socket's family, where it has one`() {
        let (v4, v6) = (SocketAddress.unspecified(AF_INET), SocketAddress.unspecified(AF_INET6))
        func of(_ text: String) -> SocketAddress { SocketAddress(address: address(text), port: 7) }
        #expect(of("192.0.2.1").inFamily(of: v4) == of("192.0.2.1"))
        #expect(of("192.0.2.1").inFamily(of: v6) == of("::ffff:192.0.2.1"))
        #expect(of("::ffff:192.0.2.1").inFamily(of: v4) == of("192.0.2.1"))
        #expect(of("2001:db8::1").inFamily(of: v6) == of("2001:db8::1"))
        #expect(of("2001:db8::1").inFamily(of: v4) == nil)
    }
}
