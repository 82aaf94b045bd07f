import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// A name without address, or an address without name.
struct UnknownName: Error {
    var name: String
}

/// Finds the addresses of names, and the names of addresses: in the script's table, or else by the system.
struct Resolver {
    var names: [String: [String]]
    var eventLoop: any EventLoop

    /// Where to reach an endpoint, in the order in which to try.
    func addresses(of endpoint: Endpoint) -> EventLoopFuture<[SocketAddress]> {
        let port = Int(endpoint.port)
        switch endpoint.address {
        case .ipv4(let bytes), .ipv6(let bytes):
            return eventLoop.makeCompletedFuture {
                [try SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: port)]
            }
        case .name(let bytes):
            let name = String(decoding: bytes, as: UTF8.self)
            if let addresses = names[name.lowercased()] {
                return eventLoop.makeCompletedFuture {
                    try addresses.map { try SocketAddress(ipAddress: $0, port: port) }
                }
            }
            return onThread { try systemAddresses(of: name, port: port) }
        }
    }

    /// The name of a numeric address; of several in the table, the first in the order of the alphabet.
    func name(of address: SocketAddress) -> EventLoopFuture<String> {
        let numeric = Address(address)
        if let name = names.filter({ $0.value.contains { Address($0) == numeric } }).keys.min() {
            return eventLoop.makeSucceededFuture(name)
        }
        return onThread {
            try address.withSockAddr { try systemName(of: $0, length: socklen_t($1), flags: NI_NAMEREQD) }
        }
    }

    /// The system's resolver waits, so it must not be called on the event loop.
    private func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) -> EventLoopFuture<Result>
    {
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop, work)
    }
}

/// The addresses of a name as the system knows them.
private func systemAddresses(of name: String, port: Int) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &list) == 0 else { throw UnknownName(name: name) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var entry = list
    while let information = entry?.pointee {
        defer { entry = information.ai_next }
        guard let address = information.ai_addr,
            let text = try? systemName(of: address, length: information.ai_addrlen, flags: NI_NUMERICHOST)
        else { continue }
        addresses.append(try SocketAddress(ipAddress: text, port: port))
    }
    return addresses
}

/// What getnameinfo(3) calls an address.
private func systemName(of address: UnsafePointer<sockaddr>, length: socklen_t, flags: CInt) throws -> String {
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, flags) == 0 else {
        throw UnknownName(name: "")
    }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
