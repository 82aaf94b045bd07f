import Addressing
import Glibc

/// The address of a proxy that is given by name, from the resolver of this machine.
///
/// An IPv4 address where there is one: sockets of either family can be connected to it, those of AF_INET6 by
/// its mapped form, whereas an AF_INET socket cannot be connected to an IPv6 address.
public func resolveProxy(_ name: HostName) -> Result<IPAddress, Failure> {
    var bytes: [UInt8] = []
    name.write(to: &bytes)
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let status = bytes.withCString { getaddrinfo($0, nil, &hints, &list) }
    guard status == 0 else {
        let reason = status == EAI_SYSTEM ? describe(errno) : String(cString: gai_strerror(status))
        return .failure(.own("the proxy \(bytes.shown) has no address: \(reason)"))
    }
    defer { freeaddrinfo(list) }
    var addressV6: IPAddress?
    var next = list
    while let entry = next?.pointee {
        next = entry.ai_next
        guard let address = entry.ai_addr else { continue }
        if entry.ai_family == AF_INET {
            let value = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
            return .success(.v4(IPv4Address(UInt32(bigEndian: value))))
        }
        if entry.ai_family == AF_INET6, addressV6 == nil {
            let socketAddress = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            let octets = withUnsafeBytes(of: socketAddress.sin6_addr) {
                $0.loadUnaligned(as: InlineArray<16, UInt8>.self)
            }
            addressV6 = .v6(IPv6Address(octets: octets))
        }
    }
    guard let addressV6 else { return .failure(.own("the proxy \(bytes.shown) has no address")) }
    return .success(addressV6)
}
