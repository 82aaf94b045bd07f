import Addressing
import Foundation
import Testing

@testable import SocksifyCore

@Suite struct ProxyAddressTests {
    private func form(_ address: ProxyAddress?) -> [UInt8]? {
        guard let address else { return nil }
        var form: [UInt8] = []
        _ = address.withForm { bytes, length in
            form = Array(UnsafeRawBufferPointer(start: bytes, count: Int(length)))
            return 0
        }
        return form
    }

    private let dual = SocketFamily(domain: AF_INET6, isIPv6Only: false)
    private let v6Only = SocketFamily(domain: AF_INET6, isIPv6Only: true)

    @Test func `a path stands behind the family, with its zero`() {
        let slot = ProxyLocation.unixSocket(Array("/s".utf8))
        #expect(form(slot.address(for: .own)) == [1, 0, 0x2f, 0x73, 0])
        #expect(slot.address(for: dual)?.isPath == true)
        #expect(form(ProxyLocation.unixSocket(Array(repeating: 0x2f, count: 107)).address(for: .own))?.count == 110)
        #expect(ProxyLocation.unixSocket(Array(repeating: 0x2f, count: 108)).address(for: .own) == nil)
        #expect(ProxyAddress(slot, on: AF_INET) == nil)
    }

    @Test func `an address takes the family's form, or that of a socket that has one`() {
        let v4 = ProxyLocation.internet(address("192.0.2.1"), port: 1080)
        let v6 = ProxyLocation.internet(address("2001:db8::1"), port: 1080)
        #expect(v4.address(for: .own)?.domain == AF_INET)
        #expect(v4.address(for: dual)?.domain == AF_INET6)
        #expect(v4.address(for: v6Only)?.domain == AF_INET)
        #expect(v6.address(for: .own)?.domain == AF_INET6)
        #expect(v6.address(for: v6Only)?.domain == AF_INET6)
        #expect(form(v4.address(for: .own)) == [2, 0, 4, 0x38, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(ProxyAddress(v6, on: AF_INET) == nil)
        #expect(ProxyAddress(v4, on: AF_UNIX) == nil)
    }
}
