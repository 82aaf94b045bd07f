import Addressing
import CKernel

/// Conversion from and to `sockaddr_in` and `sockaddr_in6`. Programs may pass any alignment and any length.
extension SocketAddress {
    /// Reads an address of either family; nil for other families, and for a length that is too short for the family or
    /// that the kernel refuses as too long.
    init?(_ address: UnsafePointer<sockaddr>?, length: socklen_t) {
        guard let address, length >= 16, length <= MemoryLayout<sockaddr_storage>.size else { return nil }
        let bytes = UnsafeRawPointer(address)
        let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let value = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            self.init(address: .v4(IPv4Address(value)), port: port)
        case AF_INET6:
            // The kernel also accepts the form without a scope (RFC 2133).
            guard length >= 24 else { return nil }
            let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            self.init(
                address: .v6(IPv6Address(high: high, low: low)), port: port,
                flowInfo: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                scopeID: length >= 28 ? bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self) : 0)
        default:
            return nil
        }
    }

    /// Writes the address as the sockaddr of its family, truncated to the buffer, as getpeername(2) does.
    ///
    /// - Returns: the length of the whole sockaddr, 16 or 28.
    @discardableResult
    public func write(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        var form = InlineArray<28, UInt8>(repeating: 0)
        let length: Int
        form[2] = UInt8(truncatingIfNeeded: port >> 8)
        form[3] = UInt8(truncatingIfNeeded: port)
        switch address {
        case .v4(let address):
            length = 16
            put(UInt16(AF_INET), at: 0, of: &form)
            let octets = address.octets
            for index in octets.indices { form[4 + index] = octets[index] }
        case .v6(let address):
            length = 28
            put(UInt16(AF_INET6), at: 0, of: &form)
            put(UInt16(truncatingIfNeeded: flowInfo), at: 4, of: &form)
            put(UInt16(truncatingIfNeeded: flowInfo >> 16), at: 6, of: &form)
            let octets = address.octets
            for index in octets.indices { form[8 + index] = octets[index] }
            put(UInt16(truncatingIfNeeded: scopeID), at: 24, of: &form)
            put(UInt16(truncatingIfNeeded: scopeID >> 16), at: 26, of: &form)
        }
        for index in 0..<min(length, buffer.count) { buffer[index] = form[index] }
        return length
    }

    /// Writes a number in the machine's byte order, which is little-endian wherever the library runs.
    private func put(_ number: UInt16, at offset: Int, of form: inout InlineArray<28, UInt8>) {
        form[offset] = UInt8(truncatingIfNeeded: number)
        form[offset + 1] = UInt8(truncatingIfNeeded: number >> 8)
    }

    /// The unspecified address with port 0: `::` for AF_INET6, 0.0.0.0 for any other family.
    static func unspecified(_ domain: Int32) -> SocketAddress {
        SocketAddress(
            address: domain == AF_INET6 ? .v6(IPv6Address(high: 0, low: 0)) : .v4(IPv4Address(0)), port: 0)
    }

    /// Whether it is an IPv4 address, mapped or not.
    var isIPv4: Bool {
        if case .v4 = address.unmapped { return true }
        return false
    }

    /// The same address in the family of `other`; nil for an IPv6 address in the IPv4 family.
    func inFamily(of other: SocketAddress) -> SocketAddress? {
        switch (address.unmapped, other.address) {
        case (.v4, .v4): return SocketAddress(address: address.unmapped, port: port)
        case (.v4(let address), .v6): return SocketAddress(address: .v6(IPv6Address(mapping: address)), port: port)
        case (.v6, .v6): return self
        case (.v6, .v4): return nil
        }
    }
}

extension SocketAddress {
    /// AF_INET or AF_INET6.
    var domain: Int32 {
        switch address {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }
}
